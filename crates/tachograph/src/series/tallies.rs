//! Counts of events on recording threads other than records.
//!
//! # Synchronization
//! Shared words that only cold paths touch; each guards no other data.

use crate::series::drop_reason::DropReason;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// Counts of events on recording threads other than records. Written by any thread, read by the
/// aggregator.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    dropped: [AtomicU64; DropReason::ALL.len()],
    pub(crate) clock_anomalies: Tally,
    pub(crate) monotonic_decrements: Tally,
    pub(crate) truncated: Tally,
    pub(crate) kind_conflicts: Tally,
    pub(crate) overflowed: Tally,
    /// Traces for which a lane had no room; their samples were recorded.
    pub(crate) exemplars_dropped: Tally,
    /// Panics of the user's callbacks.
    pub(crate) callback_panics: Tally,
    /// Whether a signal handler has ever counted, so that passes check for it. Set by handlers,
    /// read by the pass.
    signalled: AtomicBool,
}

/// A shared count of rare events.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    pub(crate) fn add(&self, amount: u64) {
        // Relaxed: the count guards no other data.
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: see `add`.
        self.0.load(Ordering::Relaxed)
    }
}

impl Tallies {
    pub(crate) fn drop_sample(&self, reason: DropReason) {
        // Relaxed: the count guards no other data.
        self.dropped[reason as usize].fetch_add(1, Ordering::Relaxed);
        if reason == DropReason::KindConflict {
            self.kind_conflicts.add(1);
        }
    }

    /// Resets every count. No other thread may be recording.
    pub(crate) fn start_over(&self) {
        let Self {
            dropped,
            clock_anomalies,
            monotonic_decrements,
            truncated,
            kind_conflicts,
            overflowed,
            exemplars_dropped,
            callback_panics,
            signalled: _,
        } = self;
        let tallies = [
            clock_anomalies,
            monotonic_decrements,
            truncated,
            kind_conflicts,
            overflowed,
            exemplars_dropped,
            callback_panics,
        ];
        for count in dropped.iter().chain(tallies.map(|tally| &tally.0)) {
            // Relaxed: see `drop_sample`.
            count.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        // Relaxed: see `drop_sample`.
        self.dropped[reason as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn dropped_total(&self) -> u64 {
        DropReason::ALL.iter().map(|&reason| self.dropped(reason)).sum()
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
