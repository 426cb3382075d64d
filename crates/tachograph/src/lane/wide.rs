//! Sums of floats that survive cancellation.

use serde::{Deserialize, Serialize};

/// A float with twice the precision, as the sum of two non-overlapping floats: 1e16, a thousand
/// ones and -1e16 add up to a thousand. Follows T. J. Dekker and D. E. Knuth.
///
/// A sum that exceeds the range of floats becomes infinite and stays so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wide {
    #[serde(with = "crate::series::encoding::float")]
    pub(crate) high: f64,
    #[serde(with = "crate::series::encoding::float")]
    pub(crate) low: f64,
}

/// The rounded sum and its rounding error.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_of_it = sum - a;
    (sum, (a - (sum - b_of_it)) + (b - b_of_it))
}

impl Wide {
    pub(crate) fn plus(self, value: f64) -> Self {
        let (high, lost) = two_sum(self.high, value);
        Self::of(high, lost + self.low)
    }

    pub(crate) fn sum(self, other: Self) -> Self {
        let (high, lost) = two_sum(self.high, other.high);
        let (low, lost_low) = two_sum(self.low, other.low);
        let first = Self::of(high, lost + low);
        Self::of(first.high, first.low + lost_low)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.sum(Self { high: -other.high, low: -other.low })
    }

    fn of(high: f64, low: f64) -> Self {
        let (sum, low) = two_sum(high, low);
        // Beyond the range of floats, the rounding error is NaN.
        if high.is_finite() && sum.is_finite() {
            Self { high: sum, low }
        } else {
            Self { high: if high.is_nan() { 0.0 } else { high }, low: 0.0 }
        }
    }

    /// The mean of `count` values; the greatest float if the sum overflowed.
    pub(crate) fn over(self, count: u64) -> f64 {
        ((self.high + self.low) / count as f64).clamp(f64::MIN, f64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: impl IntoIterator<Item = f64>) -> Wide {
        values.into_iter().fold(Wide::default(), Wide::plus)
    }

    #[test]
    fn what_cancels_out_leaves_what_it_has_hidden() {
        let hidden = [1e16].into_iter().chain([1.0; 1_000]).chain([-1e16]);
        assert_eq!(sum(hidden).over(1_002), 1_000.0 / 1_002.0);
        let parts = [sum([1e16]), sum([1.0; 1_000]), sum([-1e16])];
        let total = parts.into_iter().fold(Wide::default(), Wide::sum);
        assert_eq!(total.minus(sum([1_000.0])), Wide::default());
    }

    #[test]
    fn tenths_add_up_as_integers_do() {
        // Multiples of 1/1024, so that the exact sum is known.
        let values: Vec<i64> = (0..10_000).map(|i| (i * 7_919) % 1_000_003 - 500_000).collect();
        let exact: i64 = values.iter().sum();
        let scaled = values.iter().map(|&value| value as f64 * 1e9 / 1024.0);
        assert_eq!(sum(scaled).over(1), exact as f64 * 1e9 / 1024.0);
    }

    #[test]
    fn a_sum_beyond_all_floats_stays_at_the_greatest() {
        assert_eq!(sum([f64::MAX; 3]).over(3), f64::MAX);
        assert_eq!(sum([f64::MIN; 3]).plus(1.0).over(4), f64::MIN);
        assert_eq!(sum([f64::MAX; 3]).minus(sum([f64::MAX; 3])).over(1), 0.0);
    }
}
