//! A classic histogram with Prometheus's addition and quantile estimate.

/// Cumulative counts by bound; the last bound is infinite.
///
/// Follows the description of `histogram_quantile` at
/// <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classic {
    /// Ascending upper bounds, each with the number of samples at or below it.
    buckets: Vec<(f64, u64)>,
}

impl Classic {
    /// A histogram from cumulative buckets in ascending order of their bounds.
    pub fn new(buckets: impl IntoIterator<Item = (f64, u64)>) -> Self {
        Self { buckets: buckets.into_iter().collect() }
    }

    /// Adds another histogram with the same bounds, like `sum by (le)`. A bound in only one of them
    /// would remain a separate series there.
    pub fn add(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        for (own, others) in self.buckets.iter_mut().zip(&other.buckets) {
            debug_assert_eq!(own.0, others.0, "all processes have the same bounds");
            own.1 += others.1;
        }
    }

    /// The buckets.
    pub fn buckets(&self) -> &[(f64, u64)] {
        &self.buckets
    }

    /// The quantile `q` between 0 and 1, interpolated linearly within a bucket. The first bucket
    /// starts at 0; in the last one the result is the bound below it. NaN without samples.
    pub fn quantile(&self, q: f64) -> f64 {
        let Some((last, finite)) = self.buckets.split_last() else { return f64::NAN };
        if last.1 == 0 {
            return f64::NAN;
        }
        let rank = q * last.1 as f64;
        let at = finite.partition_point(|(_, count)| (*count as f64) < rank);
        let (lower, below) = at.checked_sub(1).map_or((0.0, 0), |before| finite[before]);
        let Some(&(upper, count)) = finite.get(at) else { return lower };
        if count == below {
            return upper;
        }
        lower + (upper - lower) * (rank - below as f64) / (count - below) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTED: [(f64, u64); 4] = [(1.0, 10), (2.0, 10), (4.0, 30), (f64::INFINITY, 40)];

    #[test]
    fn samples_of_a_bucket_count_as_evenly_spread() {
        let classic = Classic::new(COUNTED);
        // 5 of the first 10; 10 of the 20 between 2 and 4.
        assert_eq!(classic.quantile(0.125), 0.5);
        assert_eq!(classic.quantile(0.25), 1.0);
        assert_eq!(classic.quantile(0.5), 3.0);
        assert_eq!(classic.quantile(0.75), 4.0);
    }

    #[test]
    fn beyond_the_last_bound_nothing_is_known_but_the_bound() {
        assert_eq!(Classic::new(COUNTED).quantile(0.99), 4.0);
        assert_eq!(Classic::new([(f64::INFINITY, 3)]).quantile(0.5), 0.0);
        assert!(Classic::default().quantile(0.5).is_nan());
        assert!(Classic::new([(1.0, 0), (f64::INFINITY, 0)]).quantile(0.5).is_nan());
    }

    #[test]
    fn a_sum_counts_the_samples_of_both() {
        let mut sum = Classic::default();
        sum.add(&Classic::new(COUNTED));
        sum.add(&Classic::new(COUNTED));
        assert_eq!(sum.buckets()[2], (4.0, 60));
        assert_eq!(sum.quantile(0.5), Classic::new(COUNTED).quantile(0.5));
    }
}
