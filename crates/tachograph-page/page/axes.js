// Scales and axes: the positions of values and times, and their labels.

import { clock, format, scaleFor } from "./format.js";

export const LEFT = 64;
const BOTTOM = 20;
const TOP = 8;

// A scale over values: `place` gives 0 at the bottom and 1 at the top; `ticks` are round values.
// Bytes have round values in powers of two.
export function scaleOf(low, high, isLog, unit = "") {
  [low, high] = [held(low), held(high)];
  const isBinary = unit === "bytes";
  // On a logarithmic axis, a single value has the decade around it.
  if (isLog && low > 0 && high === low) return logScale(low, high, isBinary ? 8 : 10);
  if (!(high > low)) [low, high] = around(low);
  return isLog && high > 0 ? logScale(low, high, isBinary ? 8 : 10) : linearScale(low, high, isBinary);
}

const around = (value) => (value === 0 ? [0, 1] : [Math.min(0, value), Math.max(0, value) * 1.1]);

// Within what steps between ticks can be computed for, of either sign.
function held(value) {
  if (!(Math.abs(value) > 1e-300)) return 0;
  return Math.min(1e300, Math.max(-1e300, value));
}

function logScale(low, high, base) {
  const log = (value) => Math.log(value) / Math.log(base);
  // More than nine decades are not readable.
  const first = Math.floor(log(Math.max(low, high / 1e9)) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(log(high) - 1e-9));
  const ticks = [];
  for (let power = first; power <= last; power += 1) ticks.push(base ** power);
  const place = (value) => (value > 0 ? (log(value) - first) / (last - first) : 0);
  return { place, ticks, low: base ** first, high: base ** last, isLog: true };
}

function linearScale(low, high, isBinary) {
  // With 0, so that heights are proportions.
  const [bottom, ceiling] = [Math.min(0, low), Math.max(0, high)];
  const rough = (ceiling - bottom) / 4;
  const step = isBinary ? 2 ** Math.ceil(Math.log2(rough)) : roundStep(rough);
  const top = Math.ceil(ceiling / step - 1e-9) * step;
  const ticks = [];
  for (let tick = Math.floor(bottom / step) * step; tick <= top + step / 2; tick += step) ticks.push(tick);
  const base = ticks[0];
  const place = (value) => (value - base) / (top - base);
  return { place, ticks, low: base, high: top, isLog: false };
}

function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  if (share <= 1) return power;
  if (share <= 2) return 2 * power;
  return share <= 5 ? 5 * power : 10 * power;
}

// The possible distances of ticks on the time axis, in milliseconds.
const TIME_STEPS = [1e3, 2e3, 5e3, 10e3, 15e3, 20e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1_800e3, 3_600e3];

export function timeTicks(from, to, most) {
  const step = TIME_STEPS.find((it) => (to - from) / it <= most) ?? 3_600e3 * Math.ceil((to - from) / most / 3_600e3);
  const ticks = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return { ticks, withSeconds: step < 60e3 };
}

// Draws the axes of a chart over time; returns the functions from time and value to pixels.
export function drawAxes(context, size, colours, { from, to, scale, unit }) {
  const { width, height } = size;
  const [left, right, top, bottom] = [LEFT, width - 8, TOP, height - BOTTOM];
  const x = (time) => left + ((time - from) / (to - from)) * (right - left);
  const y = (value) => bottom - Math.min(1, Math.max(0, scale.place(value))) * (bottom - top);
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.quiet;
  context.textAlign = "right";
  context.textBaseline = "middle";
  // On a linear axis all labels share a unit; decades each have their own.
  const shared = scale.isLog ? undefined : scale.high;
  for (const tick of thinned(scale.ticks, (bottom - top) / 18)) {
    const at = Math.round(y(tick)) + 0.5;
    stroke(context, left, at, right, at);
    context.fillText(label(tick, unit, shared), left - 8, at);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  const { ticks, withSeconds } = timeTicks(from, to, Math.max(2, (right - left) / 72));
  for (const tick of ticks) {
    const at = Math.round(x(tick)) + 0.5;
    stroke(context, at, bottom, at, bottom + 4);
    if (at > left + 16 && at < right - 16) context.fillText(clock(tick, withSeconds), at, bottom + 6);
  }
  return { x, y, left, right, top, bottom };
}

function thinned(ticks, most) {
  const each = Math.max(1, Math.ceil(ticks.length / Math.max(2, most)));
  return ticks.filter((_, i) => i % each === 0);
}

const LABEL = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });

// Labels have no trailing zeros: "10 ms", not "10.0 ms".
export function label(value, unit, at = value) {
  if (value === 0) return "0";
  const [by, suffix] = scaleFor(at, unit);
  const share = value / by;
  const text = Number(share.toPrecision(3));
  if (Math.abs(text) >= 1e-3 && Math.abs(text) < 1e6) return `${LABEL.format(text)} ${suffix}`.trim();
  return format(value, unit, at);
}

export function stroke(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

// Draws a dashed line at each start, reset and restart, and hatches gaps.
export function drawMarks(context, area, colours, plan) {
  context.save();
  for (let i = 0; i < plan.length; i += 1) {
    const marks = plan.marks[i];
    if (marks === 0) continue;
    const [begin, end] = [area.x(Math.max(plan.from, plan.ends[i] - plan.spans[i])), area.x(plan.ends[i])];
    if (marks & 8) hatch(context, begin, end, area, colours);
    if ((marks & 7) === 0 || end < area.left) continue;
    context.strokeStyle = colours.accent;
    context.setLineDash([4, 4]);
    stroke(context, Math.round(end) + 0.5, area.top, Math.round(end) + 0.5, area.bottom);
    context.fillStyle = colours.accent;
    context.textAlign = end > area.right - 60 ? "right" : "left";
    context.textBaseline = "top";
    const name = marks & 4 ? "restarted" : marks & 2 ? "reset" : "started";
    context.fillText(name, end + (end > area.right - 60 ? -4 : 4), area.top);
  }
  context.restore();
}

function hatch(context, begin, end, area, colours) {
  context.save();
  context.beginPath();
  context.rect(begin, area.top, Math.max(2, end - begin), area.bottom - area.top);
  context.clip();
  context.strokeStyle = colours.line;
  context.setLineDash([]);
  const height = area.bottom - area.top;
  for (let at = begin - height; at < end; at += 8) stroke(context, at, area.bottom, at + height, area.top);
  context.restore();
}
