//! The waker that notes when it was called.
//!
//! # Synchronization
//! `Wakes::woken` is a stamp that any thread may set where it is none, in `wake`, and that only
//! polls set to none again. Neither is a read-modify-write. Where threads wake at the same time,
//! the last one's stamp stays; that of a wake in the very moment in which a poll takes another may
//! be lost. The poll that follows then has no delay from its wake in the metrics, and comes all the
//! same: nothing is published with the stamp, what a wake publishes the waker inside does.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crossbeam_utils::atomic::AtomicCell;
use tachograph::Stamp;

use crate::future::metrics::Series;

/// Around one waker of the executor. It never changes, so that a clone which outlives a move of the
/// future to another task still wakes the task that it was made for, as without it.
#[derive(Debug)]
struct Wakes {
    inside: Waker,
    series: Arc<Series>,
    /// The first wake since the last poll.
    woken: AtomicCell<Stamp>,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the waker inside, which may poll at once.
        if self.woken.load().is_none() {
            self.woken.store(self.series.metrics.now());
        }
        self.inside.wake_by_ref();
    }
}

/// The waker that an instrumented future is polled with.
#[derive(Debug)]
pub(super) struct Wrapped {
    wakes: Arc<Wakes>,
    /// Made of `wakes`, once.
    waker: Waker,
}

impl Wrapped {
    /// Wraps a waker of the executor: the one allocation.
    pub(super) fn new(inside: &Waker, series: &Arc<Series>) -> Self {
        let (series, woken) = (Arc::clone(series), AtomicCell::new(Stamp::default()));
        let wakes = Arc::new(Wakes { inside: inside.clone(), series, woken });
        Self { waker: Waker::from(Arc::clone(&wakes)), wakes }
    }

    /// Whether it would wake what `inside` does.
    #[inline]
    pub(super) fn wraps(&self, inside: &Waker) -> bool {
        let own = &self.wakes.inside;
        // `will_wake` compares the addresses of the tables, and a program may have several copies
        // of one: a poll would allocate each time that it meets another.
        own.will_wake(inside) || (own.data() == inside.data() && own.vtable() == inside.vtable())
    }

    #[inline]
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// The first wake since this was asked last; none if there was none.
    #[inline]
    pub(super) fn take_wake(&self) -> Stamp {
        let woken = self.wakes.woken.load();
        if !woken.is_none() {
            self.wakes.woken.store(Stamp::default());
        }
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_one_atomic_word() {
        // Otherwise a wake would take one of crossbeam's global locks.
        assert!(AtomicCell::<Stamp>::is_lock_free());
    }
}
