//! A barrier for measuring threads.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::yield_now;

/// A barrier that spins, because waking a sleeper takes longer than a whole burst.
pub(crate) struct Gate {
    threads: usize,
    /// Arrivals so far. Written and read by every thread.
    arrived: AtomicUsize,
}

/// Spins before the core is offered to the threads being waited for.
const SPINS: u32 = 10_000;

impl Gate {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, arrived: AtomicUsize::new(0) }
    }

    /// Waits until every thread has called `wait` as often as this one.
    pub(crate) fn wait(&self) {
        // AcqRel: everything before the gate on any thread happens before everything after it.
        let before = self.arrived.fetch_add(1, Ordering::AcqRel);
        let all = (before / self.threads + 1) * self.threads;
        let mut spins = 0;
        // Acquire: pairs with the AcqRel of the others.
        while self.arrived.load(Ordering::Acquire) < all {
            spins += 1;
            if spins < SPINS { spin_loop() } else { yield_now() }
        }
    }
}
