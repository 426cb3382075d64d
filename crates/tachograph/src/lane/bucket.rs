//! The bucket layout: that of an HDR histogram with three significant digits.
//!
//! Values below 2,048 have a bucket each; above, every power of two is split into 1,024 buckets, so
//! a bucket's width is at most 1/1,024 of its lower edge. All of `u64` takes 56,320 buckets, which
//! fits a `u16`. Follows Gil Tene's HdrHistogram. Overload uses a coarse layout with sixteen
//! buckets per power of two; each coarse bucket consists of whole fine ones.

/// Significant bits that a bucket keeps.
const PRECISION_BITS: u32 = 11;

/// The bucket of a value.
#[inline]
pub(crate) fn index(value: u64) -> u16 {
    // At most 53 * 1024 + 2047.
    index_in(PRECISION_BITS, value) as u16
}

#[inline]
const fn index_in(bits: u32, value: u64) -> u32 {
    let magnitude = u64::BITS - (value | ((1 << bits) - 1)).leading_zeros() - bits;
    (magnitude << (bits - 1)) + (value >> magnitude) as u32
}

/// The coarse layout, with sixteen buckets per power of two: what overload keeps of a value.
pub(crate) mod coarse {
    use super::{index_in, split_in};

    const PRECISION_BITS: u32 = 5;

    /// Buckets for all of `u64`; in a model, those of the smallest values.
    pub(crate) const BUCKETS: usize =
        if cfg!(tachograph_loom) { 2 } else { index_in(PRECISION_BITS, u64::MAX) as usize + 1 };

    /// The largest relative distance between a value and its bucket's representative: half of a
    /// sixteenth, plus a bucket of the fine layout.
    pub(crate) const ERROR: f64 = 1.0 / 32.0 + 1.0 / 2048.0;

    /// The bucket of a value.
    #[inline]
    pub(crate) fn index(value: u64) -> usize {
        (index_in(PRECISION_BITS, value) as usize).min(BUCKETS - 1)
    }

    /// The least and the greatest value of a bucket.
    pub(crate) fn ends(bucket: usize) -> (u64, u64) {
        let (magnitude, sub) = split_in(PRECISION_BITS, bucket as u32);
        let low = u64::from(sub) << magnitude;
        (low, low + ((1 << magnitude) - 1))
    }
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
fn split_in(bits: u32, index: u32) -> (u32, u32) {
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
    fn coarse_buckets_tile_all_values_and_are_at_most_a_sixteenth_wide() {
        assert_eq!((coarse::ends(0).0, coarse::ends(coarse::BUCKETS - 1).1), (0, u64::MAX));
        for bucket in 0..coarse::BUCKETS {
            let (low, high) = coarse::ends(bucket);
            assert_eq!((coarse::index(low), coarse::index(high)), (bucket, bucket));
            assert!(high - low <= low / 16, "{low} to {high}");
            assert!(bucket == 0 || coarse::ends(bucket - 1).1 + 1 == low);
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
