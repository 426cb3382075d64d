// The line chart, with bands where a pixel has several frames; and sparklines.

import { scaleOf } from "./axes.js";
import { Chart } from "./chart.js";
import { h } from "./dom.js";
import { clock, format, rate } from "./format.js";
import { DASHES, theme } from "./theme.js";

// `options`: { title, unit, isRate, isLog, select }. Update it with `showLines(plan, lines)`; each line
// is { name, points }.
export class LineChart extends Chart {
  constructor(options) {
    super({ draw: drawLines, tip: tipOf, table: tableOf, ...options });
    if (options.isLog !== undefined) this.addSwitch();
  }

  addSwitch() {
    const text = () => (this.isLog ? "log" : "linear");
    const button = h("button", {
      type: "button",
      class: "small",
      title: "logarithmic or linear axis",
      onclick: () => {
        this.isLog = !this.isLog;
        button.textContent = text();
        if (this.shown) this.showLines(...this.shown);
      },
    }, text());
    this.tools.append(button);
  }

  // `reach`: the values that the scale must reach, if not just those of the lines.
  showLines(plan, lines, reach = null) {
    this.shown = [plan, lines, reach];
    const [low, high] = reach ?? reachOf(lines, this.isLog);
    const isEmpty = reachOf(lines, false)[1] === -Infinity;
    const isFree = high === -Infinity;
    const scale = scaleOf(isFree ? (this.isLog ? 1e-4 : 0) : low, isFree ? 1e-1 : high, this.isLog, this.unit);
    this.nameLines(lines);
    const { from, to } = plan;
    const note = isEmpty ? "nothing recorded in this range" : null;
    this.update({ plan, from, to, scale, unit: this.unit, lines, note, isRate: this.isRate });
  }

  nameLines(lines) {
    const names = lines.map((it) => it.name).join();
    if (names === this.names && theme() === this.themed) return;
    [this.names, this.themed] = [names, theme()];
    this.legend.replaceChildren(...lines.map((line, i) => key(line.name, i)));
  }
}

// The least and the greatest value of lines; on a logarithmic scale, the least above 0.
export function reachOf(lines, isLog) {
  let [low, high] = [Infinity, -Infinity];
  for (const { points } of lines) {
    for (let i = 0; i < points.t.length; i += 1) {
      if (points.high[i] > high) high = points.high[i];
      if (points.low[i] < low && (!isLog || points.low[i] > 0)) low = points.low[i];
    }
  }
  return [low, high];
}

// A sample of the line, beside its name.
export function key(name, i) {
  const canvas = h("canvas", { class: "key", width: "48", height: "8", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  pen(context, i);
  context.beginPath();
  context.moveTo(0, 2);
  context.lineTo(24, 2);
  context.stroke();
  return h("span", {}, canvas, name);
}

export function pen(context, i) {
  const { lines } = theme();
  context.strokeStyle = lines[i % lines.length];
  context.fillStyle = context.strokeStyle;
  context.setLineDash(DASHES[i % DASHES.length]);
  context.lineWidth = 1.5;
}

function drawLines(context, area, { lines }) {
  context.save();
  context.beginPath();
  context.rect(area.left, 0, area.right - area.left, area.bottom + 1);
  context.clip();
  lines.forEach(({ points }, i) => {
    pen(context, i);
    context.globalAlpha = 0.25;
    drawBand(context, area, points);
    context.globalAlpha = 1;
    drawLine(context, area, points);
  });
  context.restore();
}

function drawBand(context, area, { t, low, high }) {
  for (let i = 0; i < t.length; i += 1) {
    if (!(high[i] > low[i])) continue;
    const [x, before] = [area.x(t[i]), i > 0 ? area.x(t[i - 1]) : area.x(t[i]) - 2];
    const [top, bottom] = [area.y(high[i]), area.y(low[i])];
    context.fillRect(before, top, Math.max(1, x - before), Math.max(1, bottom - top));
  }
}

function drawLine(context, area, { t, value }) {
  context.beginPath();
  let isDrawn = false;
  for (let i = 0; i < t.length; i += 1) {
    if (value[i] !== value[i]) {
      isDrawn = false;
      continue;
    }
    const [x, y] = [area.x(t[i]), area.y(value[i])];
    if (isDrawn) context.lineTo(x, y);
    else context.moveTo(x, y);
    // A single point between two gaps would be invisible.
    if (!isDrawn && !(value[i + 1] === value[i + 1])) context.lineTo(x - 2, y);
    isDrawn = true;
  }
  context.stroke();
}

const text = (view, value) => (view.isRate ? rate(value, view.unit) : format(value, view.unit));

// The point in whose pixel a time falls.
function pointAt(points, time) {
  let best = -1;
  for (let i = 0; i < points.t.length; i += 1) {
    if (best < 0 || Math.abs(points.t[i] - time) < Math.abs(points.t[best] - time)) best = i;
  }
  return best;
}

function tipOf(time, view) {
  if (!view) return null;
  return view.lines.map(({ name, points }) => {
    const i = pointAt(points, time);
    if (i < 0) return `${name} –`;
    const [value, low, high] = [points.value[i], points.low[i], points.high[i]];
    const band = high > low ? ` (${text(view, low)} to ${text(view, high)})` : "";
    return `${name} ${text(view, value)}${band}`;
  });
}

// At most 60 rows: the point with the greatest value from each stretch.
function tableOf(view) {
  const [first] = view.lines;
  const all = first ? first.points.t.map((_, i) => i) : [];
  const each = Math.ceil(all.length / 60) || 1;
  const rows = [];
  for (let i = all.length - 1; i >= 0; i -= each) {
    const group = all.slice(Math.max(0, i - each + 1), i + 1);
    const cell = ({ points }) => {
      const high = Math.max(...group.map((k) => points.high[k]).filter((it) => it === it));
      return text(view, Number.isFinite(high) ? high : NaN);
    };
    rows.push([clock(first.points.t[i]), ...view.lines.map(cell)]);
  }
  return { head: ["time", ...view.lines.map((it) => it.name)], rows };
}

// One value per pixel of a sparkline: the greatest of each stretch.
export function thin(values, most = 120) {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, i) => {
    let high = NaN;
    const [first, end] = [Math.floor((i * values.length) / most), Math.floor(((i + 1) * values.length) / most)];
    for (let k = first; k < end; k += 1) if (!(values[k] <= high) && values[k] === values[k]) high = values[k];
    return high;
  });
}

// A small line chart without axes.
export function drawSpark(canvas, values, { isBad = false } = {}) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.dataset.width * 1, canvas.dataset.height * 1];
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  let [low, high] = [0, -Infinity];
  for (const value of values) {
    if (value > high) high = value;
    if (value < low) low = value;
  }
  if (high === -Infinity) return;
  if (high === low) high = low + 1;
  const { bad, lines } = theme();
  context.strokeStyle = isBad ? bad : lines[0];
  context.lineWidth = 1.25;
  context.beginPath();
  let isDrawn = false;
  values.forEach((value, i) => {
    if (value !== value) {
      isDrawn = false;
      return;
    }
    const x = values.length > 1 ? (i / (values.length - 1)) * (width - 2) + 1 : width - 1;
    const y = height - 1.5 - ((value - low) / (high - low)) * (height - 3);
    if (isDrawn) context.lineTo(x, y);
    else context.moveTo(x, y);
    isDrawn = true;
  });
  context.stroke();
}

export function spark(width = 96, height = 20) {
  const canvas = h("canvas", { class: "spark", "aria-hidden": "true", "data-width": width, "data-height": height });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return canvas;
}
