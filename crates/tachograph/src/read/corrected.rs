//! Correction for coordinated omission, applied when reading.
//!
//! A caller that works at a fixed rate but waits for each answer measures a stall once, although it
//! should have measured it as often as it would have called. The correction adds the missing
//! samples: the value minus one interval, minus two, and so on, down to one interval. Follows Gil
//! Tene's HdrHistogram.

use std::time::Duration;

use crate::lane::bucket;
use crate::limits::CORRECTED_PARTS;
use crate::read::buckets::Buckets;
use crate::read::rows::{self, Totals};
use crate::read::stats::TimingStats;
use crate::time::stamp::nanos;

impl TimingStats {
    /// A copy with the samples that a caller at a fixed rate missed while it waited: for each
    /// sample above `expected_interval`, the sample minus one interval, minus two, and so on, down
    /// to one interval, like HdrHistogram's corrected copies.
    ///
    /// For timings, and for histograms whose unit is seconds. An interval of zero corrects nothing;
    /// one below a millionth of the greatest sample is raised to that. In seconds, added samples
    /// have the same error as the samples that they come from, so [`error`](TimingStats::error)
    /// only holds near these. For each bucket with samples above the interval, costs one step per
    /// bucket that gets a sample.
    #[must_use]
    pub fn corrected(&self, expected_interval: Duration) -> Self {
        let buckets = self.buckets();
        let interval = match buckets.scale() {
            1e-9 => nanos(expected_interval),
            scale => (expected_interval.as_secs_f64() / scale) as u64,
        };
        if interval == 0 {
            return self.clone();
        }
        let mut corrected = Corrected::new(buckets);
        let interval = interval.max(buckets.totals().max / CORRECTED_PARTS);
        buckets.iter().for_each(|it| corrected.add_missing(it.high, it.count, interval));
        Self::of(corrected.finish(buckets))
    }
}

/// Counts by bucket, and their totals.
struct Corrected {
    counts: Vec<u64>,
    totals: Totals,
}

impl Corrected {
    fn new(buckets: &Buckets) -> Self {
        let last = buckets.rows().last().map_or(0, |row| row.0);
        let mut counts = vec![0; usize::from(last) + 1];
        buckets.rows().iter().for_each(|row| counts[usize::from(row.0)] += u64::from(row.1));
        Self { counts, totals: buckets.totals() }
    }

    /// Adds the missing samples below `times` samples of a value, for a whole bucket at once.
    fn add_missing(&mut self, value: u64, times: u64, interval: u64) {
        let mut next = value.saturating_sub(interval);
        while next >= interval {
            let bucket = bucket::index(next);
            let low = bucket::low(bucket).max(interval);
            let more = (next - low) / interval;
            let last = next - more * interval;
            let missing = (more + 1).saturating_mul(times);
            self.counts[usize::from(bucket)] += missing;
            self.totals.count += missing;
            let twice = (u128::from(next) + u128::from(last)).wrapping_mul(u128::from(more + 1));
            self.totals.sum =
                self.totals.sum.wrapping_add((twice / 2).wrapping_mul(u128::from(times)));
            self.totals.min = self.totals.min.min(last);
            next = last.saturating_sub(interval);
        }
    }

    fn finish(self, of: &Buckets) -> Buckets {
        let mut rows = Vec::new();
        for (bucket, &count) in self.counts.iter().enumerate() {
            rows::push(&mut rows, bucket as u16, count);
        }
        Buckets::new(rows.into(), of.coarse().into(), self.totals, of.scale())
    }
}
