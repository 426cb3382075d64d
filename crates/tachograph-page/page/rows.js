// The rows of the table of all series: numbers, search, order, groups. Uses no DOM, so that Node can test it.

import { Distribution } from "./buckets.js";
import { COUNTER, GAUGE, TIMING } from "./depth.js";

// The time for a rate in the table, and the time before it to compare it with.
const RATE_MS = 10_000;
const BEFORE_MS = 60_000;

// The numbers of every series, kept between frames: { rate, before, p50, p99, last }.
export class Rows {
  // `isWhole`: of a recording, the numbers are those of all of it.
  constructor(store, { isWhole = false } = {}) {
    this.store = store;
    this.isWhole = isWhole;
    this.stats = [];
    this.done = -1;
  }

  refresh() {
    const { store } = this;
    const { fine } = store;
    const { next } = fine;
    if (this.done === next && this.stats.length === store.series.length) return;
    this.done = next;
    const end = store.newest?.end ?? 0;
    const border = this.isWhole ? fine.first : fine.after(end - RATE_MS);
    const start = Math.min(border, fine.after(end - RATE_MS - BEFORE_MS));
    const [now, before] = [this.seconds(border, next), this.seconds(start, border)];
    for (const series of store.series) {
      const stats = (this.stats[series.id] ??= { rate: NaN, before: NaN, p50: NaN, p99: NaN, max: NaN, last: NaN });
      const column = fine.columns[series.id];
      if (!column) {
        // No row within the stored time.
        [stats.rate, stats.before] = [now > 0 ? 0 : NaN, before > 0 ? 0 : NaN];
        continue;
      }
      this.read(series, column, stats, { border, start, now, before });
    }
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

  read(series, column, stats, { border, start, now, before }) {
    const { fine } = this.store;
    const { data } = column.rows;
    const field = series.isTiming ? TIMING.count : series.kind === "gauge" ? GAUGE.count : COUNTER.change;
    let [recent, earlier] = [0, 0];
    for (let row = column.length - 1; row >= 0; row -= 1) {
      const at = column.at(row);
      const slot = data[at];
      if (slot < start) break;
      if (fine.frame(slot).marks !== 0) continue;
      if (slot >= border) recent += data[at + field];
      else earlier += data[at + field];
    }
    stats.rate = now > 0 ? recent / now : NaN;
    stats.before = before > 0 ? earlier / before : NaN;
    const at = column.length > 0 ? column.at(column.length - 1) : -1;
    if (at < 0) return;
    if (series.isTiming && this.isWhole) {
      const all = new Distribution();
      column.addTo(all, border, Infinity);
      [stats.p50, stats.p99, stats.max] = [all.quantile(0.5), all.quantile(0.99), all.max];
    } else if (series.isTiming) {
      stats.p50 = data[at + TIMING.p50];
      stats.p99 = data[at + TIMING.p99];
      stats.max = data[at + TIMING.windowMax];
    } else if (series.kind === "gauge") {
      stats.last = data[at + GAUGE.current];
    }
  }

  // The rows to show: { series, name, depth, isGroup, children, stats }. Series of one name form a group,
  // which is folded unless its name is in `unfolded` or there is a search.
  list({ search, sort, isUp, unfolded }) {
    const wanted = matcher(search);
    const groups = new Map();
    for (const series of this.store.series) {
      if (!wanted(series.key)) continue;
      const group = groups.get(series.name) ?? { name: series.name, head: null, children: [] };
      groups.set(series.name, group);
      if (series.isTagged) group.children.push(series);
      else group.head = series;
    }
    const value = (stats) => measure(stats, sort);
    const sign = isUp ? 1 : -1;
    const order = (a, b) => compare(a, b, sort, sign, value);
    const heads = [...groups.values()].map((group) => this.head(group, sort));
    heads.sort(order);
    const rows = [];
    for (const head of heads) {
      rows.push(head);
      if (!head.isGroup || !(search || unfolded.has(head.name))) continue;
      const children = head.children.map((series) => this.row(series, 1));
      rows.push(...children.sort(order));
    }
    return rows;
  }

  row(series, depth) {
    return { series, name: series.key, depth, isGroup: false, children: [], stats: this.stats[series.id] };
  }

  // A group shows its untagged series. Without one, it shows the sum of rates and the worst of the other numbers.
  head(group) {
    const { head, children, name } = group;
    if (!head && children.length === 1) return this.row(children[0], 0);
    if (children.length === 0) return this.row(head, 0);
    const row = { series: head, name, depth: 0, isGroup: true, children };
    if (head) return { ...row, stats: this.stats[head.id] };
    const all = children.map((it) => this.stats[it.id]);
    const sum = (field) => all.reduce((total, it) => total + (it[field] || 0), 0);
    const most = (field) => Math.max(...all.map((it) => (it[field] === it[field] ? it[field] : -Infinity)));
    const or = (value) => (Number.isFinite(value) ? value : NaN);
    return {
      ...row,
      stats: { rate: sum("rate"), before: sum("before"), p50: NaN, p99: or(most("p99")), max: or(most("max")), last: NaN },
    };
  }
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
function compare(a, b, sort, sign, value) {
  if (sort !== "name") {
    const [x, y] = [value(a.stats), value(b.stats)];
    const [isX, isY] = [x === x, y === y];
    if (isX !== isY) return isX ? -1 : 1;
    if (isX && x !== y) return sign * (x - y);
    return a.name < b.name ? -1 : 1;
  }
  return (a.name < b.name ? -1 : 1) * -sign;
}

// Every word of the search must be in the key, in any order and in upper or lower case.
export function matcher(search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (key) => {
    const text = key.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}
