// The state of the page, as part of the address: `#/series/KEY?range=10m&q=text`. A link restores it.

export const RANGES = { "1m": 60_000, "10m": 600_000, "30m": 1_800_000, "2h": 7_200_000, all: Infinity };

const VIEWS = ["well", "compare", "series", "alerts", "doctor", "about"];
const HAVE_KEYS = ["series", "compare"];

// Reads an address; unknown or missing parts get their defaults. `usual` is the default range.
export function parse(hash, usual = "10m") {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?");
  const slash = path.indexOf("/");
  const [view, rest] = slash < 0 ? [path, ""] : [path.slice(0, slash), path.slice(slash + 1)];
  const parameters = new URLSearchParams(query);
  const number = (name) => {
    const text = parameters.get(name);
    const value = Number(text);
    return text && Number.isFinite(value) ? value : null;
  };
  let [from, to] = [number("from"), number("to")];
  if (from === null || to === null || from >= to) [from, to] = [null, null];
  const range = parameters.get("range");
  return {
    view: VIEWS.includes(view) ? view : "well",
    key: HAVE_KEYS.includes(view) && rest ? decode(rest) : null,
    range: Object.hasOwn(RANGES, range) ? range : usual,
    from,
    to,
    search: parameters.get("q") ?? "",
    sort: parameters.get("sort") ?? "rate",
    isUp: parameters.get("up") === "1",
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Writes the address of a state, without parts that have their defaults.
export function address(state, usual = "10m") {
  const parameters = new URLSearchParams();
  if (state.range !== usual) parameters.set("range", state.range);
  if (state.from !== null) {
    parameters.set("from", Math.round(state.from));
    parameters.set("to", Math.round(state.to));
  }
  if (state.search) parameters.set("q", state.search);
  if (state.sort !== "rate") parameters.set("sort", state.sort);
  if (state.isUp) parameters.set("up", "1");
  const key = state.key === null ? "" : `/${encodeURIComponent(state.key)}`;
  const query = parameters.toString();
  return `#/${state.view}${key}${query ? `?${query}` : ""}`;
}

// The two ends of the visible range. Live, the right end is that of the newest frame, so that the last
// point does not flicker.
export function rangeOf(state, newestEnd) {
  if (state.from !== null) return [state.from, state.to];
  return [newestEnd - RANGES[state.range], newestEnd];
}
