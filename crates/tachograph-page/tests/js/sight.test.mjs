import assert from "node:assert/strict";
import { test } from "node:test";

const observers = [];
globalThis.IntersectionObserver = class {
  constructor(tell) {
    this.tell = tell;
    observers.push(this);
  }
  observe() {}
  unobserve() {}
};
const listeners = {};
globalThis.addEventListener = (name, listener) => (listeners[name] = listener);
const { Sight } = await import("../../page/sight.js");
const scroll = (target, isIntersecting) => observers[0].tell([{ target, isIntersecting }]);

test("what is out of sight is drawn when it comes into sight, and only its newest state", () => {
  const drawn = [];
  const element = {};
  const sight = new Sight(element);
  sight.show(() => drawn.push(1));
  sight.show(() => drawn.push(2));
  assert.deepEqual(drawn, []);
  scroll(element, true);
  assert.deepEqual(drawn, [2]);
  sight.show(() => drawn.push(3));
  scroll(element, false);
  scroll(element, true);
  assert.deepEqual(drawn, [2, 3], "once");
  scroll(element, false);
  sight.show(() => drawn.push(4));
  sight.free();
  scroll(element, true);
  assert.deepEqual(drawn, [2, 3]);
});

test("paper shows everything", () => {
  const drawn = [];
  new Sight({}).show(() => drawn.push(1));
  listeners.beforeprint();
  assert.deepEqual(drawn, [1]);
});
