// The views of frames: overview, one series, all series.

import { increase, levels, quantiles, rates, whole, worst } from "./curves.js";
import { attribute, h, say } from "./dom.js";
import { clock, count, exact, format, rate } from "./format.js";
import { isAst, mainTiming, quantilesOf, sectionsOf, tilesOf, timingsOf, windowOf } from "./headlines.js";
import { LineChart, drawSpark, spark, thin } from "./lines.js";
import { HeatMap, Histogram, Spectrum } from "./spread.js";
import { SeriesTable } from "./table.js";
import { happened } from "./told.js";

const QUANTILES = [0.5, 0.95, 0.99, 1];
const NAMES = ["p50", "p95", "p99", "max"];
const SMALL_CHARTS = 8;

function showQuantiles(chart, plan, series) {
  const arrays = quantiles(plan, [series], QUANTILES);
  chart.showLines(plan, arrays.map((values, i) => ({ name: NAMES[i], points: plan.points(values, "max") })));
}

export class Well {
  constructor(app) {
    this.app = app;
    this.tiles = h("div", { class: "tiles" });
    this.main = null;
    this.mainBox = h("div", { class: "card" });
    this.sections = h("div", { class: "sections" });
    this.small = new Map();
    this.smallBox = h("div", { class: "small-charts" });
    this.table = new SeriesTable(app);
    this.worst = new WorstList(app);
    this.empty = h("p", { class: "empty" });
    this.element = h("div", { class: "well" },
      h("h2", { class: "hidden-text" }, "Overview"), this.empty, app.isFile ? happened(app) : null, this.tiles, this.mainBox,
      h("div", { class: "beside" }, h("section", { class: "card" }, h("h3", {}, "series"), this.table.element), this.worst.element),
      this.sections, this.smallBox);
  }

  update() {
    const { app } = this;
    const { store } = app;
    const plan = app.plan();
    const isEmpty = store.series.length === 0;
    this.element.classList.toggle("is-empty", isEmpty);
    say(this.empty, isEmpty ? app.emptyText() : "");
    if (isEmpty) return;
    this.updateTiles(plan);
    this.updateMain(plan);
    this.updateSections(plan);
    this.updateSmall(plan);
    this.table.update();
  }

  updateTiles(plan) {
    const { app } = this;
    const tiles = tilesOf(app.store);
    const names = tiles.map((it) => it.title).join();
    if (names !== this.tileNames) {
      this.tileNames = names;
      this.shownTiles = tiles.map((tile) => new Tile(app, tile));
      this.tiles.replaceChildren(...this.shownTiles.map((it) => it.element));
    }
    const before = app.planBefore();
    tiles.forEach((tile, i) => this.shownTiles[i].show(tile.read(plan, before, app.store, app.isRange)));
  }

  updateMain(plan) {
    const series = mainTiming(this.app.store);
    if (!series) return;
    if (this.main?.key !== series.key) {
      this.main?.chart.free();
      const chart = new LineChart({ title: `${series.name}`, unit: series.unit, isLog: true, class: "tall", select: this.app.select });
      this.main = { key: series.key, chart };
      this.mainBox.replaceChildren(chart.element);
    }
    showQuantiles(this.main.chart, plan, series);
    this.worst.show(plan, series);
  }

  updateSections(plan) {
    if (!isAst(this.app.store)) return;
    const sections = sectionsOf(this.app.store, plan, this.app.isRange);
    const now = this.app.isRange ? "mean" : "now";
    this.sections.replaceChildren(...sections.map(({ title, remark, rows }) =>
      h("section", { class: "card" }, h("h3", {}, title, h("span", { class: "quiet" }, remark)), rows.length === 0 ? null : h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "hidden-text" }, "metric")), h("th", { scope: "col" }, now), h("th", { scope: "col" }, "in range"))),
        h("tbody", {}, rows.map((row) => h("tr", { class: row.isBad ? "is-bad" : null },
          h("th", { scope: "row" }, row.key ? h("a", { href: this.app.linkTo(row.key), tabindex: "-1" }, row.label) : row.label),
          h("td", {}, rate(row.rate)), h("td", { title: exact(row.count) }, count(row.count)))))))));
  }

  updateSmall(plan) {
    const { app } = this;
    const shown = this.main?.key;
    // Charts keep the order in which they first appeared, so that they do not move while somebody looks.
    if (this.small.size < SMALL_CHARTS) {
      for (const series of timingsOf(app.store)) {
        if (series.key === shown || this.small.has(series.key) || this.small.size >= SMALL_CHARTS) continue;
        const chart = new LineChart({ title: series.key, unit: series.unit, isLog: true, select: app.select });
        this.small.set(series.key, { series, chart });
        this.smallBox.append(h("div", { class: "card" }, chart.element));
      }
    }
    for (const { series, chart } of this.small.values()) showQuantiles(chart, plan, series);
  }

  free() {
    this.main?.chart.free();
    for (const { chart } of this.small.values()) chart.free();
    this.table.free();
  }
}

// A headline: the value, its course over the range, its change against the range before.
class Tile {
  constructor(app, { title, key }) {
    this.value = h("span", { class: "value" });
    this.detail = h("span", { class: "detail" });
    this.spark = spark(120, 32);
    const inside = [h("span", { class: "title" }, title), this.value, this.spark, this.detail];
    this.element = key && app.store.byKey.has(key)
      ? h("a", { class: "tile", href: app.linkTo(key), "data-tile": title }, inside)
      : h("div", { class: "tile", "data-tile": title }, inside);
  }

  show({ text, value, detail, values, change, isBad = false, data = {} }) {
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
    this.empty = h("p", { class: "empty" });
    this.element = h("div", { class: "all-series" }, h("h2", { class: "hidden-text" }, "All series"), this.empty, this.table.element);
  }

  update() {
    const isEmpty = this.app.store.series.length === 0;
    this.element.classList.toggle("is-empty", isEmpty);
    say(this.empty, isEmpty ? this.app.emptyText() : "");
    this.table.update();
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
    this.body = h("div", {});
    this.element = h("div", { class: "one" },
      h("p", {}, h("a", { href: "#/series", onclick: (event) => app.back(event) }, "← all series")), this.title, this.facts, this.body);
    this.charts = null;
  }

  update() {
    const { app } = this;
    const series = app.store.byKey.get(this.key);
    if (!series) {
      say(this.facts, app.store.newest ? "There is no series with this key. It may have been unused for too long, or not been recorded yet." : app.emptyText());
      return;
    }
    this.charts ??= this.make(series);
    const plan = app.plan();
    this.updateFacts(series, plan);
    if (series.isTiming) this.updateTiming(series, plan);
    else if (series.kind === "gauge") this.charts.level.showLines(plan, [{ name: "value", points: plan.points(levels(plan, series)) }]);
    this.charts.rate?.showLines(plan, [{ name: "per second", points: plan.points(rates(plan, [series])) }]);
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

  updateTiming(series, plan) {
    const { heat, spectrum, lines, histogram, list } = this.charts;
    heat.showFamily(this.app.plan(heatColumns(heat)), [series], series.unit);
    const distribution = whole(plan, [series]);
    spectrum.showDistribution(distribution);
    histogram.showDistribution(distribution, series.unit);
    showQuantiles(lines, plan, series);
    list.show(plan, series);
  }

  updateFacts(series, plan) {
    const { kind, unit, description, tags } = series;
    const parts = [kind.replace(/_/g, "-"), unit, description];
    if (series.isTiming) {
      const told = (of) => [of.p50, of.p95, of.p99, of.max].map((it, i) => `${NAMES[i]} ${format(it, unit)}`).join(", ");
      parts.push(`${count(increase(plan, [series]))} samples in this range: ${told(quantilesOf(plan, series))} (within 4.5 %)`);
      if (!this.app.isRange) parts.push(`window now: ${told(windowOf(this.app.store, series))} (within 0.05 %)`);
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

