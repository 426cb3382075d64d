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
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Block {
    header: CachePadded<Header>,
    slots: [Slot; BLOCK_SAMPLES],
}

#[derive(Debug)]
struct Header {
    /// Samples that may be read, 0 to `BLOCK_SAMPLES`. Written by the owner, reset by the
    /// aggregator.
    len: AtomicUsize,
    /// Whether the owner may take the block. Set by the aggregator, cleared by the owner.
    free: AtomicBool,
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
        let header = Header { len: AtomicUsize::new(0), free: AtomicBool::new(true) };
        Box::new(Self { header: CachePadded::new(header), slots })
    }

    /// Takes the block for filling, if it is free. The owner only.
    pub(crate) fn take(&self) -> bool {
        // Acquire: pairs with the Release in `give_back`; the reset of `len` and the aggregator's
        // reads of the old samples lie before our first store.
        if !self.header.free.load(Ordering::Acquire) {
            return false;
        }
        // Relaxed: only the owner reads it until the aggregator stores it again.
        self.header.free.store(false, Ordering::Relaxed);
        true
    }

    /// Writes the sample at `position` and publishes it. The owner only.
    #[inline]
    pub(crate) fn publish(&self, position: usize, sample: Sample) {
        let Some(slot) = self.slots.get(position) else { return };
        // Relaxed: published by the Release below.
        slot.series.store(u64::from(sample.series), Ordering::Relaxed);
        slot.value.store(sample.value, Ordering::Relaxed);
        // Release: pairs with the Acquire in `read`; the samples below `len` are visible with it.
        self.header.len.store(position + 1, Ordering::Release);
    }

    /// Appends the samples from `start` to the published length. The aggregator only.
    pub(crate) fn read(&self, start: usize, into: &mut Vec<Sample>) {
        // Acquire: pairs with the Release in `publish`.
        let len = self.header.len.load(Ordering::Acquire).min(BLOCK_SAMPLES);
        let unread = self.slots.get(start..len).unwrap_or_default();
        // Relaxed: ordered by the Acquire above; the owner does not write below `len` again
        // before it has taken the block anew.
        into.extend(unread.iter().map(|slot| Sample {
            series: slot.series.load(Ordering::Relaxed) as u32,
            value: slot.value.load(Ordering::Relaxed),
        }));
    }

    /// Hands a block that was read to its end back to the owner. The aggregator only.
    pub(crate) fn give_back(&self) {
        // Relaxed: published by the Release below.
        self.header.len.store(0, Ordering::Relaxed);
        // Release: pairs with the Acquire in `take`.
        self.header.free.store(true, Ordering::Release);
    }
}
