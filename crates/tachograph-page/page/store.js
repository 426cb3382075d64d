// The frames that the page has received, in two depths: single frames for ten minutes, and frames
// merged in groups of ten for two hours. Merging is exact for counts, sums, minima, maxima and buckets.

import { COUNTER, Depth, GAUGE, MARKS, TIMING, seriesOf } from "./depth.js";

const FINE_MS = 600_000;
const COARSE_MS = 7_200_000;
const MERGE = 10;
// The usual length of the sliding window, for recordings that do not tell theirs.
const WINDOW_MS = 60_000;
// The memory for single frames. Beyond it, the oldest are dropped early, and the page says so.
const FINE_BYTES = 96 << 20;
const SWEEP = 64;

const sumOf = (a, b) => a + b;

export class Store {
  // `keepsAll`: of a recording, which is bounded, all frames are kept as they are.
  constructor({ keepsAll = false } = {}) {
    this.keepsAll = keepsAll;
    this.meta = null;
    this.series = [];
    this.byKey = new Map();
    // By name: { plain, tagged }.
    this.byName = new Map();
    this.byNumber = new Map();
    this.clear();
    this.isRestarted = false;
    // Frames that the server skipped because this page did not keep up.
    this.lost = 0;
    this.isCut = false;
  }

  // Forgets all frames.
  clear() {
    this.fine = new Depth();
    this.coarse = new Depth();
    // Frames fetched for a closer look at a range: { from, to, depth }.
    this.zoom = null;
    // The next single frame to merge, and the group that is being merged.
    this.unmerged = 0;
    this.group = null;
  }

  // Adds a line of the stream or of a file. Returns whether it was a new frame.
  apply(line) {
    if (line.meta) this.begin(line.meta);
    else if (line.series) this.define(line.series);
    else if (line.frame) return this.push(line.frame);
    return false;
  }

  begin(meta) {
    const isOther = this.meta && this.meta.started_ms !== meta.started_ms;
    this.meta = meta;
    if (!isOther) return;
    // Another process numbers its series differently.
    this.byNumber.clear();
    this.isRestarted = true;
  }

  define(definition) {
    let series = this.byKey.get(definition.key);
    if (!series || series.kind !== definition.kind) {
      series = seriesOf(definition, this.series.length);
      this.series.push(series);
      this.byKey.set(series.key, series);
      this.join(series);
    }
    this.byNumber.set(definition.number, series);
  }

  join(series) {
    const all = this.byName.get(series.name) ?? { plain: [], tagged: [] };
    this.byName.set(series.name, all);
    const family = series.isTagged ? all.tagged : all.plain;
    // After a restart, a key may have become a series of another kind.
    const before = this.series.length > this.byKey.size ? family.findIndex((it) => it.key === series.key) : -1;
    if (before < 0) family.push(series);
    else family[before] = series;
  }

  get newest() {
    return this.fine.frames[this.fine.frames.length - 1] ?? null;
  }

  push(frame) {
    const isBack = this.newest !== null && frame.end_ms <= this.newest.end;
    // The server repeats frames after a reconnect. A newer snapshot with an earlier time means that its clock
    // was set back: what was before it would lie in the future.
    const isNewer = this.isRestarted || frame.version > this.newest?.version;
    if (isBack && (this.keepsAll || !isNewer)) return false;
    if (isBack) this.clear();
    const { newest } = this;
    let marks = (frame.marks ?? []).reduce((bits, mark) => bits | MARKS[mark], 0);
    if (this.isRestarted) marks |= MARKS.restart;
    this.isRestarted = false;
    // The page received nothing for a while, for example while the computer was suspended.
    const begin = frame.end_ms - frame.span_ms;
    if (newest && !(marks & MARKS.restart) && begin - newest.end > 2.5 * this.step) marks |= MARKS.gap;
    this.add(this.fine, frame, marks);
    if (this.keepsAll) return true;
    this.mergeNext();
    this.forget();
    return true;
  }

  get step() {
    return this.meta?.step_ms ?? 1000;
  }

  add(depth, frame, marks) {
    const { end_ms: end, span_ms: span, version } = frame;
    const slot = depth.open({ end, span, version, marks });
    let bytes = 0;
    for (const [number, change] of frame.counters ?? []) {
      const series = this.byNumber.get(number);
      if (!series) continue;
      depth.column(series).pushCounter(slot, change);
      bytes += 16;
    }
    for (const [number, step] of frame.gauges ?? []) {
      const series = this.byNumber.get(number);
      if (!series) continue;
      depth.column(series).pushGauge(slot, step);
      bytes += 48;
    }
    for (const [number, step] of frame.timings ?? []) {
      const series = this.byNumber.get(number);
      if (!series) continue;
      depth.column(series).pushTiming(slot, step);
      bytes += 104 + 10 * step.buckets.length;
    }
    depth.weigh(bytes);
  }

  // Closes a group after ten frames or at a mark, and merges a tenth of the series with each frame,
  // so that all frames cost about the same.
  mergeNext() {
    const { fine } = this;
    const last = fine.next - 1;
    const isWhole = last - this.unmerged + 1 >= MERGE || fine.frame(last).marks !== 0;
    if (this.group) this.mergePart(isWhole ? this.series.length : Math.ceil(this.series.length / MERGE));
    if (!isWhole) return;
    const frames = fine.frames.slice(this.unmerged - fine.first);
    const slot = this.coarse.open({
      end: frames[frames.length - 1].end,
      span: frames.map((it) => it.span).reduce(sumOf, 0),
      marks: frames.reduce((bits, it) => bits | it.marks, 0),
      version: frames[frames.length - 1].version,
    });
    this.group = { from: this.unmerged, to: fine.next, slot, done: 0 };
    this.unmerged = fine.next;
  }

  mergePart(count) {
    const { from, to, slot, done } = this.group;
    const end = Math.min(this.series.length, done + count);
    for (let id = done; id < end; id += 1) {
      const column = this.fine.columns[id];
      if (column) mergeRows(column, from, to, this.coarse.column(this.series[id]), slot);
    }
    this.group.done = end;
    if (end === this.series.length) this.group = null;
  }

  forget() {
    const { fine, coarse } = this;
    const now = this.newest.end;
    // Frames that are not merged yet are kept.
    const kept = this.group ? this.group.from : this.unmerged;
    while (fine.first < kept && fine.frames.length > 3 * MERGE) {
      const isOld = fine.frames[0].end + FINE_MS < now;
      const isTooMuch = fine.bytes > FINE_BYTES;
      if (!isOld && !isTooMuch) break;
      this.isCut ||= !isOld;
      fine.dropOldest();
    }
    while (coarse.frames.length > 1 && coarse.frames[0].end + COARSE_MS < now) coarse.dropOldest();
    if (fine.next % SWEEP === 0) {
      fine.sweep();
      coarse.sweep();
    }
  }

  // Adds frames that the page requested: finer ones, or some from before it was opened.
  view(lines, from, to) {
    const depth = new Depth();
    for (const line of lines) {
      if (line.series) this.define(line.series);
      if (!line.frame) continue;
      const marks = (line.frame.marks ?? []).reduce((bits, mark) => bits | MARKS[mark], 0);
      this.add(depth, line.frame, marks);
    }
    this.zoom = { from, to, depth };
  }

  // The frames that end in (from, to], oldest first, as stretches of a depth. Each time is covered once.
  stretches(from, to) {
    const { zoom, fine, coarse } = this;
    const parts = [];
    const take = (depth, begin, end) => {
      const [first, next] = [depth.after(begin), depth.after(end)];
      if (next > first) parts.push({ depth, first, next });
      return next > first ? depth.frame(next - 1).end : begin;
    };
    let reached = from;
    // Merged frames for the time before the oldest single frame.
    const border = Math.min(to, fine.begin);
    if (zoom && zoom.from <= from + this.step && zoom.depth.frames.length > 0 && zoom.depth.begin < border) {
      reached = take(zoom.depth, from, Math.min(to, zoom.to));
    }
    if (reached < border && coarse.frames.length > 0) {
      // With the one across the border: it covers single frames that were dropped.
      const last = coarse.frames.findLast((it) => it.end - it.span < border - this.step / 2);
      if (last) reached = take(coarse, reached, Math.min(to, last.end));
    }
    take(fine, reached, to);
    return parts;
  }

  // Whether a frame that a process starts with holds much from before a time.
  holdsBefore(from, { marks, end, span }) {
    return (marks & MARKS.start) !== 0 && span > 2.5 * this.step && end - span < from;
  }

  // The series that stand for a name: the untagged one if there is one, else all of them.
  family(name) {
    const all = this.byName.get(name);
    if (!all) return [];
    return all.plain.length > 0 ? all.plain : all.tagged;
  }

  // The newest row of a timing as { data, at }, whose window is the present one; null if the window has
  // passed without samples.
  last(series) {
    const column = this.fine.columns[series.id];
    if (!column || column.length === 0) return null;
    const { data } = column.rows;
    const at = column.at(column.length - 1);
    return data[at] < this.fine.after(this.newest.end - (this.meta?.window_ms ?? WINDOW_MS)) ? null : { data, at };
  }

  // The beginning of the oldest single frame, and of the oldest frame of any kind.
  oldest() {
    return { fine: this.fine.begin, coarse: Math.min(this.coarse.begin, this.fine.begin) };
  }
}

// One entry for every bucket, so that merging allocates nothing.
const scratch = new Float64Array(65_536);

function mergeRows(column, from, to, target, slot) {
  const { layout } = column;
  const first = column.seek(from);
  if (first >= column.length || column.slot(first) >= to) return;
  let end = first;
  while (end < column.length && column.slot(end) < to) end += 1;
  if (layout === COUNTER) target.pushCounter(slot, mergeCounters(column, first, end));
  else if (layout === GAUGE) target.pushGauge(slot, mergeGauges(column, first, end));
  else target.pushTiming(slot, mergeTimings(column, first, end));
}

function mergeCounters(column, first, end) {
  let change = 0;
  for (let row = first; row < end; row += 1) change += column.rows.data[column.at(row) + COUNTER.change];
  return change;
}

function mergeGauges(column, first, end) {
  const merged = { current: NaN, mean: 0, count: 0, min: Infinity, max: -Infinity };
  let weight = 0;
  for (let row = first; row < end; row += 1) {
    const at = column.at(row);
    const [, current, mean, count, min, max] = column.rows.data.subarray(at, at + GAUGE.width);
    merged.current = current;
    merged.count += count;
    if (mean === mean && count > 0) {
      weight += count;
      merged.mean += (mean - merged.mean) * (count / weight);
    }
    if (min < merged.min) merged.min = min;
    if (max > merged.max) merged.max = max;
  }
  if (weight === 0) merged.mean = NaN;
  if (merged.min > merged.max) merged.min = merged.max = NaN;
  return merged;
}

function mergeTimings(column, first, end) {
  const merged = { count: 0, sum: 0, min: Infinity, max: -Infinity, buckets: [], window: {} };
  const touched = [];
  const add = (index, count) => {
    const place = index + 32_768;
    if (scratch[place] === 0) touched.push(index);
    scratch[place] += count;
  };
  for (let row = first; row < end; row += 1) {
    const at = column.at(row);
    const { data } = column.rows;
    merged.count += data[at + TIMING.count];
    merged.sum += data[at + TIMING.sum];
    merged.min = Math.min(merged.min, data[at + TIMING.min]);
    merged.max = Math.max(merged.max, data[at + TIMING.max]);
    merged.window = {
      p50: data[at + TIMING.p50],
      p95: data[at + TIMING.p95],
      p99: data[at + TIMING.p99],
      max: data[at + TIMING.windowMax],
    };
    const exemplar = column.exemplars.get(data[at]);
    if (exemplar && !(merged.exemplar?.value >= exemplar.value)) merged.exemplar = exemplar;
    column.eachBucket(row, add);
  }
  touched.sort((a, b) => a - b);
  merged.buckets = touched.map((index) => [index, scratch[index + 32_768]]);
  for (const index of touched) scratch[index + 32_768] = 0;
  return merged;
}
