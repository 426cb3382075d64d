// The views of a comparison: all measures of two runs, and the charts of one series in both.

import { levels, Plan, rates, whole } from "./curves.js";
import { h, say } from "./dom.js";
import { count, duration, exact, factor, format, rate, SAME, unitName } from "./format.js";
import { quantileLines } from "./headlines.js";
import { LineChart, reachOf } from "./lines.js";
import { matcher } from "./rows.js";
import { Spectrum } from "./spread.js";

const ROWS = 200;
const PIXELS = 480;
const NAMES = { rate: "per second", p50: "p50", p95: "p95", p99: "p99", level: "level" };

const valueOf = (change, side) => (change.measure === "rate" ? rate(side.value ?? NaN) : format(side.value ?? NaN, unitName(change.unit)));

// The range that the counts leave possible, for hover texts.
function possible(change, side) {
  const text = (value, none) => (value === null ? none : format(value, unitName(change.unit)));
  const value = exact(side.value ?? NaN, unitName(change.unit));
  const isBounded = side.low !== null || side.high !== null;
  return isBounded ? `${value}; between ${text(side.low, "no lower bound")} and ${text(side.high, "no upper bound")}` : value;
}

function sureText({ low, high, is_sure: isSure }) {
  if (!isSure) return "–";
  const bound = [low, high].find((it, i) => it !== null && (i === 0 ? it > 1 : it < 1));
  const text = bound === undefined ? SAME : factor(bound);
  return text === SAME ? "yes" : `at least ${text}`;
}

// A run in words.
function runText({ file, meta, begin_ms: begin, end_ms: end }) {
  return `${file}: ${meta.program} ${meta.version}, ${duration((end - begin) / 1000)} from ${new Date(begin).toLocaleString()}`;
}

export class Compare {
  constructor(app) {
    this.app = app;
    this.rows = ROWS;
    const { run, before, comparison } = app.report;
    const sure = comparison.changes.filter((it) => it.is_sure).length;
    this.search = h("input", {
      type: "search", class: "search", placeholder: "search  /", "aria-label": "search series", value: app.state.search,
      oninput: () => app.change({ search: this.search.value }, true),
    });
    this.count = h("span", { class: "quiet count" });
    this.body = h("tbody", {});
    this.more = h("button", { type: "button", onclick: () => this.showMore() }, "show more");
    const head = ["series", "measure", "before", "after", "change", "for sure", "counts"];
    this.element = h("div", { class: "compare" },
      h("h2", {}, "Two runs"),
      h("section", { class: "card" },
        h("dl", { class: "facts-list" }, h("dt", {}, "before"), h("dd", {}, runText(before)), h("dt", {}, "after"), h("dd", {}, runText(run))),
        h("details", {}, h("summary", {}, `${sure} of ${comparison.changes.length} changes are sure; the largest first. How sure?`), h("p", { class: "quiet" }, comparison.method))),
      h("section", { class: "card" },
        h("div", { class: "bar" }, this.search, this.count),
        h("div", { class: "scroll changes", tabindex: "0", role: "region", "aria-label": "changes" },
          h("table", {}, h("thead", {}, h("tr", {}, head.map((it) => h("th", { scope: "col" }, it)))), this.body)),
        this.more));
  }

  update() {
    const { changes } = this.app.report.comparison;
    const { search } = this.app.state;
    const wanted = matcher(search);
    const found = changes.filter((it) => wanted(it.key));
    const shown = `${search} ${this.rows}`;
    if (shown === this.shown) return;
    this.shown = shown;
    say(this.count, found.length === changes.length ? `${changes.length} changes` : `${found.length} of ${changes.length} changes`);
    this.body.replaceChildren(...found.slice(0, this.rows).map((it) => this.row(it)));
    this.more.hidden = found.length <= this.rows;
  }

  row(change) {
    const { key, measure, before, after } = change;
    return h("tr", { class: change.is_sure ? null : "quiet" },
      h("th", { scope: "row" }, h("a", { href: this.app.linkTo(key, "compare") }, key)),
      h("td", {}, NAMES[measure]),
      h("td", { class: "figure", title: possible(change, before) }, valueOf(change, before)),
      h("td", { class: "figure", title: possible(change, after) }, valueOf(change, after)),
      h("td", { class: "figure" }, change.factor === null ? "–" : factor(change.factor)),
      h("td", { class: "figure" }, sureText(change)),
      h("td", { class: "figure" }, `${count(before.count)} → ${count(after.count)}`));
  }

  showMore() {
    this.rows *= 4;
    this.update();
  }

  free() {}
}

// Both runs of one series, on scales that are the same.
export class CompareOne {
  constructor(app, key) {
    const { store, before, report } = app;
    this.app = app;
    this.sides = [["before", before, report.before], ["after", store, report.run]].map(([name, held, { begin_ms: from, end_ms: to }]) => {
      return { name, series: held.byKey.get(key) ?? null, plan: new Plan(held, from, to, PIXELS) };
    });
    const known = this.sides.map((it) => it.series).find(Boolean);
    const links = [h("a", { href: "#/compare", onclick: (event) => app.back(event) }, "← two runs"), " ", h("a", { href: app.linkTo(key, "series") }, "this run in detail →")];
    this.body = h("div", {});
    this.element = h("div", { class: "one" }, h("p", { class: "ends" }, links), h("h2", {}, key), this.body);
    this.charts = [];
    if (known) this.make(known);
    else this.body.append(h("p", { class: "empty" }, "Neither run has a series with this key."));
  }

  make({ unit, isTiming, kind }) {
    const card = (chart) => {
      this.charts.push(chart);
      return h("div", { class: "card" }, chart.element);
    };
    const halves = (titleOf, options) => {
      const charts = this.sides.map(({ name }) => new LineChart({ title: titleOf(name), class: "tall", ...options }));
      this.body.append(h("div", { class: "halves" }, charts.map(card)));
      return charts;
    };
    const isLevel = kind === "gauge";
    if (isTiming) {
      this.spectrum = new Spectrum({ title: "percentiles of both runs", unit });
      this.body.append(card(this.spectrum));
      this.lines = halves((name) => `${name}: quantiles`, { unit, isLog: true });
    }
    this.others = halves((name) => `${name}: ${isLevel ? "value" : "rate"}`, isLevel ? { unit } : { unit: isTiming ? "" : unit, isRate: true });
  }

  update() {
    if (this.charts.length === 0) return;
    const { sides } = this;
    if (this.spectrum) {
      const known = sides.filter((it) => it.series);
      this.spectrum.showDistributions(known.map(({ name, plan, series }) => [name, whole(plan, [series])]));
      this.show(this.lines, ({ plan, series }) => quantileLines(plan, series), true);
    }
    this.show(this.others, ({ plan, series }) => {
      const values = series.kind === "gauge" ? levels(plan, series) : rates(plan, [series]);
      return [{ name: series.kind === "gauge" ? "value" : "per second", points: plan.points(values) }];
    }, false);
  }

  show(charts, linesOf, isLog) {
    const all = this.sides.map((side) => (side.series ? linesOf(side) : []));
    const reach = reachOf(all.flat(), isLog);
    charts.forEach((chart, i) => chart.showLines(this.sides[i].plan, all[i], reach));
  }

  free() {
    for (const chart of this.charts) chart.free();
  }
}
