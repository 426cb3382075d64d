// Turns frames into the points of charts. A pixel with several frames keeps their least and greatest
// value beside the one drawn, so that no spike disappears. No rate is computed across a mark (start,
// reset, restart, gap).

import { Distribution, ENDLESS, ZERO } from "./buckets.js";
import { COUNTER, FORGETS, GAUGE, TIMING } from "./depth.js";

const QUANTILES = [TIMING.q50, TIMING.q95, TIMING.q99, TIMING.max];

// Assigns the frames between two times to `width` pixels.
export class Plan {
  constructor(store, from, to, width) {
    Object.assign(this, { store, from, to, width });
    this.parts = store.stretches(from, to);
    const length = this.parts.reduce((sum, it) => sum + it.next - it.first, 0);
    this.length = length;
    this.ends = new Float64Array(length);
    this.spans = new Float64Array(length);
    this.marks = new Uint8Array(length);
    this.pixels = new Int32Array(length);
    this.made = new Map();
    let i = 0;
    for (const part of this.parts) {
      part.offset = i - part.first;
      for (let slot = part.first; slot < part.next; slot += 1, i += 1) {
        const frame = part.depth.frame(slot);
        this.ends[i] = frame.end;
        this.spans[i] = frame.span;
        this.marks[i] = frame.marks;
        this.pixels[i] = Math.min(width - 1, Math.floor(((frame.end - from) / (to - from)) * width));
      }
    }
  }

  // What `make` gives, made once: several charts show the same.
  once(name, make) {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name);
  }

  // Whether a frame holds much from before the plan.
  isBefore(i) {
    return this.store.holdsBefore(this.from, { marks: this.marks[i], end: this.ends[i], span: this.spans[i] });
  }

  // A plan of the last frame alone.
  last() {
    const end = this.length > 0 ? this.ends[this.length - 1] : this.to;
    return new Plan(this.store, end - 1, end, 1);
  }

  // Calls `visit(frame index, column, row, at)` for each row of a series.
  each(series, visit) {
    for (const { depth, first, next, offset } of this.parts) {
      const column = depth.columns[series.id];
      if (!column) continue;
      for (let row = column.seek(first); row < column.length; row += 1) {
        const slot = column.slot(row);
        if (slot >= next) break;
        visit(slot + offset, column, row, column.at(row));
      }
    }
  }

  // Turns one value per frame into one point per pixel: { t, value, low, high }, NaN without a value.
  // `pick` selects the value to draw: "mean" or "max" of the pixel's values.
  points(values, pick = "mean") {
    const points = { t: [], value: [], low: [], high: [] };
    let i = 0;
    while (i < this.length) {
      const pixel = this.pixels[i];
      let [sum, count, low, high, isBroken] = [0, 0, Infinity, -Infinity, false];
      const first = i;
      for (; i < this.length && this.pixels[i] === pixel; i += 1) {
        const value = values[i];
        if (value !== value) {
          isBroken ||= this.marks[i] !== 0;
          continue;
        }
        sum += value;
        count += 1;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      // A mark interrupts the line, even if its pixel has other frames.
      if (isBroken && count > 0) push(points, this.ends[first] - this.spans[first], NaN, NaN, NaN);
      const value = count === 0 ? NaN : pick === "max" ? high : sum / count;
      push(points, this.ends[i - 1], value, count ? low : NaN, count ? high : NaN);
    }
    return points;
  }
}

function push(points, t, value, low, high) {
  points.t.push(t);
  points.value.push(value);
  points.low.push(low);
  points.high.push(high);
}

// The rate per second in every frame, of several series together; NaN across a mark.
export function rates(plan, family) {
  const values = new Float64Array(plan.length);
  for (const series of family) {
    const field = series.isTiming ? TIMING.count : series.kind === "gauge" ? GAUGE.count : COUNTER.change;
    plan.each(series, (i, column, row, at) => {
      values[i] += column.rows.data[at + field];
    });
  }
  for (let i = 0; i < plan.length; i += 1) {
    const isKnown = plan.marks[i] === 0 && plan.spans[i] > 0;
    values[i] = isKnown ? (values[i] * 1000) / plan.spans[i] : NaN;
  }
  return values;
}

// The value of a gauge at the end of every frame.
export function levels(plan, series) {
  const values = new Float64Array(plan.length).fill(NaN);
  plan.each(series, (i, column, row, at) => {
    values[i] = column.rows.data[at + GAUGE.current];
  });
  const before = () => plan.parts[0].depth.levelBefore(series, plan.parts[0].first);
  // A gauge that was not set keeps its value.
  for (let i = 0; i < plan.length; i += 1) {
    if (values[i] !== values[i] && (plan.marks[i] & FORGETS) === 0) values[i] = i > 0 ? values[i - 1] : before();
  }
  return values;
}

// The quantiles of the samples of every frame: arrays of p50, p95, p99 and the maximum.
export function quantiles(plan, series) {
  return plan.once(series.id, () => {
    const arrays = QUANTILES.map(() => new Float64Array(plan.length).fill(NaN));
    plan.each(series, (i, column, row, at) => {
      column.settle(row);
      const { data } = column.rows;
      for (let k = 0; k < QUANTILES.length; k += 1) arrays[k][i] = data[at + QUANTILES[k]];
    });
    return arrays;
  });
}

function addRow(distribution, column, row) {
  const { data } = column.rows;
  const at = column.at(row);
  distribution.note(data[at + TIMING.count], data[at + TIMING.sum], data[at + TIMING.min], data[at + TIMING.max]);
  column.eachBucket(row, (index, count) => distribution.add(index, count));
}

// All samples in the range of the plan.
export function whole(plan, family) {
  const distribution = new Distribution();
  for (const series of family) {
    plan.each(series, (i, column, row) => {
      if (!plan.isBefore(i)) addRow(distribution, column, row);
    });
  }
  return distribution;
}

// The increase over the range of the plan.
export function increase(plan, family) {
  let sum = 0;
  for (const series of family) {
    const field = series.isTiming ? TIMING.count : COUNTER.change;
    plan.each(series, (i, column, row, at) => {
      if (!plan.isBefore(i)) sum += column.rows.data[at + field];
    });
  }
  return sum;
}

// The mean rate over the range of the plan, from the frames without marks.
export const meanRate = (plan, family) => meanOf(plan, rates(plan, family));

// The mean of the rates of a plan's frames.
export function meanOf(plan, values) {
  let [amount, time] = [0, 0];
  for (let i = 0; i < plan.length; i += 1) {
    if (values[i] !== values[i]) continue;
    amount += values[i] * plan.spans[i];
    time += plan.spans[i];
  }
  return time > 0 ? amount / time : NaN;
}

// The frames with the worst samples of a series, longest first: { value, end, span, exemplar }.
export function worst(plan, series, count) {
  const found = [];
  plan.each(series, (i, column, row, at) => {
    const { data } = column.rows;
    const value = data[at + TIMING.max];
    if (found.length === count && !(value > found[count - 1].value)) return;
    const exemplar = column.exemplars.get(data[at]) ?? null;
    const place = found.findLastIndex((it) => it.value >= value) + 1;
    found.splice(place, 0, { value, end: plan.ends[i], span: plan.spans[i], exemplar });
    found.length = Math.min(found.length, count);
  });
  return found;
}

// Counts by time and bucket: { columns, lowest, rows, counts, sums, totals }. A frame that covers several
// columns is spread over them, so that merged frames leave no stripes: `sums` are those of a column's counts,
// `totals` those of its frames.
export function heat(plan, family) {
  const cells = [];
  const totals = new Float64Array(plan.width);
  const sums = new Float64Array(plan.width);
  const place = (time) => Math.round(((time - plan.from) / (plan.to - plan.from)) * plan.width);
  let [lowest, highest] = [Infinity, -Infinity];
  for (const series of family) {
    plan.each(series, (i, column, row) => {
      const end = Math.min(plan.width, Math.max(1, place(plan.ends[i])));
      // Maybe before the plan: only the share within it is drawn.
      const first = Math.min(end - 1, place(plan.ends[i] - plan.spans[i]));
      for (let pixel = Math.max(0, first); pixel < end; pixel += 1) {
        const cell = (cells[pixel] ??= new Map());
        column.eachBucket(row, (index, count) => {
          const share = count / (end - first);
          cell.set(index, (cell.get(index) ?? 0) + share);
          sums[pixel] += share;
          totals[pixel] += count;
          if (index < lowest && index !== ZERO) lowest = index;
          if (index > highest && index !== ENDLESS) highest = index;
        });
      }
    });
  }
  if (lowest > highest) return { columns: plan.width, lowest: 0, rows: 0, counts: null, sums, totals };
  // Empty rows on both sides, because a heat map of one bucket would be a bar; at most 500 rows.
  [lowest, highest] = [lowest - 2, Math.min(highest + 2, lowest + 498)];
  const rows = highest - lowest + 1;
  const counts = new Float64Array(plan.width * rows);
  cells.forEach((cell, pixel) => {
    for (const [index, count] of cell) {
      const row = Math.min(rows - 1, Math.max(0, index - lowest));
      counts[pixel * rows + row] += count;
    }
  });
  return { columns: plan.width, lowest, rows, counts, sums, totals };
}
