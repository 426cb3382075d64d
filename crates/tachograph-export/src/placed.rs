//! Where the samples of a distribution lie.

use tachograph::Buckets;

/// The value that stands for each bucket, in recorded units, and how many samples it stands for, in
/// ascending order: the bucket's middle, which is within 1/2,048 of every sample in it, but never
/// beyond the least and the greatest sample.
pub(crate) fn placed(distribution: &Buckets) -> impl Iterator<Item = (u64, u64)> {
    let least = distribution.min().unwrap_or(0);
    let greatest = distribution.max().unwrap_or(u64::MAX);
    distribution.iter().map(move |bucket| {
        let middle = bucket.low + (bucket.high - bucket.low).div_ceil(2);
        (middle.min(greatest).max(least), bucket.count)
    })
}
