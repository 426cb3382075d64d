// One depth of history: a ring of frames, and for each series a ring of its rows in them.
// A series has a row only for frames in which it changed.

import { middle, rankOf } from "./buckets.js";
import { unitName } from "./format.js";

export const MARKS = { start: 1, reset: 2, restart: 4, gap: 8 };

// The fields of a row for each kind. The first is the slot of the frame.
export const COUNTER = { slot: 0, change: 1, width: 2 };
export const GAUGE = { slot: 0, current: 1, mean: 2, count: 3, min: 4, max: 5, width: 6 };
// The fields p50 to windowMax are of the sliding window, q50 to q99 of the frame's own samples.
export const TIMING = {
  slot: 0, count: 1, sum: 2, min: 3, max: 4, p50: 5, p95: 6, p99: 7, windowMax: 8, pool: 9, q50: 10, q95: 11, q99: 12, width: 13,
};
const QUANTILES = [0.5, 0.95, 0.99];

// A typed array that grows at its end and shrinks at its front.
class Growing {
  constructor(type, length = 16) {
    this.data = new type(length);
    this.head = 0;
    this.tail = 0;
    // The number of dropped entries: positions count from the very first entry.
    this.dropped = 0;
  }

  // Makes room at the end; returns its index in `data`.
  grow(more) {
    if (this.tail + more > this.data.length) {
      const held = this.tail - this.head;
      const room = this.head > held ? this.data.length : Math.max(2 * this.data.length, held + more);
      const data = new this.data.constructor(Math.max(room, held + more));
      data.set(this.data.subarray(this.head, this.tail));
      this.data = data;
      this.head = 0;
      this.tail = held;
    }
    const at = this.tail;
    this.tail += more;
    return at;
  }

  drop(count) {
    this.head += count;
    this.dropped += count;
  }

  get end() {
    return this.dropped + this.tail - this.head;
  }
}

// The rows of one series, in ascending order of their slots.
class Column {
  constructor(kind) {
    this.layout = kind === "gauge" ? GAUGE : kind.endsWith("counter") ? COUNTER : TIMING;
    this.rows = new Growing(Float64Array, this.layout.width * 4);
    if (this.layout === TIMING) {
      this.indices = new Growing(Int16Array);
      this.counts = new Growing(Float64Array);
      this.exemplars = new Map();
    }
  }

  get length() {
    return (this.rows.tail - this.rows.head) / this.layout.width;
  }

  // The number of rows that were dropped.
  get dropped() {
    return this.rows.dropped / this.layout.width;
  }

  // The index in `rows.data` at which a row begins.
  at(row) {
    return this.rows.head + row * this.layout.width;
  }

  slot(row) {
    return this.rows.data[this.at(row)];
  }

  // The first row with this slot or a later one.
  seek(slot) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const half = (low + high) >> 1;
      if (this.slot(half) < slot) low = half + 1;
      else high = half;
    }
    return low;
  }

  // Drops the rows before a slot. Of a gauge one stays: its value at that slot.
  dropTo(slot) {
    const rows = this.seek(slot) - (this.layout === GAUGE ? 1 : 0);
    if (rows <= 0) return;
    this.rows.drop(rows * this.layout.width);
    if (this.layout !== TIMING) return;
    const left = this.length > 0 ? this.rows.data[this.at(0) + TIMING.pool] : this.indices.end;
    const gone = left - this.indices.dropped;
    this.indices.drop(gone);
    this.counts.drop(gone);
    for (const held of this.exemplars.keys()) if (held < slot) this.exemplars.delete(held);
  }

  pushCounter(slot, change) {
    const at = this.rows.grow(COUNTER.width);
    this.rows.data[at] = slot;
    this.rows.data[at + 1] = change;
  }

  pushGauge(slot, step) {
    const at = this.rows.grow(GAUGE.width);
    const { data } = this.rows;
    data[at] = slot;
    data[at + GAUGE.current] = step.current ?? NaN;
    data[at + GAUGE.mean] = step.mean ?? NaN;
    data[at + GAUGE.count] = step.count ?? 0;
    data[at + GAUGE.min] = step.min ?? NaN;
    data[at + GAUGE.max] = step.max ?? NaN;
  }

  // The buckets of a frame are pairs of index and count.
  pushTiming(slot, step) {
    const buckets = step.buckets ?? [];
    const pool = this.indices.end;
    const at = this.rows.grow(TIMING.width);
    const { data } = this.rows;
    const { window } = step;
    data[at] = slot;
    data[at + TIMING.count] = step.count;
    data[at + TIMING.sum] = step.sum;
    data[at + TIMING.min] = step.min;
    data[at + TIMING.max] = step.max;
    data[at + TIMING.p50] = window?.p50 ?? NaN;
    data[at + TIMING.p95] = window?.p95 ?? NaN;
    data[at + TIMING.p99] = window?.p99 ?? NaN;
    data[at + TIMING.windowMax] = window?.max ?? NaN;
    data[at + TIMING.pool] = pool;
    // Computed when they are first drawn.
    data[at + TIMING.q50] = NaN;
    const [index, count] = [this.indices.grow(buckets.length), this.counts.grow(buckets.length)];
    for (let i = 0; i < buckets.length; i += 1) {
      this.indices.data[index + i] = buckets[i][0];
      this.counts.data[count + i] = buckets[i][1];
    }
    if (step.exemplar) this.exemplars.set(slot, step.exemplar);
  }

  // Calls `visit(index, count)` for each bucket of a row.
  eachBucket(row, visit) {
    const place = (of) => this.rows.data[this.at(of) + TIMING.pool];
    const begin = place(row);
    const end = row + 1 < this.length ? place(row + 1) : this.indices.end;
    const index = this.indices.head - this.indices.dropped;
    const count = this.counts.head - this.counts.dropped;
    for (let i = begin; i < end; i += 1) {
      visit(this.indices.data[index + i], this.counts.data[count + i]);
    }
  }

  // Computes the quantiles of a row's own samples, once. The buckets ascend, so that one pass finds all.
  settle(row) {
    const { data } = this.rows;
    const at = this.at(row);
    if (data[at + TIMING.q50] === data[at + TIMING.q50]) return;
    const [count, min, max] = [data[at + TIMING.count], data[at + TIMING.min], data[at + TIMING.max]];
    let [below, k, rank] = [0, 0, rankOf(QUANTILES[0], count)];
    data.fill(max, at + TIMING.q50, at + TIMING.q99 + 1);
    this.eachBucket(row, (index, more) => {
      below += more;
      while (below >= rank) {
        data[at + TIMING.q50 + k] = Math.min(Math.max(middle(index), min), max);
        k += 1;
        rank = k < QUANTILES.length ? rankOf(QUANTILES[k], count) : Infinity;
      }
    });
  }

  // Adds the rows of several slots to a distribution.
  addTo(distribution, from, to) {
    const add = (index, count) => distribution.add(index, count);
    for (let row = this.seek(from); row < this.length && this.slot(row) < to; row += 1) {
      const { data } = this.rows;
      const at = this.at(row);
      distribution.note(data[at + 1], data[at + 2], data[at + 3], data[at + 4]);
      this.eachBucket(row, add);
    }
  }
}

// A start, a reset or a restart: a gauge does not keep its value across it.
export const FORGETS = 7;

// The frames, and the columns of all series.
export class Depth {
  constructor() {
    this.columns = [];
    this.first = 0;
    this.frames = [];
    this.bytes = 0;
    // The slots at which gauges lost their values; of those without a frame only the last.
    this.forgets = [];
  }

  get next() {
    return this.first + this.frames.length;
  }

  frame(slot) {
    return this.frames[slot - this.first];
  }

  get begin() {
    const oldest = this.frames[0];
    return oldest ? oldest.end - oldest.span : Infinity;
  }

  open(frame) {
    this.frames.push({ ...frame, bytes: 64 });
    this.bytes += 64;
    if (frame.marks & FORGETS) this.forgets.push(this.next - 1);
    return this.next - 1;
  }

  column(series) {
    return (this.columns[series.id] ??= new Column(series.kind));
  }

  weigh(bytes) {
    this.frames[this.frames.length - 1].bytes += bytes;
    this.bytes += bytes;
  }

  dropOldest() {
    this.bytes -= this.frames.shift().bytes;
    this.first += 1;
    if (this.forgets[1] < this.first) this.forgets.shift();
  }

  // The value that a gauge had before a slot.
  levelBefore(series, slot) {
    const column = this.columns[series.id];
    const row = column ? column.seek(slot) - 1 : -1;
    if (row < 0 || this.forgets.some((it) => it > column.slot(row) && it < slot)) return NaN;
    return column.rows.data[column.at(row) + GAUGE.current];
  }

  // Frees the memory of series that have not changed for a long time.
  sweep() {
    for (const column of this.columns) column?.dropTo(this.first);
  }

  // The first slot that ends after a time.
  after(ms) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const half = (low + high) >> 1;
      if (this.frames[half].end <= ms) low = half + 1;
      else high = half;
    }
    return this.first + low;
  }
}

// A series from its definition line, with defaults for missing fields.
export function seriesOf(definition, id) {
  return {
    id,
    key: definition.key,
    name: definition.name,
    tags: definition.tags ?? {},
    isTagged: Object.keys(definition.tags ?? {}).length > 0,
    kind: definition.kind,
    isTiming: definition.kind === "timing" || definition.kind === "histogram",
    unit: unitName(definition.unit),
    description: definition.description ?? "",
    // Whether it tells of the metrics themselves, not of the program.
    isOwn: /^(telemetry|metrics)\./.test(definition.name),
  };
}
