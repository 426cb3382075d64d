//! What a loop shares with the watcher.
//!
//! # Synchronization
//! `Shared::turn` has one writer, the loop: odd while a turn runs, and another number each turn.
//! The watcher only compares it with what it saw before. A backtrace belongs to a turn if the
//! number is the same after the answer as before the question, because the loop's thread answers
//! itself.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tachograph::Timing;

use crate::stall::signal::Thread;

/// The loop's end; moves with the loop from thread to thread.
#[derive(Debug)]
pub(crate) struct Watched {
    shared: Arc<Shared>,
    turn: u64,
    /// The [`this_thread`] that the watcher knows of; 0 if none yet.
    thread: u64,
    duration: Timing,
    /// Turns of all the detector's loops that ended above the threshold.
    over: Arc<AtomicU64>,
}

/// Both ends.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) threshold: Duration,
    /// Odd while a turn runs. Written by the loop, read by the watcher.
    turn: AtomicU64,
    /// The thread that the loop runs on. Written by the loop when it changes.
    thread: Mutex<Option<Thread>>,
}

impl Shared {
    pub(super) fn turn(&self) -> u64 {
        // Relaxed: a number to compare; what the loop does orders nothing for the watcher.
        self.turn.load(Ordering::Relaxed)
    }

    pub(super) fn thread(&self) -> Option<Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watched {
    pub(super) fn new(
        name: &str,
        threshold: Duration,
        duration: Timing,
        over: Arc<AtomicU64>,
    ) -> Self {
        let (turn, thread) = (AtomicU64::new(0), Mutex::new(None));
        let shared = Arc::new(Shared { name: name.into(), threshold, turn, thread });
        Self { shared, turn: 0, thread: 0, duration, over }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    #[inline]
    pub(crate) fn turn_starts(&mut self) {
        if self.thread != this_thread() {
            self.move_here();
        }
        // A turn whose guard was leaked never ended: the number is odd already.
        self.set_turn(self.turn + 1 + self.turn % 2);
    }

    #[inline]
    pub(crate) fn turn_ends(&mut self) {
        self.set_turn(self.turn + 1);
    }

    /// Where to record a turn that has taken so long; `None` if it was no stall.
    #[inline]
    pub(crate) fn stall(&self, took: Duration) -> Option<&Timing> {
        if took < self.shared.threshold {
            return None;
        }
        // Relaxed: a count.
        self.over.fetch_add(1, Ordering::Relaxed);
        Some(&self.duration)
    }

    #[inline]
    fn set_turn(&mut self, turn: u64) {
        self.turn = turn;
        // Relaxed: see `Shared::turn`.
        self.shared.turn.store(turn, Ordering::Relaxed);
    }

    #[cold]
    fn move_here(&mut self) {
        *self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Thread::current();
        self.thread = this_thread();
    }
}

/// A number that no other thread of the process has or had.
#[inline]
fn this_thread() -> u64 {
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.get();
    if number != 0 {
        return number;
    }
    // Relaxed: only different numbers are asked for.
    NUMBER.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    NUMBER.get()
}
