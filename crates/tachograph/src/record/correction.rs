//! Samples that a stalled load generator did not take: correction for coordinated omission.
//!
//! A caller that works at a fixed rate and waits for each answer measures a stall once, where it
//! should have measured it as often as it would have called. The correction adds these samples:
//! the value less one interval, less two, and so on, down to one interval. Follows Gil Tene's
//! HdrHistogram.

use crate::lane::bucket::coarse;
use crate::lane::sample::Sample;
use crate::lane::writer::LaneWriter;
use crate::limits::{CORRECTED_SAMPLES, CORRECTED_SHIFT};
use crate::record::handle::Handle;
use crate::record::operation::{Compound, Operation};

/// A value and the samples that are missing below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correction {
    value: u64,
    interval: u64,
    /// How many samples are missing.
    missing: u64,
}

impl Correction {
    /// An interval of 0 expects nothing, so nothing is missing.
    pub(crate) fn new(value: u64, expected_interval: u64) -> Self {
        // So that the counts of any number of corrections stay far below 64 bits.
        let interval = expected_interval.max(value >> CORRECTED_SHIFT);
        let missing = match expected_interval {
            0 => 0,
            _ => (value / interval).saturating_sub(1),
        };
        Self { value, interval, missing }
    }

    /// The missing sample number `k`, from 1 to `missing`; the greatest first.
    fn sample(&self, k: u64) -> u64 {
        self.value - k * self.interval
    }

    /// Coalesces the missing samples from number `first` on.
    #[cold]
    fn coalesce(&self, first: u64, writer: &LaneWriter, handle: &Handle) {
        let count = self.missing - first + 1;
        let Some(row) = writer.lane().rows.take(handle.slot) else {
            return handle.overloaded_by(count);
        };
        let (greatest, least) = (self.sample(first), self.sample(self.missing));
        let sum = (u128::from(greatest) + u128::from(least)) * u128::from(count) / 2;
        row.add_many(least, greatest, sum, |bucket| {
            let (low, high) = coarse::ends(bucket);
            self.between(first, low, high)
        });
    }

    /// How many missing samples from number `first` on lie from `low` to `high`.
    fn between(&self, first: u64, low: u64, high: u64) -> u64 {
        let Some(from_low) = self.value.checked_sub(low) else { return 0 };
        let last = (from_low / self.interval).min(self.missing);
        let start = self.value.saturating_sub(high).div_ceil(self.interval).max(first);
        (last + 1).saturating_sub(start)
    }
}

impl Compound for Correction {
    /// The measured one included.
    fn samples(&self) -> u64 {
        1 + self.missing
    }

    /// Records all of it: the greatest one by one, so that the tail stays sharp, and the rest, or
    /// what the lane has no room for, coalesced in place. Both are bounded.
    fn perform(&self, writer: &LaneWriter, handle: &Handle) {
        Operation::Sample.perform(writer, handle, self.value);
        let mut next = 1;
        while next <= self.missing.min(CORRECTED_SAMPLES) {
            let sample = Sample { series: handle.id, value: self.sample(next) };
            if writer.push(sample).is_err() {
                break;
            }
            next += 1;
        }
        if next <= self.missing {
            self.coalesce(next, writer, handle);
        }
    }
}
