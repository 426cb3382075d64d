//! A block of samples: a recorder fills it and the aggregator reads it.
//!
//! # Synchronization
//! `slots` and `len` are written by the lane's owner while the block is its current one. The owner
//! stores a sample, then `len` (Release); the aggregator loads `len` (Acquire) and reads only slots
//! below it. A traced sample also takes the slots after its own, and one store of `len` publishes
//! them all, so it is never seen without its trace. Once the block is full and read, the aggregator
//! stores `len` = 0 and returns the block by a flag in the lane (Release), which the owner loads
//! (Acquire) before it takes the block again.

use crate::lane::batch::Batch;
use crate::lane::sample::Sample;
use crate::lane::trace::Trace;
use crate::limits::{BLOCK_SAMPLES, TRACE_WORDS, TRACED_SLOTS};
use crate::sync::{AtomicU64, AtomicUsize, Ordering, Zeroed};

/// A flag beside a sample's series: its trace is in the slots that follow.
const TRACED: u64 = 1 << 32;

/// In place of a series: the slot is empty.
const PADDING: u64 = 1 << 33;

#[derive(Debug, Zeroed)]
#[cfg_attr(not(tachograph_loom), repr(C))]
pub(crate) struct Block {
    /// Samples that may be read, 0 to `BLOCK_SAMPLES`. Written by the owner, reset by the
    /// aggregator.
    len: AtomicUsize,
    /// Keeps the length, which the aggregator polls, off the samples' cache lines. Not done by
    /// alignment: zeroed memory with a large one is written by the allocator, which puts all of it
    /// in RAM.
    _apart: [u64; 15],
    slots: [Slot; BLOCK_SAMPLES],
}

/// Two relaxed words instead of a raw cell: measured at the same cost, and free of `unsafe`.
#[derive(Debug, Zeroed)]
struct Slot {
    series: AtomicU64,
    value: AtomicU64,
}

impl Slot {
    #[inline]
    fn store(&self, series: u64, value: u64) {
        // Relaxed: published by the Release store of the block's length that follows.
        self.series.store(series, Ordering::Relaxed);
        self.value.store(value, Ordering::Relaxed);
    }

    #[inline]
    fn load(&self) -> (u64, u64) {
        // Relaxed: ordered by the Acquire load of the block's length before it; the owner does not
        // write below that length again until it has retaken the block.
        (self.series.load(Ordering::Relaxed), self.value.load(Ordering::Relaxed))
    }
}

impl Block {
    /// Writes the sample at `position` and publishes it. Only for the owner.
    #[inline]
    pub(crate) fn publish(&self, position: usize, sample: Sample) {
        let Some(slot) = self.slots.get(position) else { return };
        // Relaxed: published by the Release below.
        slot.series.store(u64::from(sample.series), Ordering::Relaxed);
        slot.value.store(sample.value, Ordering::Relaxed);
        // Release: pairs with the Acquire in `read`; the samples below `len` are visible with it.
        self.len.store(position + 1, Ordering::Release);
    }

    /// Writes a sample and its trace from `position` on, and publishes both. Only for the owner.
    #[inline]
    pub(crate) fn publish_traced(&self, position: usize, sample: Sample, trace: Trace) {
        let end = position + TRACED_SLOTS;
        let Some([first, behind @ ..]) = self.slots.get(position..end) else { return };
        first.store(u64::from(sample.series) | TRACED, sample.value);
        for (slot, words) in behind.iter().zip(trace.to_words().chunks(2)) {
            slot.store(words[0], words.get(1).copied().unwrap_or(0));
        }
        // Release: pairs with the Acquire in `read`; the sample and its trace are visible with it.
        self.len.store(end, Ordering::Release);
    }

    /// Fills the block with padding from `position` on. Only for the owner.
    pub(crate) fn pad(&self, position: usize) {
        self.slots.iter().skip(position).for_each(|slot| slot.store(PADDING, 0));
        // Release: pairs with the Acquire in `read`; the padding is visible with it.
        self.len.store(BLOCK_SAMPLES, Ordering::Release);
    }

    /// Appends the samples from slot `start` to the published length to an empty batch; returns the
    /// number of slots. Only for the aggregator.
    pub(crate) fn read(&self, start: usize, into: &mut Batch) -> usize {
        let len = self.published().min(BLOCK_SAMPLES);
        let unread = self.slots.get(start..len).unwrap_or_default();
        let mut marks = 0;
        into.samples.extend(unread.iter().map(|slot| {
            let (series, value) = slot.load();
            marks |= series;
            Sample { series: series as u32, value }
        }));
        // Usually a whole block has no marks, so every slot is a plain sample.
        if marks >= TRACED {
            into.clear();
            read_marked(unread, into);
        }
        unread.len()
    }

    /// The number of published slots. Only for the aggregator.
    pub(crate) fn published(&self) -> usize {
        // Acquire: pairs with the Release in `publish`; the samples below are visible.
        self.len.load(Ordering::Acquire)
    }

    /// Empties a fully read block before it is returned. Only for the aggregator.
    pub(crate) fn clear(&self) {
        // Relaxed: published by the Release in `Lane::give_back`.
        self.len.store(0, Ordering::Relaxed);
    }
}

/// Reads slots of which some hold traces or padding.
#[cold]
fn read_marked(slots: &[Slot], into: &mut Batch) {
    let mut slots = slots.iter().map(Slot::load);
    while let Some((series, value)) = slots.next() {
        if series & PADDING != 0 {
            continue;
        }
        let sample = Sample { series: series as u32, value };
        if series & TRACED == 0 {
            into.samples.push(sample);
            continue;
        }
        let mut words = slots.by_ref().take(TRACED_SLOTS - 1).flat_map(<[u64; 2]>::from);
        let words: [u64; TRACE_WORDS] = std::array::from_fn(|_| words.next().unwrap_or(0));
        match Trace::from_words(words) {
            Some(trace) => into.push_traced(sample, trace),
            None => into.samples.push(sample),
        }
    }
}
