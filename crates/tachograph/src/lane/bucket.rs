//! The bucket layout: that of an HDR histogram with three significant digits.
//!
//! Values below 2,048 have a bucket each; above, every power of two is split into 1,024 buckets, so
//! a bucket's width is at most 1/1,024 of its lower edge. All of `u64` takes 56,320 buckets, which
//! fits a `u16`. Follows Gil Tene's HdrHistogram.

/// Significant bits that a bucket keeps.
const PRECISION_BITS: u32 = 11;

/// The bucket of a value.
#[inline]
pub(crate) fn index(value: u64) -> u16 {
    // At most 53 * 1024 + 2047.
    index_in(PRECISION_BITS, value) as u16
}

#[inline]
pub(super) const fn index_in(bits: u32, value: u64) -> u32 {
    let magnitude = u64::BITS - (value | ((1 << bits) - 1)).leading_zeros() - bits;
    (magnitude << (bits - 1)) + (value >> magnitude) as u32
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

/// The representative value of a bucket: its middle, within 1/2,048 of any value in it.
#[inline]
pub(crate) fn middle(index: u16) -> u64 {
    let (magnitude, _) = split(index);
    low(index) + ((1 << magnitude) >> 1)
}

#[inline]
fn split(index: u16) -> (u32, u32) {
    split_in(PRECISION_BITS, u32::from(index))
}

#[inline]
pub(super) fn split_in(bits: u32, index: u32) -> (u32, u32) {
    let magnitude = (index >> (bits - 1)).saturating_sub(1);
    (magnitude, index - (magnitude << (bits - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values around every power of two, and both extremes.
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
