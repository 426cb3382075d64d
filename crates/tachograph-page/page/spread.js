// Distributions: the heat map over time, the percentile spectrum, the histogram of a range.

import { label, scaleOf, stroke, LEFT } from "./axes.js";
import { middle, upperEdge } from "./buckets.js";
import { Chart } from "./chart.js";
import { heat } from "./curves.js";
import { h } from "./dom.js";
import { clock, digits, format, grouped } from "./format.js";
import { key, pen } from "./lines.js";
import { theme } from "./theme.js";

export class HeatMap extends Chart {
  constructor(options) {
    super({ draw: drawHeat, tip: tipOf, table: tableOf, class: "tall", ...options });
    this.isShare = false;
    const text = () => (this.isShare ? "share per column" : "counts");
    const button = h("button", {
      type: "button",
      class: "small",
      title: "colour by counts, or by the share of the samples in the same column",
      onclick: () => {
        this.isShare = !this.isShare;
        button.textContent = text();
        if (this.shown) this.showFamily(...this.shown);
      },
    }, text());
    this.tools.append(button);
  }

  // The colours of the least and the greatest value. Counts are told per second, as columns may be shorter.
  showKey(reach, seconds) {
    const text = (value) => (this.isShare ? format(value, "ratio") : digits(value / seconds));
    const name = reach === null ? "" : reach.map(text).join();
    if (name === this.keyName && theme() === this.themed) return;
    [this.keyName, this.themed] = [name, theme()];
    if (reach === null) return this.legend.replaceChildren();
    const ramp = h("canvas", { class: "ramp", width: "256", height: "1", "aria-hidden": "true" });
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(theme().ramp);
    ramp.getContext("2d").putImageData(image, 0, 0);
    const what = this.isShare ? "of a column" : "samples/s";
    return this.legend.replaceChildren(h("span", {}, text(reach[0]), ramp, `${text(reach[1])} ${what}`));
  }

  showFamily(plan, family, unit) {
    this.shown = [plan, family, unit];
    const map = heat(plan, family);
    const edge = (index) => upperEdge(Math.max(-8_000, Math.min(8_000, index)));
    const [low, high] = map.counts ? [edge(map.lowest - 1), edge(map.lowest + map.rows - 1)] : [1e-4, 1e-1];
    // From the least to the greatest bucket, not whole decades, so that no rows are empty.
    const scale = { ...scaleOf(low, high, true, unit), place: (value) => Math.log(value / low) / Math.log(high / low), low, high };
    scale.ticks = scale.ticks.filter((tick) => tick >= low && tick <= high);
    const reach = map.counts ? reachOf(map, this.isShare) : null;
    const image = map.counts ? paintCells(map, this.isShare, reach) : null;
    this.showKey(reach, (plan.to - plan.from) / 1000 / plan.width);
    const note = map.counts ? null : "nothing recorded in this range";
    this.update({ plan, from: plan.from, to: plan.to, scale, unit, map, image, note });
  }
}

// What the colour of a cell stands for: its count, or its share of the samples in its column.
function valueOf({ counts, sums, rows }, isShare, at) {
  return isShare ? counts[at] / sums[Math.floor(at / rows)] : counts[at];
}

// The least and the greatest value of all cells with samples.
function reachOf(map, isShare) {
  let [least, most] = [Infinity, 0];
  for (let at = 0; at < map.counts.length; at += 1) {
    if (map.counts[at] === 0) continue;
    const value = valueOf(map, isShare, at);
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

// Colours cells by the logarithm of their values; cells without samples stay empty.
function paintCells(map, isShare, [least, most]) {
  const { columns, rows, counts } = map;
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const { ramp } = theme();
  const reach = Math.log(most / least);
  for (let column = 0; column < columns; column += 1) {
    for (let row = 0; row < rows; row += 1) {
      const at = column * rows + row;
      if (counts[at] === 0) continue;
      const share = reach > 0 ? Math.log(valueOf(map, isShare, at) / least) / reach : 1;
      pixels[(rows - 1 - row) * columns + column] = ramp[Math.min(255, Math.round(share * 255))];
    }
  }
  const canvas = new OffscreenCanvas(columns, rows);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function drawHeat(context, area, { image }) {
  if (!image) return;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, area.left, area.top, area.right - area.left, area.bottom - area.top);
}

function tipOf(time, { plan, map, unit }) {
  if (!map.counts) return null;
  const pixel = Math.min(plan.width - 1, Math.max(0, Math.floor(((time - plan.from) / (plan.to - plan.from)) * plan.width)));
  const total = map.totals[pixel];
  if (total === 0) return ["no samples"];
  const column = map.counts.subarray(pixel * map.rows, (pixel + 1) * map.rows);
  const first = column.findIndex((it) => it > 0);
  const last = column.findLastIndex((it) => it > 0);
  const mode = column.indexOf(Math.max(...column));
  const value = (row) => format(middle(map.lowest + row), unit);
  return [`${grouped(total)} samples`, `from ${value(first)} to ${value(last)}`, `most at ${value(mode)}`];
}

function tableOf({ plan, map, unit }) {
  const rows = [];
  for (let pixel = plan.width - 1; pixel >= 0 && rows.length < 60; pixel -= 1) {
    if (map.totals[pixel] === 0) continue;
    const time = plan.from + ((pixel + 0.5) / plan.width) * (plan.to - plan.from);
    rows.push([clock(time), tipOf(time, { plan, map, unit }).join(", ")]);
  }
  return { head: ["time", "samples"], rows };
}

const PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99];

// The axis is the logarithm of the share above, so that the tail gets as much room as the middle.
const placeOf = (percent) => Math.log10(100 / (100 - percent)) / 4;

export class Spectrum extends Chart {
  constructor(options) {
    super({ ...options, class: "tall", draw: drawSpectrum, table: spectrumTable });
  }

  showDistribution(distribution) {
    this.showDistributions([["value", distribution]]);
  }

  // Several distributions, each with its name.
  showDistributions(named) {
    const { unit } = this;
    const curves = named.filter(([, it]) => it.count > 0).map(([name, it]) => {
      return { name, values: PERCENTILES.map((percent) => it.quantile(percent / 100)) };
    });
    const all = curves.flatMap((it) => it.values);
    const isEmpty = all.length === 0;
    const scale = isEmpty ? scaleOf(1e-4, 1e-1, true) : scaleOf(Math.min(...all), Math.max(...all), true, unit);
    if (named.length > 1) this.legend.replaceChildren(...curves.map((it, i) => key(it.name, i)));
    this.update({ from: 0, to: 0, scale, unit, curves, note: isEmpty ? "no samples" : null });
  }

  paint() {
    paintPlain(this);
  }
}

// Draws a chart whose lower axis is not time.
function paintPlain(chart) {
  const { width, height } = chart.size;
  if (width === 0 || !chart.view) return;
  const ratio = devicePixelRatio || 1;
  const context = chart.canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const colours = theme();
  chart.area = null;
  const area = { left: LEFT, right: width - 12, top: 8, bottom: height - 20 };
  chart.draw(context, area, chart.view, colours);
  if (chart.view.note) {
    context.textAlign = "center";
    context.fillStyle = colours.quiet;
    context.fillText(chart.view.note, width / 2, height / 2);
  }
  if (chart.alternative.open) chart.fillTable();
}

function drawSpectrum(context, area, { scale, unit, curves, note }, colours) {
  const x = (percent) => area.left + placeOf(percent) * (area.right - area.left);
  const y = (value) => area.bottom - scale.place(value) * (area.bottom - area.top);
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.fillStyle = colours.quiet;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const tick of scale.ticks) {
    const at = Math.round(y(tick)) + 0.5;
    stroke(context, area.left, at, area.right, at);
    context.fillText(label(tick, unit), area.left - 8, at);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const percent of [50, 90, 99, 99.9, 99.99]) {
    const at = Math.round(x(percent)) + 0.5;
    stroke(context, at, area.top, at, area.bottom + 4);
    context.fillText(String(percent), Math.min(at, area.right - 8), area.bottom + 6);
  }
  if (note) return;
  curves.forEach(({ values }, line) => {
    pen(context, line);
    context.beginPath();
    PERCENTILES.forEach((percent, i) => context.lineTo(x(percent), y(values[i])));
    context.stroke();
    PERCENTILES.forEach((percent, i) => context.fillRect(x(percent) - 2, y(values[i]) - 2, 4, 4));
  });
  context.setLineDash([]);
}

function spectrumTable({ curves, unit }) {
  const cells = (i) => curves.map((it) => format(it.values[i], unit));
  return { head: ["percentile", ...curves.map((it) => it.name)], rows: PERCENTILES.map((it, i) => [`p${it}`, ...cells(i)]) };
}

export class Histogram extends Chart {
  constructor(options) {
    super({ ...options, draw: drawHistogram, table: histogramTable });
  }

  showDistribution(distribution, unit) {
    const entries = distribution.entries().filter(([index]) => Math.abs(index) < 16_000);
    this.update({ entries, unit, count: distribution.count, note: entries.length === 0 ? "no samples" : null });
  }

  paint() {
    paintPlain(this);
  }
}

function drawHistogram(context, area, { entries, unit }, colours) {
  context.strokeStyle = colours.line;
  stroke(context, area.left, area.bottom + 0.5, area.right, area.bottom + 0.5);
  if (entries.length === 0) return;
  const [low, high] = [entries[0][0] - 2, entries[entries.length - 1][0] + 1];
  const most = entries.reduce((max, [, count]) => Math.max(max, count), 0);
  const x = (index) => area.left + ((index - low) / (high - low)) * (area.right - area.left);
  context.fillStyle = colours.lines[0];
  for (const [index, count] of entries) {
    const height = Math.max(1, (count / most) * (area.bottom - area.top));
    context.fillRect(x(index - 1) + 0.5, area.bottom - height, Math.max(1, x(index) - x(index - 1) - 1), height);
  }
  context.fillStyle = colours.quiet;
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillText(grouped(most), area.left - 8, area.top);
  context.textAlign = "center";
  const scale = scaleOf(upperEdge(low), upperEdge(high), true, unit);
  // Decades; if there are few, also 2 and 5 between them.
  const ticks = scale.ticks.flatMap((tick) => (scale.ticks.length < 4 ? [tick, 2 * tick, 5 * tick] : [tick]));
  for (const tick of ticks) {
    const at = x(8 * Math.log2(tick));
    if (at < area.left || at > area.right - 12) continue;
    stroke(context, Math.round(at) + 0.5, area.bottom, Math.round(at) + 0.5, area.bottom + 4);
    context.fillText(label(tick, unit), at, area.bottom + 6);
  }
}

function histogramTable({ entries, unit, count }) {
  const text = ([index, held]) => [
    `${format(upperEdge(index - 1), unit)} to ${format(upperEdge(index), unit)}`,
    grouped(held),
    `${((100 * held) / count).toPrecision(3)} %`,
  ];
  return { head: ["value", "samples", "share"], rows: entries.map(text) };
}
