//! Counts of events on recording threads other than records.
//!
//! # Synchronization
//! Shared words that only cold paths touch; each guards no other data.

use crate::drops::drop_reason::DropReason;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// A rare event that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tally {
    ClockAnomaly,
    MonotonicDecrement,
    Truncated,
    KindConflict,
    Overflowed,
    /// A trace for which a lane had no room; its sample was recorded.
    ExemplarDropped,
    /// A panic of the user's callbacks.
    CallbackPanic,
}

/// The number of variants.
const TALLIES: usize = Tally::CallbackPanic as usize + 1;

/// Counts of events on recording threads other than records. Written by any thread, read by the
/// aggregator.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    dropped: [AtomicU64; DropReason::ALL.len()],
    events: [AtomicU64; TALLIES],
    /// Whether a signal handler has ever counted, so that passes check for it. Set by handlers,
    /// read by the pass.
    signalled: AtomicBool,
}

impl Tallies {
    pub(crate) fn drop_sample(&self, reason: DropReason) {
        // Relaxed: the count guards no other data.
        self.dropped[reason as usize].fetch_add(1, Ordering::Relaxed);
        if reason == DropReason::KindConflict {
            self.add(Tally::KindConflict, 1);
        }
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        // Relaxed: see `drop_sample`.
        self.dropped[reason as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn dropped_total(&self) -> u64 {
        DropReason::ALL.iter().map(|&reason| self.dropped(reason)).sum()
    }

    pub(crate) fn add(&self, tally: Tally, amount: u64) {
        // Relaxed: the count guards no other data.
        self.events[tally as usize].fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, tally: Tally) -> u64 {
        // Relaxed: see `add`.
        self.events[tally as usize].load(Ordering::Relaxed)
    }

    /// Resets every count. No other thread may be recording.
    pub(crate) fn start_over(&self) {
        for count in self.dropped.iter().chain(&self.events) {
            // Relaxed: see `drop_sample`.
            count.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn note_signal(&self) {
        // Relaxed: the flag guards no other data; a pass that misses it was concurrent.
        self.signalled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_signalled(&self) -> bool {
        // Relaxed: see `note_signal`.
        self.signalled.load(Ordering::Relaxed)
    }
}
