//! The exact quantiles.

/// The exact quantile, in permille, of sorted samples: the least sample such that at least this
/// share of all samples do not exceed it. `None` without samples.
///
/// ```
/// let sorted = [10, 20, 30, 40];
/// assert_eq!(fleet::quantile(&sorted, 500), Some(20));
/// assert_eq!(fleet::quantile(&sorted, 501), Some(30));
/// assert_eq!(fleet::quantile(&sorted, 1_000), Some(40));
/// ```
pub fn quantile(sorted: &[u64], permille: usize) -> Option<u64> {
    let rank = (sorted.len() * permille).div_ceil(1_000).max(1);
    sorted.get(rank - 1).copied()
}
