//! The identity of a series: what every thread that records it shares.
//!
//! # Synchronization
//! `current` is stored by whoever sets the gauge, after the sample was published (Release), and
//! loaded by the pass before it drains (Acquire). The drop counts are shared words that only
//! overload and misuse touch.

use crate::series::metric::Kind;
use crate::series::tags::Tags;
use crate::series::tallies::Tallies;
use crate::series::warning::DropReason;
use crate::sync::{Arc, AtomicBool, AtomicF64, AtomicU64, Ordering};

/// The series of a handle that was refused because its name has another kind.
pub(crate) const CONFLICTING: u32 = u32::MAX;

/// The series of a handle that was refused because a limit was reached.
pub(crate) const BEYOND_LIMIT: u32 = u32::MAX - 1;

#[derive(Debug)]
pub(crate) struct SeriesId {
    /// The series' number in samples; never reused.
    pub(crate) id: u32,
    /// The series' place in a lane's table of cells or rows, counted by kind of table.
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
    /// The metric's number in the registry.
    pub(crate) metric: u32,
    pub(crate) tags: Tags,
    /// The display key, interned.
    pub(crate) key: Arc<str>,
    /// Counts of the whole collector.
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) words: SeriesWords,
}

/// What changes of a series outside the aggregator.
#[derive(Debug)]
pub(crate) struct SeriesWords {
    /// A gauge's last value; NaN until it is set. Written by recorders, and by the pass that counts
    /// samples of another gauge in this one; read by the pass, cleared by a reset.
    pub(crate) current: AtomicF64,
    /// Samples that were not aggregated. Written by recorders, read by the pass.
    drops: AtomicU64,
    /// Increments from signal handlers, wrapping. Added to by handlers, read by the pass, which
    /// folds the difference.
    signals: AtomicU64,
    /// Whether a handle was made, so that the series outlives a reset. Set by `register_*`, and by
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
            pinned: AtomicBool::new(false),
            conflicted: AtomicBool::new(false),
        }
    }
}

impl SeriesId {
    /// Counts a sample of this series that is not aggregated.
    #[cold]
    pub(crate) fn drop_sample(&self, reason: DropReason) {
        if reason.is_per_series() {
            // Relaxed: a count that stands for itself.
            self.words.drops.fetch_add(1, Ordering::Relaxed);
        }
        self.tallies.drop_sample(reason);
    }

    /// Forgets its drops. Nobody else may be recording.
    pub(crate) fn start_over(&self) {
        // Relaxed: see `drop_sample`.
        self.words.drops.store(0, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) -> u64 {
        // Relaxed: see `drop_sample`.
        self.words.drops.load(Ordering::Relaxed)
    }

    /// Adds 1 where no lane may be touched: async-signal-safe.
    pub(crate) fn signal(&self) {
        // Relaxed: a count that stands for itself, of which the pass takes differences.
        self.words.signals.fetch_add(1, Ordering::Relaxed);
        self.tallies.note_signal();
    }

    pub(crate) fn signals(&self) -> u64 {
        // Relaxed: see `signal`.
        self.words.signals.load(Ordering::Relaxed)
    }

    pub(crate) fn pin(&self) {
        // Relaxed: a flag that stands for itself; a reset that misses it was concurrent.
        self.words.pinned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_pinned(&self) -> bool {
        // Relaxed: see `pin`.
        self.words.pinned.load(Ordering::Relaxed)
    }

    /// Forgets that a handle was made; says whether there was one.
    pub(crate) fn unpin(&self) -> bool {
        // Relaxed: see `pin`.
        self.words.pinned.swap(false, Ordering::Relaxed)
    }

    /// Notes a record as another kind; says whether it is the first of this series.
    pub(crate) fn is_first_conflict(&self) -> bool {
        // Relaxed: a flag that stands for itself.
        !self.words.conflicted.swap(true, Ordering::Relaxed)
    }

    /// Sets `current` to a value whose sample is published, or folded.
    #[inline]
    pub(crate) fn store_current(&self, value: f64) {
        // Release: pairs with the Acquire of the pass, which loads `current` before it drains and so
        // finds the sample that was published before.
        self.words.current.store(value, Ordering::Release);
    }

    /// Clears `current`, so that it begins anew; gives what it held.
    pub(crate) fn take_current(&self) -> f64 {
        // Acquire: pairs with the Release of who has set it, whose sample the next drain finds.
        self.words.current.swap(f64::NAN, Ordering::Acquire)
    }

    /// Adds to `current` and gives the sum.
    pub(crate) fn add_to_current(&self, amount: f64) -> f64 {
        // Relaxed: the sum is what counts, and the sample that follows is published on its own.
        let mut now = self.words.current.load(Ordering::Relaxed);
        loop {
            let sum = if now.is_nan() { amount } else { now + amount };
            if sum.is_nan() {
                return sum;
            }
            let current = &self.words.current;
            // Release: pairs with the Acquire of the pass, like every store of `current`.
            // Relaxed on failure: the loop starts over with what it found.
            match current.compare_exchange_weak(now, sum, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return sum,
                Err(found) => now = found,
            }
        }
    }
}
