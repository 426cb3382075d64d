//! Checks that the CPU's time-stamp counter keeps the monotonic clock's time.
//!
//! Passes compare the two. The counter is used once it has kept time between two passes, and
//! refused permanently once it has not.

use std::time::{Duration, Instant};

use crate::time::clock::{Clock, Reading};
use crate::time::stamp::nanos;

/// Comparisons are at least this far apart, so that the error of the readings is below 1/1,000 of
/// the interval compared.
const COMPARE_AFTER: Duration = Duration::from_millis(50);

/// The clocks may differ by one part in this many.
const TOLERANCE: u64 = 100;

#[derive(Debug, Default)]
pub(crate) struct TscWatch {
    /// The last comparison.
    last: Option<Reading>,
    refused: bool,
}

impl TscWatch {
    /// Compares the clocks if it is time to; returns whether the counter was just found wrong.
    /// `now` is the pass's monotonic time.
    pub(crate) fn check(&mut self, clock: &Clock, now: Instant) -> bool {
        let soon = |last: &Reading| now.saturating_duration_since(last.monotonic) < COMPARE_AFTER;
        if self.refused || self.last.as_ref().is_some_and(soon) {
            return false;
        }
        let Some(reading) = clock.tsc_reading() else { return false };
        let Some(last) = self.last.replace(reading) else { return false };
        self.refused = !keeps_time(clock, last, reading);
        clock.trust_tsc(!self.refused);
        self.refused
    }
}

fn keeps_time(clock: &Clock, last: Reading, now: Reading) -> bool {
    let elapsed = nanos(now.monotonic.saturating_duration_since(last.monotonic));
    let counted = clock.counted(last.counter, now.counter);
    counted.is_some_and(|counted| counted.abs_diff(elapsed) <= elapsed / TOLERANCE)
}
