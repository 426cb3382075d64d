//! Exponential buckets with the addition of Prometheus and of a Collector.

use std::collections::BTreeMap;

/// A Prometheus native histogram or OTLP exponential histogram: bucket `i` holds samples in `(2^((i
/// - 1) * 2^-scale), 2^(i * 2^-scale)]`. There are no negative samples here.
///
/// Indices are those of Prometheus; OTLP's are one less. Follows
/// <https://prometheus.io/docs/specs/native_histograms/> and
/// <https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exponential {
    scale: i32,
    zero_threshold: f64,
    zero_count: u64,
    buckets: BTreeMap<i32, u64>,
}

impl Exponential {
    /// A histogram at a scale (Prometheus: schema).
    pub fn new(scale: i32, buckets: impl IntoIterator<Item = (i32, u64)>) -> Self {
        Self { scale, buckets: buckets.into_iter().collect(), ..Self::default() }
    }

    /// Adds samples between 0 and a zero threshold.
    pub fn with_zeros(mut self, threshold: f64, count: u64) -> Self {
        (self.zero_threshold, self.zero_count) = (threshold, count);
        self
    }

    /// The scale: `2^scale` buckets per power of two.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.zero_count + self.buckets.values().sum::<u64>()
    }

    /// The non-empty buckets, by index.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, u64)> {
        self.buckets.iter().filter(|(_, count)| **count > 0).map(|(index, count)| (*index, *count))
    }

    /// Widens the buckets until there are `2^scale` per power of two. A finer scale than the
    /// present one changes nothing, because the detail is lost.
    pub fn coarsen_to(&mut self, scale: i32) {
        let halvings = (self.scale - scale).max(0);
        if halvings == 0 {
            return;
        }
        let mut wider = BTreeMap::new();
        for (index, count) in std::mem::take(&mut self.buckets) {
            // Both of the neighbours that merge take the index of their upper edge.
            *wider.entry(((index - 1) >> halvings) + 1).or_insert(0) += count;
        }
        (self.buckets, self.scale) = (wider, self.scale - halvings);
    }

    /// Adds another histogram like Prometheus's `sum`: the result has the coarser of the two
    /// schemas.
    pub fn add(&mut self, other: &Self) {
        if self.count() == 0 {
            *self = other.clone();
            return;
        }
        if other.count() == 0 {
            return;
        }
        self.coarsen_to(other.scale);
        let mut other = other.clone();
        other.coarsen_to(self.scale);
        self.zero_threshold = self.zero_threshold.max(other.zero_threshold);
        self.zero_count += other.zero_count;
        for (index, count) in other.buckets {
            *self.buckets.entry(index).or_insert(0) += count;
        }
    }

    /// Applies a bucket limit like a scrape with `native_histogram_bucket_limit`: halves the
    /// resolution until there are few enough, or the coarsest schema is reached.
    pub fn limit_buckets(&mut self, limit: usize) {
        while self.buckets.len() > limit && self.scale > SCALE_MIN {
            self.coarsen_to(self.scale - 1);
        }
    }

    /// Limits the span of the buckets, because OTLP also writes the empty ones in between.
    pub fn limit_span(&mut self, limit: usize) {
        while self.span() > limit && self.scale > SCALE_MIN {
            self.coarsen_to(self.scale - 1);
        }
    }

    /// Adds another histogram like a Collector that turns deltas into totals: at the coarser of the
    /// two scales, coarsened further until the sum's span is within the limit.
    pub fn add_within(&mut self, other: &Self, limit: usize) {
        self.add(other);
        self.limit_span(limit);
    }

    /// The number of buckets from the first to the last non-empty one.
    pub fn span(&self) -> usize {
        let mut filled = self.buckets().map(|(index, _)| index);
        let Some(first) = filled.next() else { return 0 };
        let last = filled.last().unwrap_or(first);
        // Both are bucket indices of 64-bit floats: far from the ends of an `i32`.
        (last - first + 1).unsigned_abs() as usize
    }

    /// The quantile `q` between 0 and 1 as Prometheus 3 estimates it: samples are assumed to be
    /// evenly distributed on a logarithmic scale within a bucket. NaN without samples.
    pub fn quantile(&self, q: f64) -> f64 {
        let rank = q * self.count() as f64;
        if self.zero_count > 0 && rank <= self.zero_count as f64 {
            return self.zero_threshold * rank / self.zero_count as f64;
        }
        let mut below = self.zero_count;
        for (index, count) in self.buckets() {
            if rank <= (below + count) as f64 {
                let within = (rank - below as f64) / count as f64;
                let width = f64::from(-self.scale).exp2();
                return ((f64::from(index - 1) + within) * width).exp2();
            }
            below += count;
        }
        f64::NAN
    }
}

/// The coarsest scale that Prometheus supports: buckets of a factor of 65,536.
const SCALE_MIN: i32 = -4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bucket of a sample by definition, found by comparing with the edges.
    fn index(sample: f64, scale: i32) -> i32 {
        let edge = |index: i32| (f64::from(index) * f64::from(-scale).exp2()).exp2();
        (-3_000..).find(|index| sample <= edge(*index)).expect("an upper edge")
    }

    fn filled(samples: &[f64], scale: i32) -> Exponential {
        let mut buckets = BTreeMap::new();
        for sample in samples {
            *buckets.entry(index(*sample, scale)).or_insert(0) += 1;
        }
        Exponential::new(scale, buckets)
    }

    /// Samples, and the scale at which they are counted.
    fn parts() -> impl Strategy<Value = Vec<(Vec<f64>, i32)>> {
        let samples = proptest::collection::vec(1e-3..1e3f64, 1..40);
        proptest::collection::vec((samples, -2..6i32), 1..5)
    }

    fn all(parts: &[(Vec<f64>, i32)]) -> Vec<f64> {
        parts.iter().flat_map(|part| part.0.clone()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sums_of_any_scales_are_what_the_coarser_would_have_counted(parts in parts()) {
            let mut sum = Exponential::default();
            parts.iter().for_each(|(samples, scale)| sum.add(&filled(samples, *scale)));
            let coarsest = parts.iter().map(|part| part.1).min().expect("one part");
            prop_assert_eq!(sum, filled(&all(&parts), coarsest));
        }

        #[test]
        fn a_limited_sum_is_the_same_in_whatever_order(parts in parts()) {
            let add = |parts: &mut dyn Iterator<Item = &(Vec<f64>, i32)>| {
                let mut sum = Exponential::default();
                parts.for_each(|(samples, scale)| sum.add_within(&filled(samples, *scale), 16));
                sum
            };
            let sum = add(&mut parts.iter());
            prop_assert_eq!(&sum, &add(&mut parts.iter().rev()));
            prop_assert!(sum.span() <= 16);
            let all = all(&parts);
            // The next finer scale would not fit, unless a part already came at this one.
            let coarsest = parts.iter().map(|part| part.1).min().expect("one part");
            prop_assert!(sum.scale() == coarsest || filled(&all, sum.scale() + 1).span() > 16);
            prop_assert_eq!(&sum, &filled(&all, sum.scale()), "each sample by the edges");
        }

        #[test]
        fn a_quantile_is_in_the_bucket_of_the_exact_one(parts in parts(), permille in 1..1_000) {
            let mut sum = Exponential::default();
            parts.iter().for_each(|(all, scale)| sum.add_within(&filled(all, *scale), 16));
            let mut sorted = all(&parts);
            sorted.sort_by(f64::total_cmp);
            let exact = sorted[(sorted.len() * permille as usize).div_ceil(1_000) - 1];
            let estimate = sum.quantile(f64::from(permille) / 1e3);
            let width = f64::from(-sum.scale()).exp2() * 2f64.ln();
            // An edge's logarithm may round either way.
            prop_assert!((estimate / exact).ln().abs() <= width + 1e-9, "{estimate} {exact}");
        }
    }

    #[test]
    fn samples_of_a_bucket_count_as_evenly_spread_on_a_logarithmic_scale() {
        // 1 to 2 and 2 to 4: the middle of a bucket is its edges' geometric mean.
        let two = Exponential::new(0, [(1, 2), (2, 2)]);
        assert_eq!(two.quantile(0.25), 2f64.sqrt());
        assert_eq!(two.quantile(0.5), 2.0);
        assert_eq!(two.quantile(1.0), 4.0);
        let zeros = two.with_zeros(0.5, 4);
        assert_eq!((zeros.quantile(0.25), zeros.quantile(0.75)), (0.25, 2.0));
        assert!(Exponential::default().quantile(0.5).is_nan());
    }

    #[test]
    fn a_limit_that_nothing_meets_ends_at_the_coarsest_schema() {
        let mut wide = Exponential::new(2, [(-400, 1), (0, 1), (400, 1)]);
        wide.limit_buckets(1);
        assert_eq!((wide.scale(), wide.count()), (SCALE_MIN, 3));
    }
}
