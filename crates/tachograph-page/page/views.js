// The views of frames: overview, one series, all series.

import { increase, levels, meanRate, rates, whole, worst } from "./curves.js";
import { attribute, h, say } from "./dom.js";
import { clock, count, exact, format, rate } from "./format.js";
import { NAMES, isAst, mainTiming, quantileLines, quantilesOf, sectionsOf, tilesOf, timingsOf, windowOf } from "./headlines.js";
import { LineChart, drawSpark, spark, thin } from "./lines.js";
import { Sight } from "./sight.js";
import { HeatMap, Histogram, Spectrum } from "./spread.js";
import { SeriesTable } from "./table.js";
import { happened } from "./told.js";

const SMALL_CHARTS = 8;
// A timing gets a chart once two frames have samples of it: a line. That is looked at after so many frames.
const CHOOSE_FRAMES = 15;
// The range before changes slowly: it is read again after so many frames.
const BEFORE_FRAMES = 10;

const showQuantiles = (chart, plan, series) => chart.sight.show(() => chart.showLines(plan, quantileLines(plan, series)));

// What stands in place of a view that has nothing to show.
class Empty {
  constructor(app) {
    this.app = app;
    [this.title, this.detail] = [h("p", { class: "title" }), h("p", { class: "quiet" })];
    this.element = h("div", { class: "empty", hidden: true }, this.title, this.detail);
  }

  // Returns whether the view is empty.
  show(hasContent, view) {
    view.classList.toggle("is-empty", !hasContent);
    this.say(hasContent ? ["", ""] : this.app.emptyText());
    return !hasContent;
  }

  say([title, detail]) {
    this.element.hidden = title === "";
    say(this.title, title);
    say(this.detail, detail);
  }
}

export class Well {
  constructor(app) {
    this.app = app;
    this.tiles = h("div", { class: "tiles" });
    this.shownTiles = [];
    this.main = null;
    this.mainBox = h("div", { class: "card" });
    this.sections = null;
    this.sectionsBox = h("div", {});
    this.small = new Map();
    this.smallBox = h("div", { class: "small-charts" });
    this.table = new SeriesTable(app, { title: "series", isBrief: true });
    this.worst = new WorstList(app);
    this.empty = new Empty(app);
    // How many series there were when tiles and charts were chosen.
    this.chosen = 0;
    this.element = h("div", { class: "well" },
      h("h2", { class: "hidden-text" }, "Overview"), this.empty.element, app.isFile ? happened(app) : null, this.tiles, this.mainBox,
      h("div", { class: "beside" }, h("section", { class: "card" }, this.table.element), this.worst.element),
      this.sectionsBox, this.smallBox);
  }

  update() {
    const { app } = this;
    const { store } = app;
    if (this.empty.show(store.series.some((it) => !it.isOwn), this.element)) return;
    this.choose();
    const plan = app.plan();
    // First: text on a canvas needs the styles, which what follows changes.
    if (this.main) showQuantiles(this.main.chart, plan, this.main.series);
    for (const { series, chart } of this.small.values()) showQuantiles(chart, plan, series);
    for (const tile of this.shownTiles) tile.show(plan, this.before(plan));
    if (this.main) this.worst.show(plan, this.main.series);
    this.sections?.show(plan);
    this.table.update();
  }

  // The plan of the range before.
  before(plan) {
    const { fine } = this.app.store;
    const width = plan.to - plan.from;
    if (this.held?.width !== width || this.app.isRange || fine.next - this.held.next >= BEFORE_FRAMES) {
      this.held = { width, next: fine.next, plan: this.app.planBefore() };
    }
    return this.held.plan;
  }

  // Chooses tiles and charts when there are new series, and again while there is too little to tell which
  // are busy. Charts keep their places, so that none moves while somebody looks.
  choose() {
    const { store } = this.app;
    const isYoung = store.fine.frames.length < 10;
    if (store.fine.next % CHOOSE_FRAMES === 0) this.chooseSmall();
    if (store.series.length === this.chosen && !isYoung) return;
    this.chosen = store.series.length;
    this.chooseMain(mainTiming(store));
    const tiles = tilesOf(store, this.main?.series ?? null);
    const names = tiles.map((it) => [it.title, it.key, store.byKey.has(it.key)]).join();
    // The same tiles may be of more series than before.
    if (names === this.tileNames) this.shownTiles.forEach((tile, i) => (tile.read = tiles[i].read));
    else {
      this.tileNames = names;
      this.shownTiles = tiles.map((tile) => new Tile(this.app, tile));
      this.tiles.replaceChildren(...this.shownTiles.map((it) => it.element));
    }
    if (isAst(store)) {
      this.sections?.free();
      this.sections = new Sections(this.app);
      this.sectionsBox.replaceChildren(this.sections.element);
    }
    this.chooseSmall();
  }

  chooseMain(series) {
    if (!series || this.main?.series === series) return;
    this.main?.chart.free();
    const chart = new LineChart({ title: series.key, unit: series.unit, isLog: true, class: "tall", select: this.app.select });
    this.main = { series, chart };
    this.mainBox.replaceChildren(chart.element);
  }

  chooseSmall() {
    const { app } = this;
    if (this.small.size >= SMALL_CHARTS) return;
    for (const series of timingsOf(app.store)) {
      if (this.small.size >= SMALL_CHARTS) return;
      const isLine = app.store.fine.columns[series.id]?.length > 1;
      if (series === this.main?.series || this.small.has(series.key) || !isLine) continue;
      const chart = new LineChart({ title: series.key, unit: series.unit, isLog: true, select: app.select });
      this.small.set(series.key, { series, chart });
      this.smallBox.append(h("div", { class: "card" }, chart.element));
    }
  }

  free() {
    this.main?.chart.free();
    this.sections?.free();
    for (const { chart } of this.small.values()) chart.free();
    this.table.free();
  }
}

// The counters of an `ast-server` by subject, each with its rate and its count.
class Sections {
  constructor(app) {
    this.app = app;
    this.all = sectionsOf(app.store).map((section) => {
      const cells = section.rows.map(({ label, family }) => this.row(label, family));
      return { ...section, cells, told: h("span", { class: "quiet" }), head: h("th", { scope: "col" }) };
    });
    this.element = h("div", { class: "sections" }, this.all.map(({ title, cells, told, head }) => {
      const heads = h("tr", {}, h("th", { scope: "col" }, h("span", { class: "hidden-text" }, "metric")), head, h("th", { scope: "col" }, "in range"));
      const table = h("table", {}, h("thead", {}, heads), h("tbody", {}, cells.map((it) => it.element)));
      return h("section", { class: "card" }, h("h3", {}, title, told), cells.length > 0 ? table : null);
    }));
    this.sight = new Sight(this.element);
  }

  row(label, family) {
    const [rate, total] = [h("td", {}), h("td", {})];
    const name = family.length > 0 ? h("a", { href: this.app.linkTo(family[0].key), tabindex: "-1" }, label) : label;
    return { element: h("tr", {}, h("th", { scope: "row" }, name), rate, total), rate, total };
  }

  show(plan) {
    this.sight.show(() => {
      const { isRange } = this.app;
      const now = isRange ? plan : plan.last();
      for (const { rows, cells, told, head, remark } of this.all) {
        say(head, isRange ? "mean" : "now");
        const counts = rows.map(({ family, isBad }, i) => {
          const amount = increase(plan, family);
          say(cells[i].rate, rate(meanRate(now, family)));
          say(cells[i].total, count(amount));
          attribute(cells[i].total, "title", exact(amount));
          cells[i].element.classList.toggle("is-bad", isBad && amount > 0);
          return amount;
        });
        say(told, remark(counts, plan));
      }
    });
  }

  free() {
    this.sight.free();
  }
}

// A headline: the value, its course over the range, its change against the range before.
class Tile {
  constructor(app, { title, key, read }) {
    this.app = app;
    this.read = read;
    this.value = h("span", { class: "value" });
    this.detail = h("span", { class: "detail" });
    this.spark = spark(120, 32);
    const inside = [h("span", { class: "title" }, title), this.value, this.spark, this.detail];
    this.element = key && app.store.byKey.has(key)
      ? h("a", { class: "tile", href: app.linkTo(key), "data-tile": title }, inside)
      : h("div", { class: "tile", "data-tile": title }, inside);
  }

  show(plan, before) {
    const { text, value, detail, values, change, isBad = false, data = {} } = this.read(plan, before, this.app.store, this.app.isRange);
    say(this.value, text);
    say(this.detail, [detail, change && `${change} vs. before`].filter(Boolean).join(" · ") || " ");
    attribute(this.value, "title", exact(value));
    this.element.dataset.value = String(value);
    for (const [name, it] of Object.entries(data)) this.element.dataset[name] = String(it);
    this.element.classList.toggle("is-bad", isBad);
    drawSpark(this.spark, thin(values), { isBad });
  }
}

// The worst samples, longest first; each is a link to its time.
class WorstList {
  constructor(app) {
    this.app = app;
    this.list = h("ol", { class: "worst" });
    this.element = h("section", { class: "card" }, h("h3", {}, "worst samples", h("span", { class: "quiet" }, "longest first")), this.list);
  }

  show(plan, series) {
    const found = worst(plan, series, 12);
    const text = JSON.stringify(found.map((it) => [it.value, it.end]));
    if (text === this.shown || this.list.contains(document.activeElement)) return;
    this.shown = text;
    if (found.length === 0) this.list.replaceChildren(h("li", { class: "quiet" }, "nothing recorded in this range"));
    else this.list.replaceChildren(...found.map((it) => this.item(it, series)));
  }

  item({ value, end, span, exemplar }, series) {
    const jump = () => this.app.select(end - span - 15_000, end + 15_000, series.key);
    const trace = exemplar ? traceText(exemplar) : null;
    return h("li", {}, h("button", { type: "button", class: "link", onclick: jump, title: `show ${clock(end)} ± 15 s` },
      h("span", { class: "number", title: exact(value, series.unit) }, format(value, series.unit)),
      h("span", { class: "quiet" }, clock(end))),
    trace ? h("code", { class: "trace", title: `sample of ${format(exemplar.value, series.unit)}` }, trace) : null);
  }
}

// The id of a trace, or else all of it as JSON.
function traceText({ trace }) {
  if (typeof trace !== "object" || trace === null) return String(trace);
  return String(trace.trace_id ?? trace.id ?? JSON.stringify(trace));
}

export class AllSeries {
  constructor(app) {
    this.app = app;
    this.table = new SeriesTable(app);
    this.empty = new Empty(app);
    this.element = h("div", { class: "all-series" }, h("h2", { class: "hidden-text" }, "All series"), this.empty.element, this.table.element);
  }

  update() {
    if (!this.empty.show(this.app.store.series.length > 0, this.element)) this.table.update();
  }

  free() {
    this.table.free();
  }
}

export class OneSeries {
  constructor(app, key) {
    this.app = app;
    this.key = key;
    this.title = h("h2", {}, key);
    this.facts = h("p", { class: "facts" });
    this.empty = new Empty(app);
    this.body = h("div", {});
    this.element = h("div", { class: "one" },
      h("p", {}, h("a", { href: "#/series", onclick: (event) => app.back(event) }, "← all series")), this.title, this.facts, this.empty.element, this.body);
    this.charts = null;
  }

  update() {
    const { app } = this;
    const series = app.store.byKey.get(this.key);
    if (!series) {
      const known = ["There is no series with this key", "It was not used for too long, or has not been recorded yet."];
      this.empty.say(app.store.newest ? known : app.emptyText());
      return;
    }
    this.empty.say(["", ""]);
    this.charts ??= this.make(series);
    const plan = app.plan();
    const { level, rate } = this.charts;
    const distribution = series.isTiming ? whole(plan, [series]) : null;
    this.updateFacts(series, plan, distribution);
    if (distribution) this.updateTiming(series, plan, distribution);
    level?.sight.show(() => level.showLines(plan, [{ name: "value", points: plan.points(levels(plan, series)) }]));
    rate?.sight.show(() => rate.showLines(plan, [{ name: "per second", points: plan.points(rates(plan, [series])) }]));
  }

  make(series) {
    const { select } = this.app;
    const { unit } = series;
    const card = (...children) => h("div", { class: "card" }, children);
    if (series.isTiming) {
      const charts = {
        heat: new HeatMap({ title: "distribution over time", unit, select }),
        spectrum: new Spectrum({ title: "percentiles of the range", unit }),
        lines: new LineChart({ title: "quantiles over time", unit, isLog: true, class: "tall", select }),
        histogram: new Histogram({ title: "histogram of the range", unit }),
        rate: new LineChart({ title: "samples", unit: "", isRate: true, select }),
      };
      const list = new WorstList(this.app);
      this.body.append(
        h("div", { class: "beside" }, card(charts.heat.element), card(charts.spectrum.element)),
        h("div", { class: "beside" }, card(charts.lines.element), list.element),
        h("div", { class: "halves" }, card(charts.histogram.element), card(charts.rate.element)));
      return { ...charts, list };
    }
    const isGauge = series.kind === "gauge";
    const name = isGauge ? "level" : "rate";
    const chart = new LineChart({ title: isGauge ? "value" : "rate", unit, isRate: !isGauge, class: "tall", select });
    this.body.append(card(chart.element));
    return { [name]: chart };
  }

  updateTiming(series, plan, distribution) {
    const { heat, spectrum, lines, histogram, list } = this.charts;
    heat.sight.show(() => heat.showFamily(this.app.plan(heatColumns(heat)), [series], series.unit));
    spectrum.sight.show(() => spectrum.showDistribution(distribution));
    histogram.sight.show(() => histogram.showDistribution(distribution, series.unit));
    showQuantiles(lines, plan, series);
    list.show(plan, series);
  }

  updateFacts(series, plan, distribution) {
    const { kind, unit, description, tags } = series;
    const parts = [kind.replace(/_/g, "-"), unit, description];
    if (distribution) {
      const told = (of) => [of.p50, of.p95, of.p99, of.max].map((it, i) => `${NAMES[i]} ${format(it, unit)}`).join(", ");
      parts.push(`${count(distribution.count)} samples in this range: ${told(quantilesOf(distribution))} (within 4.5 %)`);
      const now = windowOf(this.app.store, series);
      if (!this.app.isRange) parts.push(Number.isNaN(now.p50) ? "window now: no samples" : `window now: ${told(now)} (within 0.05 %)`);
    } else if (kind !== "gauge") {
      parts.push(`${count(increase(plan, [series]))} in this range`);
    }
    const text = parts.filter(Boolean).join(" · ");
    if (text === this.factsText) return;
    this.factsText = text;
    this.facts.replaceChildren(text, ...Object.entries(tags).map(([name, value]) => h("span", { class: "tag" }, `${name}=${value}`)));
  }

  free() {
    for (const chart of Object.values(this.charts ?? {})) chart.free?.();
  }
}

// At most 500 columns, none narrower than two pixels.
function heatColumns(chart) {
  return Math.max(30, Math.min(500, Math.floor(((chart.size.width || 600) - 72) / 2)));
}

