// Reference values for tests, from sorted samples and without the page's own arithmetic.

// A seeded generator of random numbers in [0, 1).
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

// Samples over four powers of ten, with a few outliers.
export function samples(next, count) {
  return Array.from({ length: count }, () => 1e-6 * 10 ** (4 * next()) * (next() > 0.99 ? 50 : 1));
}

// The sample of rank ceil(q * n).
export function quantileOf(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = sorted.findIndex((_, i) => (i + 1) / sorted.length >= q - 1e-12);
  return sorted[rank < 0 ? sorted.length - 1 : rank];
}

// A timing's step in the format of frames. Tries every edge to find the bucket.
export function timingStep(values) {
  const edges = [];
  for (let i = -400; i < 400; i += 1) edges.push([i, Math.pow(2, i / 8)]);
  const counts = new Map();
  for (const value of values) {
    const [index] = edges.find(([, edge]) => value <= edge);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const sum = values.reduce((a, b) => a + b, 0);
  return {
    count: values.length,
    sum,
    min: Math.min(...values),
    max: Math.max(...values),
    buckets: [...counts].sort((a, b) => a[0] - b[0]),
    window: { p50: quantileOf(values, 0.5), p95: quantileOf(values, 0.95), p99: quantileOf(values, 0.99), max: Math.max(...values) },
  };
}

export const START = 1_700_000_000_000;

export function meta(started = START) {
  return { meta: { format: 1, program: "test", version: "1", started_ms: started, step_ms: 1000 } };
}

export function define(number, key, kind, unit) {
  const [, name, tags] = /^([^[]*)(?:\[(.*)\])?$/.exec(key);
  const pairs = tags ? Object.fromEntries(tags.split(",").map((it) => it.split("="))) : undefined;
  return { series: { number, key, name, kind, unit, tags: pairs } };
}

export function frame(second, more = {}) {
  return { frame: { version: second, end_ms: START + second * 1000, span_ms: 1000, ...more } };
}
