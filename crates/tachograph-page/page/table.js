// The table of all series. Only the visible rows are elements, so that thousands of rows scroll smoothly.

import { attribute, h, say } from "./dom.js";
import { COUNTER, GAUGE, TIMING } from "./depth.js";
import { change, exact, format, grouped, level, rate } from "./format.js";
import { drawSpark, spark, thin } from "./lines.js";
import { Sight } from "./sight.js";

const ROW = 28;
const SPARE = 1;
const TREND_MS = 60_000;
const TREND_POINTS = 100;

const COLUMNS = [
  { name: "name", title: "series" },
  { name: "rate", title: "rate", hint: "samples or counts per second, over the last ten seconds; of a recording, over all of it" },
  { name: "p50", title: "p50", hint: "the median of the sliding window; of a recording, of all of it" },
  { name: "p99", title: "p99", hint: "the 99th percentile, likewise" },
  { name: "last", title: "value", hint: "a gauge's current value" },
  { name: "change", title: "change", hint: "change of the rate against the minute before; sorted by how unlikely it is to be chance" },
];

export class SeriesTable {
  // `app` has `store`, `rows` and `state`; `open(key)` shows one series, `change(parts)` changes the state.
  // With `isBrief`, series of the metrics themselves are left out.
  constructor(app, { title = null, isBrief = false } = {}) {
    this.app = app;
    this.isBrief = isBrief;
    this.unfolded = new Set();
    this.list = [];
    this.selected = 0;
    this.top = 0;
    this.height = 400;
    this.pool = [];
    this.search = h("input", {
      type: "search", class: "search", placeholder: "search  /", "aria-label": "search series",
      value: app.state.search, oninput: () => app.change({ search: this.search.value }, true),
      onkeydown: (event) => this.searchKey(event),
    });
    this.count = h("span", { class: "quiet count" });
    this.heads = new Map(COLUMNS.map((it) => [it.name, this.header(it)]));
    const head = h("div", { role: "row", "aria-rowindex": "1", class: "row head" }, ...this.heads.values(), h("span", { role: "columnheader", class: "cell trend" }, app.isFile ? "all of it" : "last minute"));
    this.space = h("div", { class: "space", role: "rowgroup" });
    this.grid = h("div", {
      role: "grid", class: "grid", tabindex: "0", "aria-label": "all series",
      onkeydown: (event) => this.key(event),
      onscroll: () => this.scroll(),
    }, h("div", { role: "rowgroup", class: "heads" }, head), this.space);
    this.element = h("div", { class: "series-table" }, h("div", { class: "bar" }, title ? h("h3", {}, title) : null, this.search, this.count), this.grid);
    this.sight = new Sight(this.element);
    this.observer = new ResizeObserver(([entry]) => {
      this.height = entry.contentRect.height;
      this.paint();
    });
    this.observer.observe(this.grid);
  }

  header({ name, title, hint }) {
    const button = h("button", { type: "button", title: hint, onclick: () => this.sortBy(name) }, title);
    return h("span", { role: "columnheader", class: `cell ${name}` }, button);
  }

  sortBy(name) {
    const { sort, isUp } = this.app.state;
    this.app.change({ sort: name, isUp: sort === name ? !isUp : false }, true);
  }

  searchKey(event) {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.grid.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (this.search.value) this.app.change({ search: (this.search.value = "") }, true);
      else this.search.blur();
    }
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.height / ROW) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const row = this.list[this.selected];
    if (event.key in moves) this.move(this.selected + moves[event.key]);
    else if (event.key === "Enter" && row) this.open(row);
    else if (event.key === "ArrowRight" && row?.isGroup) this.fold(row, false);
    else if (event.key === "ArrowLeft" && row) this.fold(row, true);
    else return;
    event.preventDefault();
  }

  move(to) {
    this.selected = Math.min(this.list.length - 1, Math.max(0, to));
    const at = this.selected * ROW;
    const seen = this.height - 2 * ROW;
    if (at < this.top) this.grid.scrollTop = at;
    else if (at > this.top + seen) this.grid.scrollTop = at - seen;
    this.paint();
  }

  fold(row, isFolded) {
    if (isFolded) this.unfolded.delete(row.isGroup ? row.name : row.series.name);
    else this.unfolded.add(row.name);
    this.update();
  }

  open(row) {
    if (row.series) this.app.open(row.series.key);
    else this.fold(row, this.unfolded.has(row.name));
  }

  scroll() {
    this.top = this.grid.scrollTop;
    this.paint();
  }

  // Shows the numbers of the newest frame.
  update() {
    this.sight.show(() => this.show());
  }

  show() {
    const { state, rows } = this.app;
    rows.refresh();
    if (document.activeElement !== this.search && this.search.value !== state.search) this.search.value = state.search;
    this.list = rows.list({ ...state, unfolded: this.unfolded, isBrief: this.isBrief });
    this.selected = Math.min(this.selected, Math.max(0, this.list.length - 1));
    say(this.count, this.countText());
    attribute(this.grid, "aria-rowcount", String(this.list.length + 1));
    const isAscending = state.isUp !== (state.sort === "name");
    for (const [name, cell] of this.heads) {
      attribute(cell, "aria-sort", name !== state.sort ? "none" : isAscending ? "ascending" : "descending");
    }
    this.paint();
  }

  countText() {
    const { store, state } = this.app;
    const rows = `${grouped(this.list.length)} ${this.list.length === 1 ? "row" : "rows"}`;
    const own = this.isBrief && state.search === "" ? store.series.filter((it) => it.isOwn).length : 0;
    return own > 0 ? `${rows}, without ${own} of the metrics themselves` : `${rows}, ${grouped(store.series.length)} series`;
  }

  paint() {
    const height = `${this.list.length * ROW}px`;
    if (this.space.style.height !== height) this.space.style.height = height;
    const first = Math.max(0, Math.floor(this.top / ROW) - SPARE);
    const end = Math.min(this.list.length, Math.ceil((this.top + this.height) / ROW) + SPARE);
    while (this.pool.length < end - first) this.pool.push(this.makeRow());
    this.pool.forEach((row, i) => {
      const at = first + i;
      if (at < end) this.fill(row, at);
      else if (row.element.isConnected) row.element.remove();
    });
    const active = this.list.length > 0 ? `row-${this.selected}` : "";
    attribute(this.grid, "aria-activedescendant", active);
  }

  makeRow() {
    const cells = COLUMNS.map(({ name }) => h("span", { role: "gridcell", class: `cell ${name}` }));
    const fold = h("button", { type: "button", class: "fold", tabindex: "-1" });
    const text = h("span", { class: "key-text" });
    cells[0].append(text, fold);
    const trend = spark(96, 20);
    const element = h("div", { role: "row", class: "row" }, cells, h("span", { role: "gridcell", class: "cell trend" }, trend));
    const row = { element, cells, fold, text, trend, shown: null };
    element.addEventListener("click", () => this.open(this.list[row.at]));
    fold.addEventListener("click", (event) => {
      event.stopPropagation();
      const shown = this.list[row.at];
      this.fold(shown, this.unfolded.has(shown.name));
    });
    return row;
  }

  fill(row, at) {
    const { series, model, name, depth, isGroup, children, stats } = this.list[at];
    row.at = at;
    const { element, cells } = row;
    if (!element.isConnected) this.space.append(element);
    attribute(element, "id", `row-${at}`);
    attribute(element, "aria-rowindex", String(at + 2));
    const top = `translateY(${at * ROW}px)`;
    if (element.style.transform !== top) element.style.transform = top;
    element.classList.toggle("selected", at === this.selected);
    element.classList.toggle("child", depth > 0);
    row.fold.hidden = !isGroup;
    if (isGroup) {
      const isOpen = this.unfolded.has(name) || this.app.state.search !== "";
      say(row.fold, `${isOpen ? "▾" : "▸"} ${children.length}`);
      attribute(row.fold, "aria-label", `${isOpen ? "fold" : "unfold"} ${children.length} series of ${name}`);
    }
    say(row.text, depth > 0 ? tagsText(series) : name);
    attribute(row.text, "title", name);
    const { unit, kind } = model;
    const texts = [
      rate(stats.rate, kind.endsWith("counter") ? unit : ""),
      format(stats.p50, unit),
      format(stats.p99, unit),
      level(stats.last, unit),
      kind === "gauge" ? "" : change(stats.rate, stats.before),
    ];
    texts.forEach((text, i) => say(cells[i + 1], text === "–" && i > 0 ? "" : text));
    attribute(cells[3], "title", Number.isFinite(stats.p99) ? exact(stats.p99, unit) : "");
    drawSpark(row.trend, series ? thin(trendOf(this.app.store, series, this.app.isFile), TREND_POINTS) : []);
  }

  free() {
    this.sight.free();
    this.observer.disconnect();
  }
}

function tagsText(series) {
  return Object.entries(series.tags).map(([key, value]) => `${key}=${value}`).join("  ");
}

// The last minute, or a whole recording: rates of counters, p99 of timings, values of gauges.
function trendOf(store, series, isWhole) {
  const { fine } = store;
  const start = isWhole || !store.newest ? fine.first : fine.after(store.newest.end - TREND_MS);
  const values = new Array(fine.next - start).fill(NaN);
  const column = fine.columns[series.id];
  if (series.kind.endsWith("counter")) {
    for (let i = 0; i < values.length; i += 1) values[i] = fine.frame(start + i).marks === 0 ? 0 : NaN;
  }
  if (!column) return values;
  const { data } = column.rows;
  for (let row = column.seek(start); row < column.length; row += 1) {
    const at = column.at(row);
    const i = data[at] - start;
    const frame = fine.frame(data[at]);
    if (series.isTiming) values[i] = isWhole ? data[at + TIMING.max] : data[at + TIMING.p99];
    else if (series.kind === "gauge") values[i] = data[at + GAUGE.current];
    else if (frame.marks === 0) values[i] = (data[at + COUNTER.change] * 1000) / frame.span;
  }
  if (series.kind !== "gauge") return values;
  if (values[0] !== values[0]) values[0] = fine.levelBefore(series, start);
  for (let i = 1; i < values.length; i += 1) if (values[i] !== values[i]) values[i] = values[i - 1];
  return values;
}
