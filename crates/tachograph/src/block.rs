//! A block of samples: what a recorder fills and the aggregator reads.
//!
//! # Synchronization
//! `slots` and `len` are written by the lane's owner while the block is its current one. The
//! owner stores a sample, then `len` (Release); the aggregator loads `len` (Acquire) and reads
//! only below it. Once the block is full and read, the aggregator stores `len` = 0, then `free`
//! (Release); the owner takes the block when it sees `free` (Acquire).

use crossbeam_utils::CachePadded;

use crate::limits::BLOCK_SAMPLES;
use crate::sample::Sample;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Block {
    /// Samples that may be read, 0 to `BLOCK_SAMPLES`. Written by the owner, reset by the
    /// aggregator.
    len: CachePadded<AtomicUsize>,
    slots: [Slot; BLOCK_SAMPLES],
}

/// Two relaxed words instead of a raw cell: measured at the same cost, and free of `unsafe`.
#[derive(Debug)]
struct Slot {
    series: AtomicU64,
    value: AtomicU64,
}

impl Block {
    pub(crate) fn new() -> Box<Self> {
        let slots =
            std::array::from_fn(|_| Slot { series: AtomicU64::new(0), value: AtomicU64::new(0) });
        Box::new(Self { len: CachePadded::new(AtomicUsize::new(0)), slots })
    }

    /// Writes the sample at `position` and publishes it. The owner only.
    #[inline]
    pub(crate) fn publish(&self, position: usize, sample: Sample) {
        let Some(slot) = self.slots.get(position) else { return };
        // Relaxed: published by the Release below.
        slot.series.store(u64::from(sample.series), Ordering::Relaxed);
        slot.value.store(sample.value, Ordering::Relaxed);
        // Release: pairs with the Acquire in `read`; the samples below `len` are visible with it.
        self.len.store(position + 1, Ordering::Release);
    }

    /// Appends the samples from `start` to the published length. The aggregator only.
    pub(crate) fn read(&self, start: usize, into: &mut Vec<Sample>) {
        // Acquire: pairs with the Release in `publish`.
        let len = self.len.load(Ordering::Acquire).min(BLOCK_SAMPLES);
        let unread = self.slots.get(start..len).unwrap_or_default();
        // Relaxed: ordered by the Acquire above; the owner does not write below `len` again
        // before it has taken the block anew.
        into.extend(unread.iter().map(|slot| Sample {
            series: slot.series.load(Ordering::Relaxed) as u32,
            value: slot.value.load(Ordering::Relaxed),
        }));
    }

    /// Empties a block that was read to its end, before it is returned. The aggregator only.
    pub(crate) fn clear(&self) {
        // Relaxed: published by the Release in `Lane::give_back`.
        self.len.store(0, Ordering::Relaxed);
    }
}
