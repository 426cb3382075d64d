// Distributions as frames hold them: bucket i counts the values in (2^((i-1)/8), 2^(i/8)].

const PER_OCTAVE = 8;
// The bucket of 0 and negative values, and that of infinite values.
export const ZERO = -32_768;
export const ENDLESS = 32_767;

const EDGES = Array.from({ length: PER_OCTAVE }, (_, j) => 2 ** (j / PER_OCTAVE));

// The upper edge of a bucket; the edge below it is that of `index - 1`.
export function upperEdge(index) {
  if (index === ZERO) return 0;
  if (index === ENDLESS) return Infinity;
  const octave = Math.floor(index / PER_OCTAVE);
  return EDGES[index - octave * PER_OCTAVE] * 2 ** octave;
}

// The geometric middle of a bucket: within 4.5 % of every value in it.
export function middle(index) {
  if (index === ZERO) return 0;
  if (index === ENDLESS) return Number.MAX_VALUE;
  return Math.sqrt(upperEdge(index - 1)) * Math.sqrt(upperEdge(index));
}

// The rank of a quantile among so many samples. The epsilon corrects rounding: 0.99 * 200 is slightly
// above 198.
export const rankOf = (q, count) => Math.max(1, Math.ceil(q * count * (1 - 1e-12)));

// The samples of any number of steps, added up exactly.
export class Distribution {
  constructor() {
    this.counts = new Map();
    this.count = 0;
    this.sum = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.sorted = null;
  }

  add(index, count) {
    this.counts.set(index, (this.counts.get(index) ?? 0) + count);
    this.sorted = null;
  }

  // Adds the exact count, sum, minimum and maximum of a step whose buckets were added.
  note(count, sum, min, max) {
    this.count += count;
    this.sum += sum;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }

  entries() {
    this.sorted ??= [...this.counts].sort((a, b) => a[0] - b[0]);
    return this.sorted;
  }

  // The quantile q, from 0 to 1: the sample of rank ceil(q * count), within 4.5 % and between the
  // minimum and the maximum. NaN without samples.
  quantile(q) {
    if (this.count === 0) return NaN;
    const rank = rankOf(q, this.count);
    let below = 0;
    for (const [index, count] of this.entries()) {
      below += count;
      if (below >= rank) return Math.min(Math.max(middle(index), this.min), this.max);
    }
    return this.max;
  }

  mean() {
    return this.count > 0 ? this.sum / this.count : NaN;
  }
}
