import assert from "node:assert/strict";
import { test } from "node:test";

import { label, scaleOf, timeTicks } from "../../page/axes.js";
import { healthOf } from "../../page/header.js";
import { Keys } from "../../page/keys.js";
import { random } from "./oracle.mjs";

test("a scale holds all its values, between round ticks whose labels differ", () => {
  const next = random(5);
  for (let n = 0; n < 2_000; n += 1) {
    const low = (next() < 0.2 ? -1 : 1) * 10 ** (12 * next() - 9);
    const high = low + 10 ** (12 * next() - 9);
    const unit = ["seconds", "bytes", "", "ratio"][n % 4];
    const { ticks, place } = scaleOf(low, high, n % 3 === 0 && low > 0, unit);
    const [first, last] = [place(ticks[0]), place(ticks[ticks.length - 1])];
    assert.ok(Math.abs(first) < 1e-6 && Math.abs(last - 1) < 1e-6, `${low} to ${high}: ${first}, ${last}`);
    assert.ok(place(high) <= 1 + 1e-6 && place(high) > place(low), `${low} to ${high}`);
    const decades = n % 3 === 0 && low > 0;
    const labels = ticks.map((tick) => label(tick, unit, decades ? undefined : ticks[ticks.length - 1]));
    assert.equal(new Set(labels).size, labels.length, `${low} to ${high} ${unit}: ${labels}`);
  }
});

test("a single value on a logarithmic axis has the decade around it", () => {
  for (const [value, unit, ticks] of [[0.009, "seconds", [0.001, 0.01]], [700, "", [100, 1_000]], [100, "bytes", [64, 512]]]) {
    const found = scaleOf(value, value, true, unit).ticks;
    assert.ok(found.length === 2 && found.every((it, i) => Math.abs(it / ticks[i] - 1) < 1e-9), `${value}: ${found}`);
  }
});

test("a scale over values that nobody can draw has an end", () => {
  const odd = [0, -0, NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 2e-308, 1];
  for (const low of odd) {
    for (const high of odd) {
      for (const isLog of [false, true]) {
        const { ticks } = scaleOf(low, high, isLog, "");
        assert.ok(ticks.length >= 2 && ticks.length < 20 && ticks.every(Number.isFinite), `${low} to ${high}: ${ticks}`);
        assert.ok(ticks.every((it) => label(it, "").length < 14));
      }
    }
  }
});

test("times on an axis are round and not too many", () => {
  for (const seconds of [10, 60, 83, 600, 1_800, 7_200, 90_000]) {
    for (const most of [2, 4, 10, 16]) {
      const from = 1_700_000_000_123;
      const { ticks } = timeTicks(from, from + seconds * 1000, most);
      assert.ok(ticks.length <= most + 1, `${seconds} s: ${ticks.length} of ${most}`);
      assert.ok(ticks.every((it) => it >= from && it <= from + seconds * 1000 && it % 1000 === 0));
    }
  }
});

test("the health tells the worst of alerts and findings", () => {
  const rules = (...states) => ({ rules: [{ alerts: states.map((state) => ({ state })) }] });
  const doctor = (...severities) => ({ findings: severities.map((severity) => ({ severity })) });
  const right = [
    [null, null, "● healthy"],
    [rules("inactive"), doctor("note"), "● healthy"],
    [rules("inactive", "pending"), doctor("bad"), "△ 1 pending"],
    [rules("firing", "pending", "firing"), doctor("bad"), "▲ 2 firing"],
    [rules(), doctor("bad", "bad", "warning"), "△ doctor: 2 findings"],
    [rules(), doctor("warning"), "● healthy, 1 warning"],
  ];
  for (const [alerts, findings, text] of right) assert.equal(healthOf(alerts, findings).text, text);
});

function keyboard() {
  const said = [];
  let press = null;
  globalThis.document = { addEventListener: (_, listener) => (press = listener) };
  const app = {
    change: (parts) => said.push(parts.view), setRange: (range) => said.push(range),
    togglePause: () => said.push("pause"), back: () => said.push("back"),
  };
  new Keys(app, { toggleTheme: () => said.push("theme"), help: () => said.push("help"), dialog: { open: false } });
  delete globalThis.document;
  let time = 0;
  const type = (key, { inside = "", ...more } = {}) => {
    const target = { matches: (selector) => inside !== "" && selector.includes(inside) };
    press({ key, target, timeStamp: (time += 100), preventDefault() {}, ...more });
  };
  return { said, type, wait: (ms) => (time += ms) };
}

test("single keys act, but not with a modifier and not while somebody types", () => {
  const { said, type, wait } = keyboard();
  for (const key of ["g", "a", "3", " ", "t", "?", "Escape"]) type(key);
  assert.deepEqual(said.splice(0), ["alerts", "30m", "pause", "theme", "help", "back"]);
  type("t", { ctrlKey: true });
  type("1", { metaKey: true });
  type("t", { inside: "input" });
  type(" ", { inside: "button" });
  type("g");
  wait(5_000);
  type("d");
  assert.deepEqual(said, [], "g is forgotten after a while");
});
