//! The sub-buckets that overload keeps of a value: sixteen for each power of two. Each consists of
//! whole buckets of the fine layout.

use crate::lane::bucket::{index_in, split_in};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_buckets_tile_all_values_and_are_at_most_a_sixteenth_wide() {
        assert_eq!((ends(0).0, ends(BUCKETS - 1).1), (0, u64::MAX));
        for bucket in 0..BUCKETS {
            let (low, high) = ends(bucket);
            assert_eq!((index(low), index(high)), (bucket, bucket));
            assert!(high - low <= low / 16, "{low} to {high}");
            assert!(bucket == 0 || ends(bucket - 1).1 + 1 == low);
        }
    }
}
