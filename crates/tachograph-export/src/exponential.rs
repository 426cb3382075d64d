//! Distributions in exponential buckets, for Prometheus's native histograms and OTLP's exponential
//! histograms.
//!
//! At a given scale (Prometheus: schema), bucket `i` holds the values in `(base^(i - 1), base^i]`,
//! with `base = 2^(2^-scale)`. Indexes follow Prometheus; bucket `i` of OTLP is `i + 1` here.
//!
//! A snapshot bucket that straddles an edge is counted on the side of its middle. A sample can land
//! in the wrong bucket only if it lies within 1/2,048 of an edge; no sample is lost or counted
//! twice.

use std::sync::LazyLock;

use tachograph::Buckets;

/// The finest scale: 256 buckets per power of two, each 0.27 % wide.
pub(crate) const SCALE_MAX: i32 = 8;

/// The coarsest scale: each bucket spans a factor of 65,536.
pub(crate) const SCALE_MIN: i32 = -4;

/// 2^-128: values at or below it count as zero, as in Prometheus's own clients.
pub(crate) const ZERO_THRESHOLD: f64 = 1.0 / (1u128 << 127) as f64 / 2.0;

/// A distribution in exponential buckets. Reusable: `fill` keeps the allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exponential {
    scale: i32,
    zero_count: u64,
    buckets: Vec<(i32, u64)>,
}

impl Exponential {
    /// Replaces the contents with `distribution`. `scale` is from [`SCALE_MIN`] to [`SCALE_MAX`].
    pub(crate) fn fill(&mut self, distribution: &Buckets, scale: i32) {
        debug_assert!((SCALE_MIN..=SCALE_MAX).contains(&scale));
        self.scale = scale;
        self.zero_count = 0;
        self.buckets.clear();
        // The upper edge of the bucket that was counted into last.
        let mut edge = ZERO_THRESHOLD;
        for (units, count) in distribution.placed() {
            let value = distribution.scaled(units).min(f64::MAX);
            if value > edge {
                let index = index(value, scale);
                edge = upper_edge(index, scale);
                self.buckets.push((index, count));
            } else if let Some((_, counted)) = self.buckets.last_mut() {
                *counted += count;
            } else {
                self.zero_count += count;
            }
        }
    }

    /// The number of samples at or below the zero threshold.
    pub(crate) fn zero_count(&self) -> u64 {
        self.zero_count
    }

    /// Index and count of each non-empty bucket, in ascending order.
    pub(crate) fn buckets(&self) -> &[(i32, u64)] {
        &self.buckets
    }
}

/// OTLP chooses a scale for each distribution.
#[cfg(feature = "otlp")]
impl Exponential {
    /// Halves the number of buckets per power of two, `times` times.
    pub(crate) fn coarsen(&mut self, times: u32) {
        self.scale -= times.cast_signed();
        for (index, _) in &mut self.buckets {
            *index = coarser(*index, times);
        }
        self.buckets.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            kept.1 += if same { later.1 } else { 0 };
            same
        });
    }

    /// Coarsens until the span from the first to the last non-empty bucket is at most `buckets_max`
    /// buckets.
    pub(crate) fn coarsen_to(&mut self, buckets_max: usize) {
        let (Some(first), Some(last)) = (self.buckets.first(), self.buckets.last()) else { return };
        let too_many = |times: &u32| {
            let distance = coarser(last.0, *times) - coarser(first.0, *times);
            distance.unsigned_abs() as usize >= buckets_max
        };
        let times = (0..(self.scale - SCALE_MIN).unsigned_abs()).take_while(too_many).count();
        self.coarsen(times as u32);
    }

    pub(crate) fn scale(&self) -> i32 {
        self.scale
    }
}

/// `2^(k/256 - 1)`: the edges within a power of two at the finest scale.
static EDGES: LazyLock<[f64; 256]> =
    LazyLock::new(|| std::array::from_fn(|k| (k as f64 / 256.0 - 1.0).exp2()));

/// The number of edges below each 256th of a power of two: where the search for a fraction's edge
/// starts. At most two more edges lie within one 256th.
static EDGES_BELOW: LazyLock<[u16; 256]> = LazyLock::new(|| {
    std::array::from_fn(|part| {
        let start = 0.5 + part as f64 / 512.0;
        EDGES.partition_point(|edge| *edge < start) as u16
    })
});

const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;

/// The bucket of a finite value above the zero threshold.
fn index(value: f64, scale: i32) -> i32 {
    let bits = value.to_bits();
    // value = fraction * 2^exponent, with fraction in [0.5, 1).
    let exponent = (bits >> FRACTION_BITS) as i32 - 1022;
    let fraction = f64::from_bits((bits & FRACTION) | (1022 << FRACTION_BITS));
    let part = (bits & FRACTION) >> (FRACTION_BITS - 8);
    let below = usize::from(EDGES_BELOW[part as usize]);
    let more = EDGES[below..].iter().take_while(|edge| **edge < fraction).count();
    coarser((exponent - 1) * 256 + (below + more) as i32, (SCALE_MAX - scale).cast_unsigned())
}

/// The greatest value of a bucket; infinite above the range of `f64`.
fn upper_edge(index: i32, scale: i32) -> f64 {
    let finest = i64::from(index) << (SCALE_MAX - scale);
    let exponent = (finest >> 8) + 1023;
    if exponent > 2046 {
        return f64::INFINITY;
    }
    // Twice the edge is in [1, 2), and the exponent is that of a normal float because the value's
    // is.
    let power = f64::from_bits(exponent.cast_unsigned() << FRACTION_BITS);
    EDGES[(finest & 255) as usize] * 2.0 * power
}

/// The bucket that contains bucket `index` at a coarser scale.
fn coarser(index: i32, times: u32) -> i32 {
    (index + ((1 << times) - 1)) >> times
}

#[cfg(test)]
mod tests {
    use tachograph::{MetricsCollector, Unit};

    use super::*;

    fn filled(scale: f64, samples: &[u64], at: i32) -> Exponential {
        let metrics = MetricsCollector::builder().manual().build();
        metrics.describe_scaled("x", Unit::None, scale, "");
        samples.iter().for_each(|sample| metrics.histogram("x", *sample));
        let mut exponential = Exponential::default();
        if let Some(stats) = metrics.get_timing("x") {
            exponential.fill(stats.buckets(), at);
        }
        exponential
    }

    #[test]
    fn powers_of_the_base_are_the_greatest_values_of_their_buckets() {
        for scale in SCALE_MIN..=SCALE_MAX {
            for exponent in [-120, -30, -16, 0, 16, 64, 1008] {
                let value = 2f64.powi(exponent);
                let expected = (f64::from(exponent) * f64::from(scale).exp2()).ceil() as i32;
                assert_eq!(index(value, scale), expected, "2^{exponent} at {scale}");
                assert_eq!(
                    index(value.next_up(), scale),
                    expected
                        .max((f64::from(exponent) * f64::from(scale).exp2()).floor() as i32 + 1)
                );
            }
        }
    }

    #[test]
    fn every_value_lies_between_the_edges_of_its_bucket() {
        let mut value = 3e-38;
        while value < f64::MAX / 2.0 {
            for scale in SCALE_MIN..=SCALE_MAX {
                let index = index(value, scale);
                let (low, high) = (upper_edge(index - 1, scale), upper_edge(index, scale));
                assert!(low < value && value <= high, "{low} {value} {high} at {scale}");
            }
            value *= 1.37;
        }
    }

    #[test]
    fn all_samples_are_counted_zeros_and_the_greatest_included() {
        let samples = [0, 0, 1, 2, 3, 1_000, 1_000_000, u64::MAX];
        for (scale, at) in [(1.0, 5), (1e300, 8), (1e-9, 0), (1e-300, 3)] {
            let exponential = filled(scale, &samples, at);
            let counted: u64 = exponential.buckets().iter().map(|(_, count)| count).sum();
            assert_eq!(counted + exponential.zero_count(), 8, "{exponential:?}");
            assert!(exponential.zero_count() >= 2);
        }
    }

    #[test]
    fn a_bound_on_the_buckets_takes_the_finest_scale_that_keeps_it() {
        for (samples, max, scale) in [
            (&[7][..], 160, 8),
            (&[1_000, 1_600], 160, 7),
            (&[0, 1, u64::MAX], 160, 1),
            (&[0, 1, u64::MAX], 8, -4),
        ] {
            let mut bounded = filled(1.0, samples, SCALE_MAX);
            bounded.coarsen_to(max);
            assert_eq!(bounded, filled(1.0, samples, scale), "{samples:?}");
        }
    }

    #[test]
    fn coarsening_is_the_same_as_a_coarser_scale_from_the_start() {
        let samples: Vec<u64> = (0..4_000).map(|i| i * i * 37).collect();
        for times in 0..12 {
            let mut exponential = filled(1.0, &samples, SCALE_MAX);
            exponential.coarsen(times);
            let at_once = filled(1.0, &samples, SCALE_MAX - times.cast_signed());
            assert_eq!(exponential, at_once);
        }
    }
}
