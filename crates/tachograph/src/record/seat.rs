//! A collector's index in every thread's table.
//!
//! # Synchronization
//! The taken seats are bits in a few words, set with read-modify-writes when collectors are created
//! and cleared when they are dropped. A seat guards no other memory: a record compares the gate of
//! what it finds there.

#[cfg(not(tachograph_loom))]
use crate::sync::{AtomicU64, Ordering};

/// Places in a thread's table; every `u8` is one.
pub(crate) const SEATS: usize = 256;

/// The place shared by all collectors that are created while every seat is taken.
pub(crate) const SHARED: u8 = u8::MAX;

/// Taken seats, 64 per word. Changed by the thread that creates or drops a collector.
#[cfg(not(tachograph_loom))]
static TAKEN: [AtomicU64; SEATS / 64] = [const { AtomicU64::new(0) }; SEATS / 64];

/// A collector's seat, given back on drop. It is the lowest free one, so that few cache lines of a
/// thread's table are in use.
#[derive(Debug)]
pub(crate) struct Seat(u8);

impl Seat {
    #[cfg(not(tachograph_loom))]
    pub(crate) fn take() -> Self {
        Self((0..SHARED).find(|&number| try_take(number)).unwrap_or(SHARED))
    }

    /// Models have no tables: a loom atomic cannot be a static.
    #[cfg(tachograph_loom)]
    pub(crate) fn take() -> Self {
        Self(SHARED)
    }

    pub(crate) fn number(&self) -> u8 {
        self.0
    }
}

#[cfg(not(tachograph_loom))]
impl Drop for Seat {
    fn drop(&mut self) {
        if self.0 != SHARED {
            let (word, bit) = place(self.0);
            // Relaxed: see the top of the file.
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }
}

#[cfg(not(tachograph_loom))]
fn try_take(number: u8) -> bool {
    let (word, bit) = place(number);
    // Relaxed, twice: see the top of the file.
    word.load(Ordering::Relaxed) & bit == 0 && word.fetch_or(bit, Ordering::Relaxed) & bit == 0
}

#[cfg(not(tachograph_loom))]
fn place(number: u8) -> (&'static AtomicU64, u64) {
    (&TAKEN[usize::from(number / 64)], 1 << (number % 64))
}
