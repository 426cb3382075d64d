// Formats numbers for people: three significant digits and the unit.

const DASH = "–";

const TIMES = [[1e-9, "ns"], [1e-6, "µs"], [1e-3, "ms"], [1, "s"]];
const BYTES = [[1, "B"], [1024, "KiB"], [1024 ** 2, "MiB"], [1024 ** 3, "GiB"], [1024 ** 4, "TiB"]];
const COUNTS = [[1, ""], [1e6, "M"], [1e9, "G"], [1e12, "T"], [1e15, "P"]];
// Numbers below and from these on are written with an exponent.
const [LEAST, MOST] = [1e-4, 1e9];
// Made once: making one costs more than a hundred numbers.
const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const EXACT = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 15 });

// A whole number with its thousands separated: "4,982".
export const grouped = (value) => GROUPED.format(value);

// The name of a unit in a definition line.
export function unitName(unit) {
  if (unit && typeof unit === "object") return unit.other ?? "";
  return unit && unit !== "none" ? unit : "";
}

// Three significant digits, thousands separated: 4,982 and 1.87 and 0.0312.
export function digits(value) {
  if (!Number.isFinite(value)) return DASH;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < LEAST || size >= MOST) return value.toExponential(2).replace("e+", "e").replaceAll("-", "−");
  const rounded = Number(size.toPrecision(3));
  const places = rounded >= 100 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(rounded)));
  // Whole numbers of up to six digits are not rounded.
  const text = size >= 100 ? grouped(size) : rounded.toFixed(places);
  return value < 0 ? `−${text}` : text;
}

// The largest step of a ladder in which the rounded value is at least 1.
function step(ladder, size) {
  let chosen = ladder[0];
  for (const it of ladder) if (Number((size / it[0]).toPrecision(3)) >= 1) chosen = it;
  return chosen;
}

function ladder(unit) {
  if (unit === "seconds") return TIMES;
  return unit === "bytes" ? BYTES : COUNTS;
}

// The divisor and the suffix for values of about this size, to share in an axis or a column.
export function scaleFor(value, unit) {
  const size = Math.abs(value);
  if (unit === "ratio") return [0.01, "%"];
  if (unit === "percent") return [1, "%"];
  const [by, name] = step(ladder(unit), Number.isFinite(size) ? size : 0);
  const plain = unit === "seconds" || unit === "bytes" ? "" : unit;
  return [by, `${name} ${plain}`.trim()];
}

// A value with its unit: "330 µs", "12.4 MiB", "0.25 %". `at` is the value that selects the scale.
export function format(value, unit = "", at = value) {
  if (!Number.isFinite(value)) return DASH;
  if (unit === "seconds" && value === 0 && at === value) return "0 s";
  const [by, suffix] = scaleFor(at, unit);
  return `${digits(value / by)} ${suffix}`.trim();
}

// A count: all digits below a million.
export function count(value) {
  if (!Number.isFinite(value)) return DASH;
  if (Math.abs(value) < 1e6) return grouped(value);
  return format(value);
}

// A gauge's value: whole numbers without a unit with all their digits.
export const level = (value, unit = "") => (unit === "" && Number.isInteger(value) ? count(value) : format(value, unit));

// A rate per second: "4,982 /s", "1.20 MiB/s", "250 ms/s".
export function rate(value, unit = "") {
  if (!Number.isFinite(value)) return DASH;
  if (unit === "bytes" || unit === "seconds") return `${format(value, unit)}/s`;
  const [by, suffix] = scaleFor(value, "");
  return `${digits(value / by)} ${suffix}/s`;
}

// A number with all its digits, for hover texts and screen readers.
export function exact(value, unit = "") {
  if (!Number.isFinite(value)) return "no value";
  return `${EXACT.format(value)} ${unit}`.trim();
}

// A duration in its two largest units: "3 h 12 min", "42 s".
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return DASH;
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  let rest = whole;
  const texts = parts.slice(first, first + 2).map(([size, name]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${name}` : "";
  });
  return texts.filter(Boolean).join(" ");
}

// The change from an earlier value: "+12 %", "−3 %", "×4.2".
export function change(now, before) {
  if (!Number.isFinite(now) || !Number.isFinite(before)) return "";
  if (before === 0) return now === 0 ? "±0 %" : "new";
  return factor(now / before);
}

// A factor of 1.
export const SAME = "±0 %";

// Such as "+12 %", "−0.4 %", "×4.20".
export function factor(ratio) {
  if (ratio >= 2) return `×${digits(ratio)}`;
  const percent = (ratio - 1) * 100;
  const size = Math.abs(percent);
  if (size < 0.05) return SAME;
  return `${percent > 0 ? "+" : "−"}${size.toFixed(size < 0.95 ? 1 : 0)} %`;
}

const two = (number) => String(number).padStart(2, "0");

// The local time, "12:01:33", or without seconds.
export function clock(ms, withSeconds = true) {
  const at = new Date(ms);
  const minutes = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return withSeconds ? `${minutes}:${two(at.getSeconds())}` : minutes;
}
