//! How a thread is asked to stop, and tells that it has.
//!
//! # Synchronization
//! Each side stores something, then looks for what the other one has stored. Between the two it
//! changes `asked` by a read-modify-write (AcqRel): of any two of these one comes second, and
//! whoever did it sees all that was stored before the first. So a wake-up is never missed by both
//! sides, and nobody waits for a thread that has not begun yet.

use crate::sync::{AtomicBool, OnceBox, Ordering};

/// The thread and whoever stops it; `T` is what wakes either of them.
#[derive(Debug)]
pub(crate) struct Stop<T> {
    /// Written by whoever stops the thread, read by the thread.
    asked: AtomicBool,
    /// Written by the thread at its end, read by whoever stops it.
    done: AtomicBool,
    /// Set by the thread as its first act, read by whoever stops it.
    thread: OnceBox<T>,
    /// Set by whoever stops the thread, before it asks; read by the thread at its end.
    waiter: OnceBox<T>,
}

impl<T> Stop<T> {
    pub(crate) fn new() -> Self {
        Self {
            asked: AtomicBool::new(false),
            done: AtomicBool::new(false),
            thread: OnceBox::new(),
            waiter: OnceBox::new(),
        }
    }

    /// The thread's first act; says whether it is asked to stop already.
    pub(crate) fn arrive(&self, thread: T) -> bool {
        // Err: cannot be, a thread arrives once.
        let _ = self.thread.set(Box::new(thread));
        self.meet(false)
    }

    /// Whether the thread is asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        // Acquire: pairs with the AcqRel in `meet`; who waits is visible.
        self.asked.load(Ordering::Acquire)
    }

    /// Asks the thread to stop and gives it, to be woken; `None` where it has yet to arrive, which
    /// is when it will see that it is asked.
    pub(crate) fn ask(&self, waiter: Option<T>) -> Option<&T> {
        // Err: cannot be, only one stops the thread.
        let _ = waiter.map(|waiter| self.waiter.set(Box::new(waiter)));
        self.meet(true);
        self.thread.get()
    }

    /// The thread's last act; gives who waits for it, to be woken. Whoever comes later sees that
    /// it is done.
    pub(crate) fn leave(&self) -> Option<&T> {
        // Release: pairs with the Acquire in `is_done`; what the thread did is visible.
        self.done.store(true, Ordering::Release);
        self.meet(false);
        self.waiter.get()
    }

    /// Whether the thread has left.
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with the Release in `leave`.
        self.done.load(Ordering::Acquire)
    }

    /// Stands between what a side has stored and what it looks for; says whether it was asked.
    fn meet(&self, ask: bool) -> bool {
        // AcqRel: pairs with itself. Release for what the caller has stored, Acquire for what the
        // other side had stored, should it have been here first.
        self.asked.fetch_or(ask, Ordering::AcqRel)
    }
}
