// The rows of the table of all series: numbers, search, order, groups. Uses no DOM, so that Node can test it.

import { Distribution } from "./buckets.js";
import { COUNTER, GAUGE, TIMING } from "./depth.js";

// The time for a rate in the table, and the time before it to compare it with.
const RATE_MS = 10_000;
const BEFORE_MS = 60_000;

const unknown = () => ({ rate: NaN, before: NaN, p50: NaN, p99: NaN, max: NaN, last: NaN, recent: new Sum(), earlier: new Sum() });

// The sum of a field over the rows from one slot to another. Both only grow, so that a new frame costs a
// step or two, however many rows there are.
class Sum {
  constructor() {
    this.value = 0;
    // The added rows, counted from the column's very first one.
    [this.first, this.end] = [-1, -1];
  }

  slide(column, field, fine, from, to) {
    const { data } = column.rows;
    const { dropped } = column;
    if (this.first < dropped || column.slot(this.first - dropped) < fine.first) {
      // Rows have gone that cannot be taken off any more.
      this.value = 0;
      this.first = this.end = dropped + column.seek(from);
    }
    const end = dropped + column.length;
    for (; this.end < end; this.end += 1) {
      const at = column.at(this.end - dropped);
      if (data[at] >= to) break;
      if (fine.frame(data[at])?.marks === 0) this.value += data[at + field];
    }
    for (; this.first < this.end; this.first += 1) {
      const at = column.at(this.first - dropped);
      if (data[at] >= from) break;
      if (fine.frame(data[at])?.marks === 0) this.value -= data[at + field];
    }
    return this.value;
  }
}

// The numbers of every series, kept between frames: { rate, before, p50, p99, last }.
export class Rows {
  // `isWhole`: of a recording, the numbers are those of all of it.
  constructor(store, { isWhole = false } = {}) {
    this.store = store;
    this.isWhole = isWhole;
    this.stats = [];
    // The frame whose numbers these are.
    this.done = null;
    // The groups of the last search, in the last order.
    this.groups = { name: null, heads: [] };
  }

  refresh() {
    const { store } = this;
    const { fine } = store;
    const { next } = fine;
    if (this.done === store.newest && this.stats.length === store.series.length) return;
    this.done = store.newest;
    if (this.fine !== fine) {
      // Everything was forgotten.
      [this.fine, this.stats, this.groups] = [fine, [], { name: null, heads: [] }];
    }
    const end = store.newest?.end ?? 0;
    const border = this.isWhole ? this.begin() : fine.after(end - RATE_MS);
    const start = Math.min(border, fine.after(end - RATE_MS - BEFORE_MS));
    const [now, before] = [this.seconds(border, next), this.seconds(start, border)];
    for (const series of store.series) {
      const stats = (this.stats[series.id] ??= unknown());
      const column = fine.columns[series.id];
      if (!column) {
        // No row within the stored time.
        [stats.rate, stats.before] = [now > 0 ? 0 : NaN, before > 0 ? 0 : NaN];
        continue;
      }
      this.read(series, column, stats, { border, start, next, now, before });
    }
  }

  // The first frame that holds nothing from before the recording.
  begin() {
    const { fine } = this.store;
    const first = fine.frames[0];
    return fine.first + (first && this.store.holdsBefore(first.end, first) ? 1 : 0);
  }

  // The seconds that the frames without marks cover in a stretch.
  seconds(first, next) {
    let ms = 0;
    for (let slot = first; slot < next; slot += 1) {
      const frame = this.store.fine.frame(slot);
      if (frame.marks === 0) ms += frame.span;
    }
    return ms / 1000;
  }

  read(series, column, stats, { border, start, next, now, before }) {
    const { data } = column.rows;
    const field = series.isTiming ? TIMING.count : series.kind === "gauge" ? GAUGE.count : COUNTER.change;
    const { fine } = this.store;
    const [recent, earlier] = [stats.recent.slide(column, field, fine, border, next), stats.earlier.slide(column, field, fine, start, border)];
    stats.rate = now > 0 ? recent / now : NaN;
    stats.before = before > 0 ? earlier / before : NaN;
    const at = column.length > 0 ? column.at(column.length - 1) : -1;
    if (at < 0) return;
    if (series.isTiming && this.isWhole) {
      const all = new Distribution();
      column.addTo(all, border, Infinity);
      [stats.p50, stats.p99, stats.max] = [all.quantile(0.5), all.quantile(0.99), all.max];
    } else if (series.isTiming) {
      const last = this.store.last(series);
      stats.p50 = last ? data[at + TIMING.p50] : NaN;
      stats.p99 = last ? data[at + TIMING.p99] : NaN;
      stats.max = last ? data[at + TIMING.windowMax] : NaN;
    } else if (series.kind === "gauge") {
      stats.last = data[at + GAUGE.current];
    }
  }

  // The rows to show: { series, model, name, depth, isGroup, children, stats }, where `model` has the kind
  // and the unit. Series of one name form a group, which is folded unless its name is in `unfolded` or
  // there is a search.
  // With `isBrief`, only a search finds series of the metrics themselves.
  list({ search, sort, isUp, unfolded, isBrief = false }) {
    const order = orderOf(sort, isUp);
    const heads = this.headsOf(search, isBrief && search === "");
    for (const head of heads) if (head.isGroup && !head.series) this.add(head);
    // They are nearly in order from the frame before, which makes this fast.
    heads.sort(order);
    const rows = [];
    for (const head of heads) {
      rows.push(head);
      if (!head.isGroup || !(search || unfolded.has(head.name))) continue;
      for (const row of head.children.sort(order)) rows.push(row);
    }
    return rows;
  }

  // The groups with a series that a search finds; made anew only if there are other series.
  headsOf(search, isWithoutOwn) {
    const name = [this.store.series.length, isWithoutOwn, search].join();
    if (this.groups.name === name) return this.groups.heads;
    const wanted = matcher(search);
    const groups = new Map();
    for (const series of this.store.series) {
      if (!wanted(series.key) || (isWithoutOwn && series.isOwn)) continue;
      const group = groups.get(series.name) ?? { plain: null, tagged: [] };
      groups.set(series.name, group);
      if (series.isTagged) group.tagged.push(series);
      else group.plain = series;
    }
    this.groups = { name, heads: [...groups].map(([name, group]) => this.head(name, group)) };
    return this.groups.heads;
  }

  row(series, depth) {
    return { series, model: series, name: series.key, depth, isGroup: false, children: [], stats: this.stats[series.id] };
  }

  // A group has the numbers of its untagged series, or those that `add` adds up.
  head(name, { plain, tagged }) {
    if (!plain && tagged.length === 1) return this.row(tagged[0], 0);
    if (tagged.length === 0) return this.row(plain, 0);
    const children = tagged.map((series) => this.row(series, 1));
    const stats = plain ? this.stats[plain.id] : unknown();
    return { series: plain, model: plain ?? tagged[0], name, depth: 0, isGroup: true, children, stats };
  }

  // The sum of rates, and the worst of the other numbers.
  add({ children, stats }) {
    let [rate, before, p99, max] = [NaN, NaN, -Infinity, -Infinity];
    for (const { stats: it } of children) {
      rate = plus(rate, it.rate);
      before = plus(before, it.before);
      if (it.p99 > p99) p99 = it.p99;
      if (it.max > max) max = it.max;
    }
    const known = (value) => (value === -Infinity ? NaN : value);
    Object.assign(stats, { rate, before, p99: known(p99), max: known(max) });
  }
}

// The sum of what is known.
function plus(sum, value) {
  if (value !== value) return sum;
  return sum !== sum ? value : sum + value;
}

function measure(stats, sort) {
  if (sort === "change") {
    // In standard deviations of a random count, so that a jump at 4,000 /s ranks before a single sample.
    const { rate, before } = stats;
    return rate + before > 0 ? Math.abs(rate - before) / Math.sqrt(rate + before) : NaN;
  }
  return stats[sort] ?? NaN;
}

// Rows without a value come last in both directions; equal rows are sorted by name.
function orderOf(sort, isUp) {
  const sign = isUp ? 1 : -1;
  // Names ascend first: nobody looks for the last one.
  if (sort === "name") return (a, b) => (a.name < b.name ? sign : -sign);
  return (a, b) => {
    const [x, y] = [measure(a.stats, sort), measure(b.stats, sort)];
    const [isX, isY] = [x === x, y === y];
    if (isX !== isY) return isX ? -1 : 1;
    if (isX && x !== y) return sign * (x - y);
    return a.name < b.name ? -1 : 1;
  };
}

// Every word of the search must be in the key, in any order and in upper or lower case.
export function matcher(search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (key) => {
    const text = key.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}
