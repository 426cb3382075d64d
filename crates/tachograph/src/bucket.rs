//! The bucket layout: that of an HDR histogram with three significant digits.
//!
//! Values below 2,048 have a bucket each; above, every power of two is cut into 1,024 buckets, so
//! a bucket is at most 1/1,024 of its lower edge wide. All of `u64` takes 56,320 buckets, which
//! fits a `u16`. Follows Gil Tene's HdrHistogram.

/// Significant bits that a bucket keeps.
const PRECISION_BITS: u32 = 11;
const HALF: u32 = 1 << (PRECISION_BITS - 1);

/// The bucket of a value.
#[inline]
pub(crate) fn index(value: u64) -> u16 {
    let magnitude = u64::BITS - (value | u64::from(2 * HALF - 1)).leading_zeros() - PRECISION_BITS;
    // At most 53 * 1024 + 2047.
    (magnitude * HALF + (value >> magnitude) as u32) as u16
}

/// The least value of a bucket.
#[inline]
pub(crate) fn low(index: u16) -> u64 {
    let (magnitude, sub) = split(index);
    u64::from(sub) << magnitude
}

/// The greatest value of a bucket.
#[inline]
pub(crate) fn high(index: u16) -> u64 {
    let (magnitude, _) = split(index);
    low(index) + ((1 << magnitude) - 1)
}

/// The value that stands for a bucket: its middle, at most 1/2,048 from any value in it.
#[inline]
pub(crate) fn middle(index: u16) -> u64 {
    let (magnitude, _) = split(index);
    low(index) + ((1 << magnitude) >> 1)
}

#[inline]
fn split(index: u16) -> (u32, u32) {
    let index = u32::from(index);
    let magnitude = (index / HALF).saturating_sub(1);
    (magnitude, index - magnitude * HALF)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values around every power of two, and the ends.
    fn interesting() -> impl Iterator<Item = u64> {
        (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([0, u64::MAX])
    }

    #[test]
    fn layout_is_that_of_an_hdr_histogram() {
        let mut hdr = hdrhistogram::Histogram::<u64>::new(3).expect("three digits are valid");
        for value in interesting() {
            hdr.auto(true);
            if hdr.record(value).is_err() {
                continue;
            }
            assert_eq!(low(index(value)), hdr.lowest_equivalent(value), "{value}");
            assert_eq!(high(index(value)), hdr.highest_equivalent(value), "{value}");
        }
    }

    #[test]
    fn buckets_tile_all_values_in_order() {
        let last = index(u64::MAX);
        assert_eq!((low(0), high(last)), (0, u64::MAX));
        for bucket in 0..last {
            assert_eq!(high(bucket) + 1, low(bucket + 1));
            assert_eq!(index(low(bucket)), bucket);
            assert_eq!(index(high(bucket)), bucket);
        }
    }

    #[test]
    fn the_middle_is_within_a_two_thousandth_of_every_value() {
        for value in interesting() {
            let error = middle(index(value)).abs_diff(value) as f64;
            assert!(error <= value as f64 / 2048.0, "{value}: {error}");
        }
    }
}
