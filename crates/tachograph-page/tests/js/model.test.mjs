import assert from "node:assert/strict";
import { test } from "node:test";

import { Distribution, middle, upperEdge } from "../../page/buckets.js";
import { Plan, heat, increase, levels, meanRate, quantiles, rates, whole, worst } from "../../page/curves.js";
import { MARKS } from "../../page/depth.js";
import { Store } from "../../page/store.js";
import { START, define, frame, meta, quantileOf, random, samples, timingStep } from "./oracle.mjs";

const at = (second) => START + second * 1000;
const near = (value, right, share) =>
  assert.ok(Math.abs(value - right) <= share * Math.abs(right), `${value} is not ${right}`);

function storeOf(lines) {
  const store = new Store();
  for (const line of lines) store.apply(line);
  return store;
}

test("edges are powers of two, eight to each", () => {
  for (let i = -300; i < 300; i += 1) near(upperEdge(i), Math.pow(2, i / 8), 1e-12);
  near(middle(1), Math.pow(2, 1 / 16), 1e-12);
});

test("quantiles of merged steps are within half a bucket of the sorted samples", () => {
  const next = random(7);
  const distribution = new Distribution();
  const all = [];
  for (let step = 0; step < 40; step += 1) {
    const values = samples(next, 1 + Math.floor(next() * 300));
    all.push(...values);
    const { count, sum, min, max, buckets } = timingStep(values);
    distribution.note(count, sum, min, max);
    for (const [index, more] of buckets) distribution.add(index, more);
  }
  for (const q of [0.001, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]) {
    near(distribution.quantile(q), quantileOf(all, q), 0.0443);
  }
  assert.equal(distribution.count, all.length);
  assert.equal(distribution.max, Math.max(...all));
  near(distribution.mean(), all.reduce((a, b) => a + b) / all.length, 1e-12);
});

test("a rank that is a whole number is not rounded up by floating point", () => {
  const distribution = new Distribution();
  distribution.note(100, 1, 1, 1000);
  distribution.add(0, 99);
  distribution.add(80, 1);
  assert.ok(distribution.quantile(0.99) < 2 && distribution.quantile(0.991) > 900);
});

// Two hours of a timing, a counter and a gauge, with all samples.
function long(seconds) {
  const next = random(3);
  const lines = [meta(), define(4, "a", "timing", "seconds"), define(9, "c", "counter"), define(5, "g", "gauge")];
  const truth = [];
  for (let second = 1; second <= seconds; second += 1) {
    const values = samples(next, 1 + Math.floor(next() * 8));
    const count = Math.floor(next() * 100);
    const gauge = next();
    truth.push({ values, count, gauge });
    const step = { current: gauge, mean: gauge, count: 1, min: gauge, max: gauge };
    lines.push(frame(second, {
      marks: second === 1 ? ["start"] : [],
      counters: count > 0 ? [[9, count]] : [],
      gauges: [[5, step]],
      timings: [[4, timingStep(values)]],
    }));
  }
  return { store: storeOf(lines), truth };
}

test("over two depths nothing is lost and nothing counted twice", () => {
  const seconds = 3_000;
  const { store, truth } = long(seconds);
  assert.ok(store.fine.frames.length <= 611, "single frames reach ten minutes");
  const [a, c] = [store.byKey.get("a"), store.byKey.get("c")];
  // For any range that begins where a merged frame begins.
  for (const [from, to] of [[1, seconds], [1001, 2991], [2401, 2999], [2951, 2970]]) {
    const plan = new Plan(store, at(from), at(to), 200);
    const values = truth.slice(from, to).flatMap((it) => it.values);
    const all = whole(plan, [a]);
    assert.equal(all.count, values.length, `${from} to ${to}`);
    assert.equal(all.max, Math.max(...values));
    near(all.quantile(0.99), quantileOf(values, 0.99), 0.0443);
    const count = truth.slice(from, to).reduce((sum, it) => sum + it.count, 0);
    assert.equal(increase(plan, [c]), count);
    near(meanRate(plan, [c]), count / (to - from), 1e-9);
    const map = heat(plan, [a]);
    near(map.counts.reduce((x, y) => x + y, 0), values.length, 1e-9);
  }
});

test("a heat map has no stripes where a frame is wider than a column", () => {
  const { store, truth } = long(3_000);
  // Single frames of a second, and merged ones of ten, in columns of half a second and of four.
  for (const [from, to, width] of [[2_900, 3_000, 200], [1_000, 2_000, 250]]) {
    const plan = new Plan(store, at(from), at(to), width);
    const map = heat(plan, [store.byKey.get("a")]);
    // A merged frame that ends after the range is not part of it.
    assert.ok(map.totals.subarray(0, width - 3).every((total) => total > 0), `an empty column from ${from}`);
    const samples = truth[2_949].values.length;
    if (width === 200) assert.deepEqual([map.totals[98], map.totals[99], map.sums[98], map.sums[99]], [samples, samples, samples / 2, samples / 2]);
  }
});

test("a heat map draws only the share of a frame that lies in the range", () => {
  const steps = [1, 2, 3].map((second) => frame(second, { timings: [[1, timingStep(Array(80).fill(0.001))]] }));
  const store = storeOf([meta(), define(1, "a", "timing"), ...steps]);
  // Half a second to three seconds in columns of an eighth of a second, with 80 samples a second.
  const map = heat(new Plan(store, at(0.5), at(3), 20), [store.byKey.get("a")]);
  assert.deepEqual([...map.sums], Array(20).fill(10));
});

test("a spike is drawn however many frames share its pixel", () => {
  const { store, truth } = long(3_000);
  const plan = new Plan(store, at(0), at(3_000), 20);
  const [, , , max] = quantiles(plan, store.byKey.get("a"));
  const points = plan.points(max, "max");
  const right = Math.max(...truth.flatMap((it) => it.values));
  assert.equal(Math.max(...points.value), right);
  const [first] = worst(plan, store.byKey.get("a"), 5);
  assert.equal(first.value, right);
  const second = truth.findIndex((it) => it.values.includes(right)) + 1;
  assert.ok(first.end >= at(second) && first.end - first.span < at(second));
  const rate = plan.points(rates(plan, [store.byKey.get("c")]));
  assert.ok(rate.t.length <= 21 && rate.high.every((high, i) => !(high < rate.value[i])));
});

test("a gauge keeps its value where it was not set", () => {
  const gauge = (value) => [[1, { current: value, mean: value, count: 1, min: value, max: value }]];
  const store = storeOf([
    meta(), define(1, "g", "gauge"),
    frame(1, { gauges: gauge(5) }), frame(2), frame(3, { gauges: gauge(7) }), frame(4, { marks: ["reset"] }),
  ]);
  const plan = new Plan(store, at(0), at(4), 100);
  assert.deepEqual([...levels(plan, store.byKey.get("g"))], [5, 5, 7, NaN]);
  const later = (from, to) => [...levels(new Plan(store, at(from), at(to), 100), store.byKey.get("g"))];
  assert.deepEqual(later(1, 3), [5, 7]);
  store.apply(frame(5));
  assert.deepEqual(later(3, 5), [NaN, NaN]);
  assert.deepEqual(later(4, 5), [NaN]);
});

test("a gauge keeps its value for hours, until a reset", () => {
  const store = storeOf([meta(), define(1, "g", "gauge"), frame(1, { gauges: [[1, { current: 3 }]] })]);
  const shown = (seconds, end) => [...levels(new Plan(store, at(end - seconds), at(end), 480), store.byKey.get("g"))];
  for (let i = 2; i <= 9_000; i += 1) store.apply(frame(i));
  assert.ok(store.fine.first > 8_000 && store.coarse.first > 0, "both depths have dropped frames");
  for (const seconds of [60, 600, 7_000]) assert.ok(shown(seconds, 9_000).every((it) => it === 3), `${seconds} s`);
  store.apply(frame(9_001, { marks: ["reset"] }));
  for (let i = 9_002; i <= 11_000; i += 1) store.apply(frame(i));
  assert.deepEqual([...new Set(shown(600, 11_000))], [NaN]);
  assert.deepEqual([...new Set(shown(7_000, 11_000))], [3, NaN]);
});

test("no rate is taken across a start, a reset, a gap or a restart", () => {
  for (const mark of ["start", "reset", "gap"]) {
    const store = storeOf([
      meta(), define(1, "c", "counter"), frame(1, { counters: [[1, 10]] }),
      frame(2, { counters: [[1, 1_000_000]], marks: [mark] }), frame(3),
    ]);
    const plan = new Plan(store, at(0), at(3), 100);
    assert.deepEqual([...rates(plan, [store.byKey.get("c")])], [10, NaN, 0], mark);
    const { value } = plan.points(rates(plan, [store.byKey.get("c")]));
    assert.deepEqual(value, [10, NaN, 0]);
  }
});

test("after a restart numbers mean other series, and what was before stays", () => {
  const store = storeOf([
    meta(), define(1, "c", "counter"), define(2, "d", "counter"), frame(1, { counters: [[1, 10], [2, 20]] }),
    meta(START + 2_500), define(1, "d", "counter"), frame(3, { counters: [[1, 7]], marks: ["start"] }),
    frame(4, { counters: [[1, 8]] }),
  ]);
  const plan = new Plan(store, at(0), at(4), 100);
  assert.deepEqual([...rates(plan, [store.byKey.get("d")])], [20, NaN, 8]);
  assert.deepEqual([...rates(plan, [store.byKey.get("c")])], [10, NaN, 0]);
  assert.equal(plan.marks[1] & MARKS.restart, MARKS.restart);
});

test("every count has the first frame of a process, unless it reaches back to before the range", () => {
  const of = (second, n, span_ms, marks) => ({
    frame: {
      version: second, end_ms: at(second), span_ms, marks, counters: [[1, n]],
      timings: [[2, { count: n, sum: n, min: 1, max: 1, buckets: [[0, n]], window: {} }]],
    },
  });
  // The first frame holds a second or an hour; the one after a restart holds five seconds of the range.
  for (const [span, held] of [[1_000, 5], [3_600_000, 0]]) {
    const store = storeOf([
      meta(), define(1, "c", "counter"), define(2, "t", "timing"), of(1, 5, span, ["start"]), of(2, 10, 1_000, []), of(8, 937, 6_000, ["gap"]),
      meta(START + 9_000), define(1, "c", "counter"), define(2, "t", "timing"), of(14, 60, 5_000, ["start"]), of(15, 20, 1_000, []),
    ]);
    const plan = new Plan(store, at(0), at(15), 100);
    const right = held + 10 + 937 + 60 + 20;
    assert.equal(increase(plan, [store.byKey.get("c")]), right);
    assert.equal(increase(plan, [store.byKey.get("t")]), right);
    assert.equal(whole(plan, [store.byKey.get("t")]).count, right);
  }
});

test("frames that the server repeats are counted once; those that are missing are a gap", () => {
  const count = { counters: [[1, 10]] };
  const store = storeOf([
    meta(), define(1, "c", "counter"), frame(1, count), frame(2, count),
    meta(), define(1, "c", "counter"), frame(1, count), frame(2, count), frame(9, count),
  ]);
  const plan = new Plan(store, at(0), at(9), 100);
  assert.equal(increase(plan, [store.byKey.get("c")]), 30);
  assert.equal(plan.marks[2], MARKS.gap);
});

test("a clock that is set back or forward loses no frame that follows", () => {
  const lines = [meta(), define(1, "c", "counter")];
  const push = (version, second) => lines.push({ frame: { version, end_ms: at(second), span_ms: 1000, counters: [[1, 10]] } });
  for (let version = 1; version <= 30; version += 1) push(version, 4_000 + version);
  // An hour back, then half an hour forward; in between, a reconnect repeats a frame.
  for (let version = 31; version <= 60; version += 1) push(version, 400 + version);
  push(60, 460);
  for (let version = 61; version <= 90; version += 1) push(version, 2_200 + version);
  const store = storeOf(lines);
  const plan = new Plan(store, at(400), at(2_290), 500);
  assert.equal(increase(plan, [store.byKey.get("c")]), 600);
  assert.equal(plan.marks.filter((it) => it === MARKS.gap).length, 1);
  assert.equal(store.newest.version, 90);
});

test("tagged series stand for a name only where there is no untagged one", () => {
  const store = storeOf([
    meta(), define(1, "a[t=x]", "counter"), define(2, "a[t=y]", "counter"),
    define(3, "b", "counter"), define(4, "b[t=x]", "counter"),
  ]);
  assert.deepEqual(store.family("a").map((it) => it.key), ["a[t=x]", "a[t=y]"]);
  assert.deepEqual(store.family("b").map((it) => it.key), ["b"]);
});

test("a closer look replaces merged frames where it reaches", () => {
  const { store, truth } = long(2_000);
  const lines = truth.slice(100, 200).map((it, i) => frame(101 + i, { timings: [[4, timingStep(it.values)]] }));
  store.view(lines, at(100), at(200));
  const plan = new Plan(store, at(100), at(200), 500);
  assert.equal(plan.length, 100);
  assert.equal(whole(plan, [store.byKey.get("a")]).count, truth.slice(100, 200).flatMap((it) => it.values).length);
});

test("memory is bounded: what is too much is forgotten early and told", () => {
  const buckets = Array.from({ length: 400 }, (_, i) => [i, 1]);
  const store = storeOf([meta()]);
  for (let n = 0; n < 300; n += 1) store.apply(define(n, `t${n}`, "timing", "seconds"));
  const step = { count: 400, sum: 1, min: 1, max: 2, buckets };
  for (let second = 1; second <= 120; second += 1) {
    store.apply(frame(second, { timings: Array.from({ length: 300 }, (_, n) => [n, step]) }));
  }
  assert.ok(store.isCut && store.fine.bytes < 100 << 20);
  const plan = new Plan(store, at(0), at(120), 500);
  assert.equal(whole(plan, [store.byKey.get("t299")]).count, 120 * 400);
});
