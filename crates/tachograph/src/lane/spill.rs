//! Rows in which a lane coalesces samples while it has no free block, one per series.
//!
//! # Synchronization
//! Only the lane's owner writes a row, except for its epoch; the aggregator reads it in place and
//! folds the difference from what it folded before. A sample's extremes are stored first, then its
//! sum, its bucket (Release) and the row's count (Release). The aggregator loads the count
//! (Acquire), then the buckets (Acquire), then the sum and the extremes. So it sees all words of
//! every counted sample, and the extremes of every sample that it finds in a bucket. A sample in
//! progress may show in part; the next reading has the rest.
//!
//! Minimum and maximum cannot be folded as differences, so they belong to an epoch. See
//! [`Extremes`].

use crate::lane::cell::add;
use crate::lane::coarse_bucket;
use crate::lane::wide::Wide;
use crate::sync::{AtomicU64, Ordering, SingleWriter, Zeroed};

/// The least and the greatest value since an epoch began.
///
/// The aggregator begins an epoch when it has folded a row. The owner notices at its next sample:
/// it sets aside the values of the old epoch, with the count at which that ended, and starts again.
/// No epoch begins before the owner was seen in the last one, so the values set aside always belong
/// to the previous epoch. The aggregator folds the current values, and also those set aside if
/// their epoch ended with samples that it had not folded. So no extreme is missed, and none from
/// before its last reading comes back, unless the owner recorded at the same time as that reading.
#[derive(Debug, Zeroed)]
pub(crate) struct Extremes {
    /// Written by the aggregator, read by the owner.
    epoch: AtomicU64,
    /// The epoch that the owner is in. This and all following fields are written by the owner and
    /// read by the aggregator.
    entered: AtomicU64,
    /// The row's count when the owner entered the epoch.
    start: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    /// The extremes of the previous epoch.
    old_min: AtomicU64,
    old_max: AtomicU64,
}

impl Extremes {
    /// Adds samples that follow the row's first `count`. Only for the owner.
    #[inline]
    fn widen(&self, count: u64, least: u64, greatest: u64) {
        // Acquire: pairs with the Release in `begin_next`; the aggregator has read the values set
        // aside before they are overwritten.
        let epoch = self.epoch.load(Ordering::Acquire);
        if epoch != self.entered.load_own() {
            self.enter(epoch, count);
        }
        let is_first = self.start.load_own() == count;
        // Release: pairs with the Acquire in `read`; a reader that sees a value of this epoch also
        // sees the values set aside before it.
        if is_first || least < self.min.load_own() {
            self.min.store(least, Ordering::Release);
        }
        if is_first || greatest > self.max.load_own() {
            // Release: as above.
            self.max.store(greatest, Ordering::Release);
        }
    }

    #[cold]
    #[inline(never)]
    fn enter(&self, epoch: u64, count: u64) {
        // Relaxed: published by the Release of `start`.
        self.old_min.store(self.min.load_own(), Ordering::Relaxed);
        // Relaxed: as above.
        self.old_max.store(self.max.load_own(), Ordering::Relaxed);
        // Release: pairs with the Acquire in `read`; the values set aside are visible.
        self.start.store(count, Ordering::Release);
        // Release: pairs with the Acquire in `begin_next`; the previous epoch is set aside.
        self.entered.store(epoch, Ordering::Release);
    }

    /// The extremes of all samples after the first `folded`, which were folded before. Called after
    /// the samples were read, of which there must be at least one. Only for the aggregator.
    fn read(&self, folded: u64) -> (u64, u64) {
        // Acquire: pairs with the Release in `widen`.
        let (min, max) = (self.min.load(Ordering::Acquire), self.max.load(Ordering::Acquire));
        // Acquire: pairs with the Release in `enter`.
        if self.start.load(Ordering::Acquire) <= folded {
            return (min, max);
        }
        // Relaxed: ordered by the Acquire above.
        let old_min = self.old_min.load(Ordering::Relaxed);
        // Relaxed: as above.
        (min.min(old_min), max.max(self.old_max.load(Ordering::Relaxed)))
    }

    /// Begins the next epoch if the owner had entered the last one before `read`, as given by
    /// `has_entered`. Only for the aggregator, after it has folded the reading.
    fn begin_next(&self, has_entered: bool) {
        if has_entered {
            // Release: pairs with the Acquire in `widen`.
            self.epoch.store(self.epoch.load_own() + 1, Ordering::Release);
        }
    }

    fn has_entered(&self) -> bool {
        // Acquire: pairs with the Release in `enter`.
        self.entered.load(Ordering::Acquire) == self.epoch.load_own()
    }
}

/// Limbs of a sum: each adds up 22 bits of every value, so none wraps before 2^42 samples have been
/// coalesced between two passes. In models a value fits one limb.
const LIMBS: usize = if cfg!(tachograph_loom) { 1 } else { 3 };
const LIMB_BITS: u32 = 22;

/// The row of a timing or histogram.
///
/// Counts are of 64 bits: one of 32 bits could wrap, unseen, while the aggregator stalls.
#[derive(Debug, Zeroed)]
pub(crate) struct SpillRow {
    /// All samples of the row; stored last. Written by the owner, read by the aggregator.
    count: AtomicU64,
    extremes: Extremes,
    limbs: [AtomicU64; LIMBS],
    buckets: [AtomicU64; coarse_bucket::BUCKETS],
}

impl SpillRow {
    pub(crate) fn add(&self, value: u64) {
        let count = self.count.load_own();
        self.extremes.widen(count, value, value);
        for (i, limb) in self.limbs.iter().enumerate() {
            // The last limb takes all remaining bits: a sum of 2^32 values fits it.
            let mask = if i + 1 < LIMBS { (1 << LIMB_BITS) - 1 } else { u64::MAX };
            add(limb, (value >> (LIMB_BITS * i as u32)) & mask);
        }
        let bucket = &self.buckets[coarse_bucket::index(value)];
        let gained = bucket.load_own().wrapping_add(1);
        // Release: pairs with the Acquire in `read`; the samples' extremes are visible.
        bucket.store(gained, Ordering::Release);
        let counted = count.wrapping_add(1);
        // Release: pairs with the Acquire in `count`; the words of `counted` samples are visible.
        self.count.store(counted, Ordering::Release);
    }

    /// Samples coalesced so far: a cheap check for anything new.
    pub(crate) fn count(&self) -> u64 {
        // Acquire: pairs with the Release in `add`.
        self.count.load(Ordering::Acquire)
    }

    fn read(&self) -> SpillReading {
        let count = self.count();
        // Acquire: pairs with the Release in `add`.
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Ordering::Acquire));
        let buckets = (0..).zip(buckets).filter(|&(_, samples)| samples > 0).collect();
        // Relaxed: ordered by the Acquires above.
        let limbs = std::array::from_fn(|i| self.limbs[i].load(Ordering::Relaxed));
        SpillReading { count, buckets, limbs }
    }

    /// Calls `fold` with the gain since `base` was read, and advances `base`. If `fold` panics, the
    /// gain counts as not folded.
    pub(crate) fn fold_gain(&self, base: &mut SpillReading, fold: impl FnOnce(&SpillGain)) {
        if self.count() == base.count {
            return;
        }
        let now = self.read();
        let mut gain = now.since(base);
        if gain.buckets.is_empty() {
            // These were seen in progress before. The sum may hold part of the next sample, so it
            // waits.
            base.count = now.count;
            return;
        }
        let has_entered = self.extremes.has_entered();
        (gain.min, gain.max) = self.extremes.read(base.count);
        fold(&gain);
        *base = now;
        self.extremes.begin_next(has_entered);
    }
}

/// The content of a spill row when it was read.
#[derive(Debug, Default)]
pub(crate) struct SpillReading {
    count: u64,
    /// The non-empty ones, in ascending order.
    buckets: Vec<(u16, u64)>,
    limbs: [u64; LIMBS],
}

/// The gain of a spill row between two readings.
#[derive(Debug, Default)]
pub(crate) struct SpillGain {
    /// Non-empty coarse buckets, in ascending order.
    pub(crate) buckets: Vec<(u16, u64)>,
    /// The exact sum of the coalesced values.
    pub(crate) sum: u128,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl SpillReading {
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    fn since(&self, base: &Self) -> SpillGain {
        let before = |bucket| {
            let found = base.buckets.binary_search_by_key(&bucket, |known| known.0);
            found.map_or(0, |place| base.buckets[place].1)
        };
        let gained =
            self.buckets.iter().map(|&(bucket, n)| (bucket, n.wrapping_sub(before(bucket))));
        let limb = |i: usize| {
            u128::from(self.limbs[i].wrapping_sub(base.limbs[i])) << (LIMB_BITS * i as u32)
        };
        SpillGain {
            buckets: gained.filter(|&(_, samples)| samples > 0).collect(),
            sum: (0..LIMBS).map(limb).sum(),
            ..SpillGain::default()
        }
    }
}

impl SpillGain {
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|&(_, samples)| samples).sum()
    }
}

/// The row of a gauge: the number of values, how many are finite, their sum, and the extremes.
#[derive(Debug, Zeroed)]
pub(crate) struct GaugeRow {
    /// Stored last. This and all following fields are written by the owner and read by the
    /// aggregator.
    count: AtomicU64,
    finite: AtomicU64,
    /// Both floats of a [`Wide`].
    sum: [AtomicU64; 2],
    extremes: Extremes,
}

/// The values that a gauge was set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Levels {
    pub(crate) sum: Wide,
    pub(crate) finite: u64,
    pub(crate) count: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Default for Levels {
    fn default() -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { sum: Wide::default(), finite: 0, count: 0, min, max }
    }
}

impl GaugeRow {
    pub(crate) fn add(&self, value: f64) {
        let count = self.count.load_own();
        let key = key(value);
        self.extremes.widen(count, key, key);
        // The mean leaves out infinite values, and values that would make the sum permanently
        // infinite.
        if self.add_to_sum(value) {
            add(&self.finite, 1);
        }
        // Release: pairs with the Acquire in `count`.
        self.count.store(count.wrapping_add(1), Ordering::Release);
    }

    /// Adds to the sum, unless that would make it infinite.
    fn add_to_sum(&self, value: f64) -> bool {
        let [high, low] = [0, 1].map(|i| f64::from_bits(self.sum[i].load_own()));
        let sum = Wide { high, low }.plus(value);
        if !value.is_finite() || !sum.high.is_finite() {
            return false;
        }
        for (word, part) in self.sum.iter().zip([sum.high, sum.low]) {
            // Relaxed: a single writer; ordered by the Release in `add`.
            word.store(part.to_bits(), Ordering::Relaxed);
        }
        true
    }

    /// The sum of all values added so far.
    fn sum(&self) -> Wide {
        // Relaxed: ordered by the Acquire in `count`. A sample in progress may show in part; the
        // next reading has the rest.
        let [high, low] = [0, 1].map(|i| f64::from_bits(self.sum[i].load(Ordering::Relaxed)));
        Wide { high, low }
    }

    /// Values coalesced so far.
    pub(crate) fn count(&self) -> u64 {
        // Acquire: pairs with the Release in `add`; the words of `count` samples are visible.
        self.count.load(Ordering::Acquire)
    }

    /// Like [`SpillRow::fold_gain`].
    pub(crate) fn fold_gain(&self, base: &mut Levels, fold: impl FnOnce(&Levels)) {
        let count = self.count();
        // A value that is added but not yet counted stays for the next reading.
        if count == base.count {
            return;
        }
        // Relaxed: ordered by the Acquire above.
        let finite = self.finite.load(Ordering::Relaxed);
        let sum = self.sum();
        let has_entered = self.extremes.has_entered();
        let (min, max) = self.extremes.read(base.count);
        fold(&Levels {
            sum: sum.minus(base.sum),
            finite: finite - base.finite,
            count: count - base.count,
            min: of_key(min),
            max: of_key(max),
        });
        *base = Levels { sum, finite, count, ..Levels::default() };
        self.extremes.begin_next(has_entered);
    }
}

const SIGN: u64 = 1 << 63;

/// Maps a float to an integer of the same order.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn of_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_order_as_keys() {
        let ascending =
            [f64::NEG_INFINITY, -2.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 7.0, f64::INFINITY];
        assert!(ascending.map(key).is_sorted());
        assert_eq!(ascending.map(key).map(of_key), ascending);
    }

    #[test]
    fn counts_beyond_32_bits_stay_exact_between_two_readings() {
        let row = &crate::sync::zeroed::<SpillRow>(1)[0];
        let mut base = SpillReading::default();
        // As if thrice 2^32 - 1 samples had come while the aggregator stalls.
        let samples = 3 * u64::from(u32::MAX);
        row.add(5_000);
        for word in [&row.count, &row.buckets[coarse_bucket::index(5_000)]] {
            // Relaxed: there is one thread.
            word.store(samples, Ordering::Relaxed);
        }
        // Relaxed: see above.
        row.limbs[0].store(samples * 5_000, Ordering::Relaxed);
        row.add(7);
        row.fold_gain(&mut base, |gain| {
            assert_eq!((gain.count(), gain.min, gain.max), (samples + 1, 7, 5_000));
            assert_eq!(gain.sum, u128::from(samples) * 5_000 + 7);
        });
        row.add(6_000);
        row.fold_gain(&mut base, |gain| {
            assert_eq!((gain.count(), gain.min, gain.max), (1, 6_000, 6_000));
        });
        row.fold_gain(&mut base, |_| panic!("nothing was gained"));
    }
}
