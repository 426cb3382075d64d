import assert from "node:assert/strict";
import { test } from "node:test";

import { change, digits, duration, exact, factor, format, level, rate, unitName } from "../../page/format.js";
import { windowOf } from "../../page/headlines.js";
import { Rows, matcher } from "../../page/rows.js";
import { address, parse } from "../../page/state.js";
import { lines } from "../../page/stream.js";
import { Store } from "../../page/store.js";
import { happened } from "../../page/told.js";
import { define, frame, meta, random } from "./oracle.mjs";

test("numbers have three significant digits and their unit", () => {
  const right = [
    [330e-6, "seconds", "330 µs"], [1.87e-3, "seconds", "1.87 ms"], [0.187, "seconds", "187 ms"],
    [999.6e-6, "seconds", "1.00 ms"], [8.9e-6, "seconds", "8.90 µs"], [59, "seconds", "59.0 s"],
    [0, "seconds", "0 s"], [13_002_342, "bytes", "12.4 MiB"], [1023, "bytes", "1,023 B"],
    [0.0025, "ratio", "0.250 %"], [87.34, "percent", "87.3 %"], [4982, "", "4,982"],
    [123_456_789, "", "123 M"], [12, "volts", "12.0 volts"], [NaN, "seconds", "–"], [Number.MAX_VALUE, "", "1.80e293 P"], [-2e14, "bytes", "−182 TiB"], [-3e-7, "", "−3.00e−7"], [-5, "", "−5.00"],
  ];
  for (const [value, unit, text] of right) assert.equal(format(value, unit), text);
  assert.equal(format(0.02, "seconds", 2e-3), "20.0 ms", "a column keeps one unit");
  assert.equal(rate(4982), "4,982 /s");
  assert.equal(rate(1258291, "bytes"), "1.20 MiB/s");
  assert.equal(rate(0.25, "seconds"), "250 ms/s");
  assert.deepEqual([level(4_194_304, "bytes"), level(1_234_567), level(12_345), level(0.5)], ["4.00 MiB", "1.23 M", "12,345", "0.500"]);
  assert.equal(digits(0.00001), "1.00e−5");
  assert.equal(exact(0.123456789, "seconds"), "0.123456789 seconds");
  assert.equal(unitName({ other: "volts" }), "volts");
});

test("times and changes are told in words", () => {
  const right = [[0.4, "0 s"], [42, "42 s"], [60, "1 min"], [11_520, "3 h 12 min"], [90_061, "1 d 1 h"]];
  for (const [seconds, text] of right) assert.equal(duration(seconds), text);
  assert.deepEqual([change(112, 100), change(97, 100), change(100, 100), change(420, 100), change(1, 0)],
    ["+12 %", "−3 %", "±0 %", "×4.20", "new"]);
});

test("small factors are not told as none", () => {
  const right = [[1, "±0 %"], [1.0004, "±0 %"], [1.002, "+0.2 %"], [0.9961, "−0.4 %"], [0.9903, "−1 %"], [1.12, "+12 %"], [4.2, "×4.20"]];
  for (const [ratio, text] of right) assert.equal(factor(ratio), text);
});

// Elements that hold their text, in place of a browser's.
function elements() {
  return { createElement: () => ({
    texts: [],
    setAttribute() {},
    addEventListener() {},
    append(...children) { this.texts.push(...children.flatMap((it) => it.texts ?? [String(it)])); },
  }) };
}

test("of many events the newest are shown, oldest first", () => {
  globalThis.document = elements();
  const changes = Array.from({ length: 50 }, (_, i) => ({ at: 100 - i, rule: `rule ${100 - i}`, labels: {}, from: "pending", to: "firing", value_text: null }));
  const app = { store: { fine: { frames: [] } }, alerts: { changes }, doctor: null, begin: 0 };
  const { texts } = happened(app);
  const rules = texts.filter((it) => it.startsWith("rule "));
  assert.deepEqual(rules, Array.from({ length: 40 }, (_, i) => `rule ${61 + i}`));
  assert.ok(texts.includes("oldest first, 10 earlier"), texts.join("|"));
  delete globalThis.document;
});

test("an address that was written reads back the same; a wrong one is the usual", () => {
  const usual = parse("");
  assert.equal(address(usual), "#/well");
  const state = { ...usual, view: "series", key: "a[t=/live/x?y=1,u=ü %]", range: "2h", from: 5, to: 7, search: "a b&c", sort: "p99", isUp: true };
  assert.deepEqual(parse(address(state)), state);
  for (const wrong of ["#/nothing", "#/series?range=9m", "#/well?from=9&to=3", "#/series/%", "#?range=constructor", "#/well?from=x&to=1"]) {
    assert.equal(parse(wrong).range, "10m");
    assert.equal(parse(wrong).from, null);
  }
});

function rowsOf(window = {}) {
  const store = new Store();
  [{ meta: { ...meta().meta, ...window } }, define(1, "slow", "timing", "seconds"), define(2, "c[t=x]", "counter"), define(3, "c[t=y]", "counter"), define(4, "g", "gauge")].forEach((it) => store.apply(it));
  for (let second = 1; second <= 30; second += 1) {
    const step = { count: 1, sum: 1, min: 1, max: 1, buckets: [[0, 1]], window: { p50: 1, p95: 1, p99: second, max: 40 } };
    store.apply(frame(second, {
      counters: [[2, 10], [3, second > 20 ? 60 : 30]],
      timings: second === 25 ? [[1, step]] : [],
      gauges: second === 2 ? [[4, { current: 8, mean: 8, count: 1, min: 8, max: 8 }]] : [],
    }));
  }
  const rows = new Rows(store);
  rows.refresh();
  return rows;
}

test("rows have rates of the last ten frames and the window's quantiles", () => {
  const rows = rowsOf();
  const usual = { search: "", sort: "rate", isUp: false, unfolded: new Set() };
  const list = rows.list(usual);
  assert.deepEqual(list.map((it) => [it.name, it.stats.rate]), [["c", 70], ["slow", 0.1], ["g", 0]]);
  assert.equal(list[1].stats.p99, 25);
  assert.equal(list[2].stats.last, 8);
  const open = rows.list({ ...usual, unfolded: new Set(["c"]) });
  assert.deepEqual(open.map((it) => it.name), ["c", "c[t=y]", "c[t=x]", "slow", "g"]);
  assert.equal(open[1].stats.before, 30);
  assert.deepEqual(rows.list({ ...usual, sort: "p99", isUp: true }).map((it) => it.name), ["slow", "c", "g"]);
  assert.deepEqual(rows.list({ ...usual, sort: "change" })[0].name, "c");
  assert.deepEqual(rows.list({ ...usual, search: "T=X c" }).map((it) => it.name), ["c[t=x]"]);
  const names = (isUp) => rows.list({ ...usual, sort: "name", isUp }).map((it) => it.name);
  assert.deepEqual([names(false), names(true)], [["c", "g", "slow"], ["slow", "g", "c"]]);
});

test("quantiles of a window are not shown once the window has passed", () => {
  const rows = rowsOf();
  const p99 = () => {
    rows.refresh();
    return rows.list({ search: "slow", sort: "rate", isUp: false, unfolded: new Set() })[0].stats.p99;
  };
  for (let second = 31; second < 85; second += 1) rows.store.apply(frame(second));
  assert.equal(p99(), 25);
  assert.equal(windowOf(rows.store, rows.store.byKey.get("slow")).p99, 25);
  for (let second = 85; second < 90; second += 1) rows.store.apply(frame(second));
  assert.equal(p99(), NaN);
  assert.equal(windowOf(rows.store, rows.store.byKey.get("slow")).p99, NaN);
});

test("the length of the window is the program's own", () => {
  const rows = rowsOf({ window_ms: 8_000 });
  const p99 = () => windowOf(rows.store, rows.store.byKey.get("slow")).p99;
  // Recorded in the frame that ends at 25 s.
  for (let second = 31; second < 33; second += 1) rows.store.apply(frame(second));
  assert.equal(p99(), 25);
  rows.store.apply(frame(33));
  assert.equal(p99(), NaN);
});

test("rows that are kept between frames are those of rows made anew", () => {
  const next = random(11);
  const store = new Store();
  store.apply(meta());
  const kept = new Rows(store);
  const states = [
    { search: "", sort: "rate", isUp: false, unfolded: new Set(["c3"]) },
    { search: "", sort: "rate", isUp: true, unfolded: new Set() },
    { search: "c1", sort: "change", isUp: false, unfolded: new Set() },
    { search: "", sort: "name", isUp: false, unfolded: new Set(["c3"]) },
  ];
  for (let second = 1; second <= 1_000; second += 1) {
    // A new series every three seconds, of five names; later, frames and rows are dropped.
    if (second % 3 === 1 && second < 90) store.apply(define(second, `c${second % 5}[n=${second}]`, "counter"));
    const counters = [...store.byNumber.keys()].filter(() => next() < 0.7).map((number) => [number, Math.floor(100 * next())]);
    store.apply(frame(second, { counters, marks: second % 31 === 0 ? ["reset"] : [] }));
    // After a while in which nobody looked, too.
    if (second > 90 && second % 97 > 10 && second !== 700) continue;
    // The server's clock is set back.
    if (second === 700) store.apply(frame(50, { version: 701, counters }));
    const fresh = new Rows(store);
    kept.refresh();
    fresh.refresh();
    const state = states[Math.floor(states.length * next())];
    // Sums depend on their order in the last digit.
    const told = (rows) => rows.list(state).map((it) => [it.name, it.stats.rate.toFixed(9), it.stats.before.toFixed(9)]);
    assert.deepEqual(told(kept), told(fresh));
  }
});

test("a group of which nothing is known from before has no change, as its series have none", () => {
  const store = new Store();
  [meta(), define(1, "c[n=1]", "counter"), define(2, "c[n=2]", "counter")].forEach((it) => store.apply(it));
  [1, 2, 3].forEach((second) => store.apply(frame(second, { counters: [[1, second], [2, 10]] })));
  const rows = new Rows(store, { isWhole: true });
  rows.refresh();
  const [group] = rows.list({ search: "", sort: "rate", isUp: false, unfolded: new Set() });
  assert.deepEqual([group.isGroup, group.stats.rate, group.stats.before], [true, 12, NaN]);
  assert.ok(group.children.every((it) => Number.isNaN(it.stats.before)));
});

test("a brief list leaves out series of the metrics themselves, unless a search finds them", () => {
  const store = new Store();
  [meta(), define(1, "telemetry.passes", "counter"), define(2, "metrics.live.lost", "counter"), define(3, "metricsless", "counter")].forEach((it) => store.apply(it));
  store.apply(frame(1));
  const rows = new Rows(store);
  rows.refresh();
  const names = (search, isBrief) => rows.list({ search, sort: "name", isUp: false, unfolded: new Set(), isBrief }).map((it) => it.name);
  assert.deepEqual(names("", true), ["metricsless"]);
  assert.deepEqual(names("", false), ["metrics.live.lost", "metricsless", "telemetry.passes"]);
  assert.deepEqual(names("telemetry", true), ["telemetry.passes"]);
});

test("a search wants every word", () => {
  assert.ok(matcher("proc EVENT")("event.processing"));
  assert.ok(!matcher("proc none")("event.processing"));
});

test("a torn last line is left out", () => {
  assert.deepEqual(lines('{"a":1}\n{"b":2}\n{"c"'), [{ a: 1 }, { b: 2 }]);
});
