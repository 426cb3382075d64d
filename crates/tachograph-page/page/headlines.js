// The numbers of the overview: fixed sections for an `ast-server`, the busiest series for any other
// program.

import { increase, levels, meanRate, quantiles, rates, whole } from "./curves.js";
import { TIMING } from "./depth.js";
import { change, digits, format, rate } from "./format.js";

const EVENTS = "event.processing.duration";

export const isAst = (store) => store.byName.has("events.processed") || store.byName.has("events.received");

const errorSeries = (store) =>
  store.series.filter((it) => it.kind.endsWith("counter") && it.name.startsWith("errors.") && !it.name.endsWith(".by_type") && store.family(it.name).includes(it));

// Lost packets: dropped ones without those that arrived later.
function lossOf(plan, store) {
  const of = (name) => increase(plan, store.family(name));
  const lost = Math.max(0, of("udp.packet.dropped") - of("udp.packet.recovered"));
  const all = lost + of("udp.packet.received");
  return all > 0 ? (100 * lost) / all : 0;
}

// The main timing: that of events if it exists, else the busiest.
export function mainTiming(store) {
  const own = store.family(EVENTS)[0];
  if (own) return own;
  const timings = timingsOf(store);
  return timings[0] ?? null;
}

// The timings that stand for their names, busiest first.
export function timingsOf(store) {
  const weight = (series) => {
    const last = store.last(series);
    return last ? last.data[last.at + TIMING.count] : 0;
  };
  const all = store.series.filter((it) => it.isTiming && !it.isTagged);
  const chosen = all.length > 0 ? all : store.series.filter((it) => it.isTiming);
  return chosen.map((series) => [weight(series), series]).sort((a, b) => b[0] - a[0]).map(([, series]) => series);
}

const rateTile = (title, family, key, isBad = false) => ({
  title,
  key,
  read(plan, before, store, isRange) {
    const values = rates(plan, family);
    const mean = meanRate(plan, family);
    const now = isRange ? mean : lastOf(values);
    return { text: rate(now), value: now, change: change(mean, meanRate(before, family)), values, isBad: isBad && now > 0 };
  },
});

function lastOf(values) {
  for (let i = values.length - 1; i >= 0; i -= 1) if (values[i] === values[i]) return values[i];
  return NaN;
}

// The window quantiles of a timing, from the newest frame.
export function windowOf(store, series) {
  const last = series && store.last(series);
  if (!last) return { p50: NaN, p95: NaN, p99: NaN, max: NaN };
  const { data, at } = last;
  return { p50: data[at + TIMING.p50], p95: data[at + TIMING.p95], p99: data[at + TIMING.p99], max: data[at + TIMING.windowMax] };
}

// The quantiles of all samples in a range.
export function quantilesOf(plan, series) {
  const all = whole(plan, [series]);
  return { p50: all.quantile(0.5), p95: all.quantile(0.95), p99: all.quantile(0.99), max: all.count > 0 ? all.max : NaN };
}

const latencyTile = (title, series) => ({
  title,
  key: series.key,
  read(plan, before, store, isRange) {
    const { p50, p95, p99 } = isRange ? quantilesOf(plan, series) : windowOf(store, series);
    const [values] = quantiles(plan, [series], [0.99]);
    const [earlier] = quantiles(before, [series], [0.99]);
    const mean = (all) => {
      const known = all.filter((it) => it === it);
      return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : NaN;
    };
    const detail = `p50 ${format(p50, series.unit)} · p95 ${format(p95, series.unit)}`;
    return { text: format(p99, series.unit), value: p99, detail, values, change: change(mean(values), mean(earlier)), data: { p50, p95, p99 } };
  },
});

const levelTile = (title, series) => ({
  title,
  key: series.key,
  read(plan) {
    const values = levels(plan, series);
    const now = lastOf(values);
    return { text: Number.isInteger(now) ? now.toLocaleString("en-US") : format(now, series.unit), value: now, values, change: "" };
  },
});

const lossTile = {
  title: "packet loss",
  key: "udp.packet.dropped",
  read(plan, before, store) {
    const value = lossOf(plan, store);
    const values = rates(plan, store.family("udp.packet.dropped"));
    return { text: `${value.toFixed(2)} %`, value, values, change: "", isBad: value > 1 };
  },
};

// Up to five tiles: { title, key, read(plan, before, store, isRange) }. Of a range or a recording they show
// all of it, else what is now.
export function tilesOf(store) {
  const tiles = [];
  const main = mainTiming(store);
  if (isAst(store)) {
    const family = store.family("events.processed");
    tiles.push(rateTile("events", family, family[0]?.key ?? null));
    if (main) tiles.push(latencyTile("latency p99", main));
    tiles.push(rateTile("errors", errorSeries(store), "errors.event_processing", true), lossTile);
    const [viewers] = store.family("websocket.clients");
    if (viewers) tiles.push(levelTile("viewers", viewers));
    return tiles;
  }
  if (main) tiles.push(rateTile(main.name, [main], main.key), latencyTile(`${main.name} p99`, main));
  const counters = store.series.filter((it) => it.kind === "counter" && !it.isTagged && !it.name.startsWith("metrics."));
  for (const counter of counters.slice(0, 2)) tiles.push(rateTile(counter.name, [counter], counter.key));
  const gauges = store.series.filter((it) => it.kind === "gauge" && !it.isTagged && !it.name.startsWith("metrics."));
  for (const gauge of gauges.slice(0, 5 - tiles.length)) tiles.push(levelTile(gauge.name, gauge));
  return tiles;
}

const SECTIONS = [
  ["events", [["received", "events.received"], ["processed", "events.processed"], ["ignored", "events.ignored.no_ast"], ["unhandled", "events.unhandled"], ["rejected", "events.rejected"]]],
  ["UDP", [["packets", "udp.packet.received"], ["dropped", "udp.packet.dropped"], ["recovered", "udp.packet.recovered"], ["gaps", "udp.sequence.gap"], ["malformed", "udp.packet.malformed"]]],
  ["WebSocket", [["broadcasts", "websocket.broadcast.success"], ["failed", "websocket.broadcast.failure"], ["evicted", "websocket.client.evicted"], ["resynced", "websocket.client.resynced"], ["refused", "websocket.client.refused"]]],
  ["cache", [["hits", "cache.hit"], ["misses", "cache.miss"], ["evictions", "cache.eviction"], ["invalidations", "cache.invalidation"]]],
];

// The sections of an `ast-server`: { title, remark, rows: [{ label, key, rate, count, isBad }] }.
export function sectionsOf(store, plan, isRange) {
  const row = (label, name, isBad = false) => {
    const family = store.family(name);
    const count = increase(plan, family);
    return { label, key: family[0]?.key ?? null, rate: isRange ? meanRate(plan, family) : lastOf(rates(plan, family)), count, isBad: isBad && count > 0 };
  };
  const sections = SECTIONS.map(([title, rows]) => {
    return { title, remark: "", rows: rows.map(([label, name]) => row(label, name)) };
  });
  const [hits, misses] = sections[3].rows.map((it) => it.count);
  sections[3].remark = hits + misses > 0 ? `${digits((100 * hits) / (hits + misses))} % hits` : "no lookups";
  sections[1].remark = `${lossOf(plan, store).toFixed(2)} % lost`;
  const errors = errorSeries(store).map((it) => row(it.name.replace(/^errors\./, ""), it.name, true));
  sections.push({ title: "errors", remark: errors.some((it) => it.count > 0) ? "" : "none", rows: errors });
  return sections;
}
