//! Words that only a lane's owner writes and the aggregator reads in place.
//!
//! # Synchronization
//! One writer, so a load and a store make an increment. The aggregator remembers what it has
//! folded and takes the difference, so nobody else ever writes a cell, not even a reset. A word
//! says nothing about another one and is read by coherence alone (Relaxed); only a cell's `calls` and
//! a row's `count` order the words before them.

use crate::stats::wide::Wide;
use crate::sync::{AtomicU64, Ordering, SingleWriter};

/// Adds to a word of which the caller is the only writer; wraps.
#[inline]
fn add(word: &AtomicU64, amount: u64) {
    // Relaxed: a single writer; the reader takes differences of a word that stands for itself.
    word.store(word.load_own().wrapping_add(amount), Ordering::Relaxed);
}

/// One counter in one lane.
///
/// Counting by one, which is what most do, is one store. What is counted by other amounts has a
/// sum and a number of its own, so that neither is ever taken from the difference of two words:
/// each only grows, and a sample that is being added shows in part and never as a loss.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    /// How often it was counted by one, wrapping. Written by the owner, read by the aggregator.
    ones: AtomicU64,
    /// The sum of the other amounts, wrapping. Written by the owner, read by the aggregator.
    amounts: AtomicU64,
    /// The number of the other amounts; stored last. Written by the owner, read by the aggregator.
    calls: AtomicU64,
}

/// What a counter cell held when it was read, or the difference of two readings.
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
        // Relaxed: it stands for itself.
        let ones = self.ones.load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `add`.
        let calls = self.calls.load(Ordering::Acquire);
        // Relaxed: ordered by the Acquire above.
        let amounts = self.amounts.load(Ordering::Relaxed);
        CounterReading { value: ones.wrapping_add(amounts), calls: ones.wrapping_add(calls) }
    }
}

/// Powers of two that a `u64` falls between, and zero: index 0 is zero, index `k` holds values
/// of `k` significant bits.
pub(crate) const OCTAVES: usize = 65;

/// The octave of a value.
#[inline]
pub(crate) fn octave(value: u64) -> usize {
    (u64::BITS - value.leading_zeros()) as usize
}

/// The least and the greatest value of an octave.
pub(crate) fn octave_ends(octave: usize) -> (u64, u64) {
    let low = match octave {
        0 => return (0, 0),
        bits => 1 << (bits - 1),
    };
    (low, low + (low - 1))
}

/// Limbs of a sum: each adds up 22 bits of every value, so none wraps before 2^42 samples have
/// been coalesced between two passes.
const LIMBS: usize = 3;
const LIMB_BITS: u32 = 22;

/// Where a lane coalesces samples of one timing or histogram while it has no free block.
#[derive(Debug)]
pub(crate) struct SpillRow {
    octaves: [AtomicU64; OCTAVES],
    limbs: [AtomicU64; LIMBS],
    /// All samples of the row; stored last.
    count: AtomicU64,
}

/// What a spill row held when it was read, or the difference of two readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpillReading {
    pub(crate) octaves: [u64; OCTAVES],
    limbs: [u64; LIMBS],
}

impl Default for SpillReading {
    fn default() -> Self {
        Self { octaves: [0; OCTAVES], limbs: [0; LIMBS] }
    }
}

impl SpillReading {
    pub(crate) fn since(&self, base: &Self) -> Self {
        let minus = |a: &[u64], b: &[u64], i: usize| a[i].wrapping_sub(b[i]);
        Self {
            octaves: std::array::from_fn(|i| minus(&self.octaves, &base.octaves, i)),
            limbs: std::array::from_fn(|i| minus(&self.limbs, &base.limbs, i)),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.octaves.iter().sum()
    }

    /// The exact sum of the coalesced values.
    pub(crate) fn sum(&self) -> u128 {
        let limb = |i: usize| u128::from(self.limbs[i]) << (LIMB_BITS * i as u32);
        limb(0) + limb(1) + limb(2)
    }
}

impl SpillRow {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self {
            octaves: std::array::from_fn(|_| AtomicU64::new(0)),
            limbs: std::array::from_fn(|_| AtomicU64::new(0)),
            count: AtomicU64::new(0),
        })
    }

    pub(crate) fn add(&self, value: u64) {
        for (i, limb) in self.limbs.iter().enumerate() {
            add(limb, (value >> (LIMB_BITS * i as u32)) & ((1 << LIMB_BITS) - 1));
        }
        if let Some(octave) = self.octaves.get(octave(value)) {
            add(octave, 1);
        }
        let count = self.count.load_own().wrapping_add(1);
        // Release: pairs with the Acquire in `count`; the words of `count` samples are visible.
        self.count.store(count, Ordering::Release);
    }

    /// Adds samples of which the number in each octave and the sum are known.
    pub(crate) fn add_many(&self, octaves: &[u64; OCTAVES], sum: u128) {
        for (i, limb) in self.limbs.iter().enumerate() {
            // The last limb takes all that is left: a sum of 2^32 values fits it.
            let bits = if i + 1 < LIMBS { LIMB_BITS } else { u64::BITS };
            add(limb, ((sum >> (LIMB_BITS * i as u32)) & ((1 << bits) - 1)) as u64);
        }
        for (octave, &count) in self.octaves.iter().zip(octaves) {
            add(octave, count);
        }
        let count = self.count.load_own().wrapping_add(octaves.iter().sum());
        // Release: as in `add`.
        self.count.store(count, Ordering::Release);
    }

    /// Samples coalesced so far, to see at one glance whether there is anything new.
    pub(crate) fn count(&self) -> u64 {
        // Acquire: pairs with the Release in `add`.
        self.count.load(Ordering::Acquire)
    }

    pub(crate) fn read(&self) -> SpillReading {
        // Relaxed: the caller has seen `count`; a sample under way may show in part, and the
        // next reading has the rest of it.
        SpillReading {
            octaves: std::array::from_fn(|i| self.octaves[i].load(Ordering::Relaxed)),
            limbs: std::array::from_fn(|i| self.limbs[i].load(Ordering::Relaxed)),
        }
    }
}

/// Where a lane coalesces samples of one gauge: how many, how many of them finite, their sum.
#[derive(Debug)]
pub(crate) struct GaugeRow {
    /// Both floats of a [`Wide`].
    sum: [AtomicU64; 2],
    finite: AtomicU64,
    count: AtomicU64,
}

/// What a gauge row held when it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct GaugeReading {
    pub(crate) sum: Wide,
    pub(crate) finite: u64,
    pub(crate) count: u64,
}

impl GaugeRow {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self {
            sum: [0f64; 2].map(|zero| AtomicU64::new(zero.to_bits())),
            finite: AtomicU64::new(0),
            count: AtomicU64::new(0),
        })
    }

    pub(crate) fn add(&self, value: f64) {
        // An infinite value, or one that would make the sum infinite for good, is left out of
        // the mean.
        if self.add_to_sum(value) {
            add(&self.finite, 1);
        }
        let count = self.count.load_own().wrapping_add(1);
        // Release: pairs with the Acquire in `read`.
        self.count.store(count, Ordering::Release);
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

    /// The sum of what was added so far.
    fn sum(&self) -> Wide {
        // Relaxed: ordered by the Acquire in `read`. A sample under way may show in part, and the
        // next reading has the rest of it.
        let [high, low] = [0, 1].map(|i| f64::from_bits(self.sum[i].load(Ordering::Relaxed)));
        Wide { high, low }
    }

    pub(crate) fn read(&self) -> GaugeReading {
        // Acquire: pairs with the Release in `add`; the sum of `count` samples is visible.
        let count = self.count.load(Ordering::Acquire);
        // Relaxed: ordered by the Acquire above.
        let finite = self.finite.load(Ordering::Relaxed);
        GaugeReading { sum: self.sum(), finite, count }
    }
}
