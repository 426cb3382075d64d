//! Asks a thread to stop, and tells when it has.
//!
//! # Synchronization
//! Each side stores something, then reads what the other one has stored. In between it changes
//! `asked` with a read-modify-write (AcqRel): of any two of these one comes second, and the thread
//! that does it sees everything stored before the first. So a wake-up is never missed by both
//! sides, and nobody waits for a thread that has not started yet.

use crate::sync::{AtomicBool, OnceBox, Ordering};

/// Shared by the thread and its stopper; `T` wakes either of them.
#[derive(Debug)]
pub(crate) struct Stop<T> {
    /// Written by the stopper, read by the thread.
    asked: AtomicBool,
    /// Written by the thread at its end, read by the stopper.
    done: AtomicBool,
    /// Set by the thread as its first action, read by the stopper.
    thread: OnceBox<T>,
    /// Set by the stopper before it asks; read by the thread at its end.
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

    /// The thread's first action; returns whether it has already been asked to stop.
    pub(crate) fn arrive(&self, thread: T) -> bool {
        // Err: impossible, a thread arrives once.
        let _ = self.thread.set(Box::new(thread));
        self.meet(false)
    }

    /// Whether the thread is asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        // Acquire: pairs with the AcqRel in `meet`; the waiter is visible.
        self.asked.load(Ordering::Acquire)
    }

    /// Asks the thread to stop and returns it, to be woken; `None` if it has not arrived yet, in
    /// which case it will see the request when it does.
    pub(crate) fn ask(&self, waiter: Option<T>) -> Option<&T> {
        // Err: impossible, there is only one stopper.
        let _ = waiter.map(|waiter| self.waiter.set(Box::new(waiter)));
        self.meet(true);
        self.thread.get()
    }

    /// The thread's last action; returns its waiter, to be woken. Anyone who comes later sees that
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

    /// Called between a side's store and its look at the other side's; returns whether the thread
    /// was asked to stop.
    fn meet(&self, ask: bool) -> bool {
        // AcqRel: pairs with itself. Release for what the caller has stored, Acquire for what the
        // other side had stored if it was here first.
        self.asked.fetch_or(ask, Ordering::AcqRel)
    }
}
