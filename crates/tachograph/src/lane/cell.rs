//! Words that only a lane's owner writes, and that the aggregator reads in place.
//!
//! # Synchronization
//! There is one writer, so a load and a store make an increment. The aggregator remembers what it
//! has folded and takes the difference, so no other thread ever writes a cell, not even for a
//! reset. A word guards no other word and is read Relaxed; only a cell's `calls` orders the words
//! before it.

use crate::sync::{AtomicU64, Ordering, SingleWriter};

/// Adds to a word whose only writer is the caller; wraps.
#[inline]
pub(crate) fn add(word: &AtomicU64, amount: u64) {
    // Relaxed: a single writer; the reader takes differences of this word alone.
    word.store(word.load_own().wrapping_add(amount), Ordering::Relaxed);
}

/// One counter in one lane.
///
/// Counting by one, the most common case, is a single store. Other amounts have a sum and a number
/// of their own, so that neither is derived from the difference of two words. Each word only grows,
/// so a record in progress shows in part, never as a loss.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    /// Increments by one, wrapping. Written by the owner, read by the aggregator.
    ones: AtomicU64,
    /// The sum of the other amounts, wrapping. Written by the owner, read by the aggregator.
    amounts: AtomicU64,
    /// The number of the other amounts; stored last. Written by the owner, read by the aggregator.
    calls: AtomicU64,
}

/// The content of a counter cell, or the difference between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CounterReading {
    pub(crate) value: u64,
    pub(crate) calls: u64,
}

impl CounterReading {
    pub(crate) fn since(self, base: Self) -> Self {
        Self {
            value: self.value.wrapping_sub(base.value),
            calls: self.calls.wrapping_sub(base.calls),
        }
    }
}

impl CounterCell {
    #[inline]
    pub(crate) fn increment(&self) {
        add(&self.ones, 1);
    }

    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        if amount == 1 {
            return self.increment();
        }
        add(&self.amounts, amount);
        let calls = self.calls.load_own().wrapping_add(1);
        // Release: pairs with the Acquire in `read`; the amounts of `calls` calls are visible.
        self.calls.store(calls, Ordering::Release);
    }

    pub(crate) fn read(&self) -> CounterReading {
        // Relaxed: the word guards no other data.
        let ones = self.ones.load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `add`.
        let calls = self.calls.load(Ordering::Acquire);
        // Relaxed: ordered by the Acquire above.
        let amounts = self.amounts.load(Ordering::Relaxed);
        CounterReading { value: ones.wrapping_add(amounts), calls: ones.wrapping_add(calls) }
    }
}
