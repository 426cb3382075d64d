// Lines from a real collector, and the samples that it recorded.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Plan, increase, levels, quantiles, whole, worst } from "../../page/curves.js";
import { windowOf } from "../../page/headlines.js";
import { Store } from "../../page/store.js";
import { lines } from "../../page/stream.js";
import { quantileOf } from "./oracle.mjs";

const { LINES, TRUTH } = process.env;
const START = 1_700_000_000_000;

test("a real recording", { skip: LINES ? false : "run by `cargo test -p tachograph-page`" }, () => {
  const store = new Store();
  for (const line of lines(readFileSync(LINES, "utf8"))) store.apply(line);
  const truth = JSON.parse(readFileSync(TRUTH, "utf8"));
  const [work, events, level] = ["work", "events", "level"].map((key) => store.byKey.get(key));
  assert.deepEqual([work.unit, work.kind, events.kind, level.kind], ["seconds", "timing", "counter", "gauge"]);
  // The first frame ends the first merged frame, so that the next ones begin at 1, 11, 21, …
  for (const [from, to] of [[1, 1_500], [301, 1_200], [1_001, 1_499], [1_491, 1_500]]) {
    const plan = new Plan(store, START + from * 1000, START + to * 1000, 300);
    const seconds = truth.slice(from, to);
    const samples = seconds.flatMap((it) => it.samples);
    const all = whole(plan, [work]);
    assert.equal(all.count, samples.length);
    assert.ok(Math.abs(all.max / Math.max(...samples) - 1) < 0.0005);
    assert.ok(Math.abs(all.sum / samples.reduce((a, b) => a + b) - 1) < 1e-6);
    for (const q of [0.1, 0.5, 0.95, 0.99, 0.999]) {
      const right = quantileOf(samples, q);
      assert.ok(Math.abs(all.quantile(q) / right - 1) < 0.046, `${q} from ${from}`);
    }
    assert.equal(increase(plan, [events]), seconds.reduce((sum, it) => sum + it.count, 0));
    assert.equal(worst(plan, work, 1)[0].value, all.max);
  }
  const plan = new Plan(store, START + 1_400_000, START + 1_500_000, 300);
  assert.equal(plan.length, 100);
  assert.deepEqual([...levels(plan, level)], truth.slice(1_400).map((it) => it.level));
  const [p50] = quantiles(plan, work);
  truth.slice(1_400).forEach((it, i) => {
    assert.ok(Math.abs(p50[i] / quantileOf(it.samples, 0.5) - 1) < 0.046);
  });
  const window = windowOf(store, work);
  assert.ok(window.p50 <= window.p95 && window.p95 <= window.p99 && window.p99 <= window.max);
});
