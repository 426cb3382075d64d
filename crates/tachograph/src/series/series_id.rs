//! The identity of a series, shared by every thread that records it.
//!
//! # Synchronization
//! `current` is stored by the thread that sets the gauge, after it has published the sample
//! (Release), and loaded by the pass before it drains (Acquire). The drop counts are shared words
//! that only overload and misuse touch.

use crate::drops::drop_reason::DropReason;
use crate::drops::tallies::Tallies;
use crate::series::metric::Kind;
use crate::series::tags::Tags;
use crate::sync::{Arc, AtomicBool, AtomicF64, AtomicU64, Ordering};

/// The series id of a handle that was refused because its name has another kind.
pub(crate) const CONFLICTING: u32 = u32::MAX;

/// The series id of a handle that was refused because a limit was reached.
pub(crate) const BEYOND_LIMIT: u32 = u32::MAX - 1;

#[derive(Debug)]
pub(crate) struct SeriesId {
    /// The series' id in samples; never reused.
    pub(crate) id: u32,
    /// The series' index in a lane's table of cells or rows, counted per kind of table.
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
    /// The metric's index in the registry.
    pub(crate) metric: u32,
    pub(crate) tags: Tags,
    /// The display key, interned.
    pub(crate) key: Arc<str>,
    /// The counts of the whole collector.
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) words: SeriesWords,
}

/// The parts of a series that change outside the aggregator.
#[derive(Debug)]
pub(crate) struct SeriesWords {
    /// A gauge's last value; NaN until it is set. Written by recorders, and by the pass if it
    /// counts another gauge's samples in this one; read by the pass, cleared by a reset.
    pub(crate) current: AtomicF64,
    /// Samples that were not aggregated. Written by recorders, read by the pass.
    drops: AtomicU64,
    /// Increments from signal handlers, wrapping. Added to by handlers; read by the pass, which
    /// folds the difference.
    signals: AtomicU64,
    /// The highest total that a counter was advanced to. Raised and read by recorders; reset in the
    /// child of a fork.
    advanced: AtomicU64,
    /// Whether a handle exists, so that the series outlives a reset. Set by `register_*`, and by
    /// the pass when a removed series returns; taken by the pass that removes it.
    pinned: AtomicBool,
    /// Whether a record as another kind was reported. Set and read by recorders.
    conflicted: AtomicBool,
}

impl Default for SeriesWords {
    fn default() -> Self {
        Self {
            current: AtomicF64::new(f64::NAN),
            drops: AtomicU64::new(0),
            signals: AtomicU64::new(0),
            advanced: AtomicU64::new(0),
            pinned: AtomicBool::new(false),
            conflicted: AtomicBool::new(false),
        }
    }
}

impl SeriesId {
    /// Counts one sample of this series that is not aggregated.
    #[cold]
    pub(crate) fn drop_sample(&self, reason: DropReason) {
        if reason.is_per_series() {
            // Relaxed: the count guards no other data.
            self.words.drops.fetch_add(1, Ordering::Relaxed);
        }
        self.tallies.drop_sample(reason);
    }

    /// Resets its drops and the total that it was advanced to: the child of a fork counts its own.
    /// No other thread may be recording.
    pub(crate) fn start_over(&self) {
        // Relaxed, both: see `drop_sample` and `advance`.
        self.words.drops.store(0, Ordering::Relaxed);
        self.words.advanced.store(0, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) -> u64 {
        // Relaxed: see `drop_sample`.
        self.words.drops.load(Ordering::Relaxed)
    }

    /// Adds 1 without touching a lane: async-signal-safe.
    pub(crate) fn signal(&self) {
        // Relaxed: the count guards no other data; the pass takes differences of it.
        self.words.signals.fetch_add(1, Ordering::Relaxed);
        self.tallies.note_signal();
    }

    pub(crate) fn signals(&self) -> u64 {
        // Relaxed: see `signal`.
        self.words.signals.load(Ordering::Relaxed)
    }

    /// Raises the total that the counter was advanced to; returns by how much.
    #[inline]
    pub(crate) fn advance(&self, total: u64) -> u64 {
        // Relaxed: the total guards no other data; of two threads, each gets its own part of the
        // gain, and records it separately.
        total.saturating_sub(self.words.advanced.fetch_max(total, Ordering::Relaxed))
    }

    pub(crate) fn pin(&self) {
        // Relaxed: the flag guards no other data; a reset that misses it was concurrent.
        self.words.pinned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_pinned(&self) -> bool {
        // Relaxed: see `pin`.
        self.words.pinned.load(Ordering::Relaxed)
    }

    /// Clears the mark that a handle exists; returns whether it was set.
    pub(crate) fn unpin(&self) -> bool {
        // Relaxed: see `pin`.
        self.words.pinned.swap(false, Ordering::Relaxed)
    }

    /// Notes a record as another kind; returns whether it is the first of this series.
    pub(crate) fn is_first_conflict(&self) -> bool {
        // Relaxed: the flag guards no other data.
        !self.words.conflicted.swap(true, Ordering::Relaxed)
    }

    /// Sets `current` to a value whose sample has been published or folded.
    #[inline]
    pub(crate) fn store_current(&self, value: f64) {
        // Release: pairs with the Acquire of the pass, which loads `current` before it drains and
        // therefore finds the sample published before.
        self.words.current.store(value, Ordering::Release);
    }

    /// Clears `current` and returns its value.
    pub(crate) fn take_current(&self) -> f64 {
        // Acquire: pairs with the Release of the setter, whose sample the next drain finds.
        self.words.current.swap(f64::NAN, Ordering::Acquire)
    }

    /// Adds to `current` and returns the sum.
    pub(crate) fn add_to_current(&self, amount: f64) -> f64 {
        // Relaxed: only the sum matters, and the sample that follows is published separately.
        let mut now = self.words.current.load(Ordering::Relaxed);
        loop {
            let sum = if now.is_nan() { amount } else { now + amount };
            if sum.is_nan() {
                return sum;
            }
            let current = &self.words.current;
            // Release: pairs with the Acquire of the pass, like every store of `current`.
            // Relaxed on failure: the loop retries with the value it found.
            match current.compare_exchange_weak(now, sum, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return sum,
                Err(found) => now = found,
            }
        }
    }
}
