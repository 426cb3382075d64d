//! Work that another core does while a measuring thread waits.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, yield_now};

/// A thread that acts on request, on another core than the requester if one is free.
#[derive(Debug)]
pub struct OtherThread {
    turns: Arc<Turns>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Turns {
    /// Written by the requester, read by the thread.
    asked: AtomicUsize,
    /// Written by the thread, read by the requester.
    done: AtomicUsize,
    /// Written by the drop, read by the thread.
    over: AtomicBool,
}

/// Spins before the thread sleeps: longer than a burst takes, so that it keeps its core for the
/// whole round.
const SPINS: u32 = 20_000;

impl OtherThread {
    /// Starts the thread.
    pub fn new(act: impl Fn() + Send + 'static) -> Self {
        let turns = Arc::new(Turns::default());
        let of_thread = Arc::clone(&turns);
        let thread = thread::spawn(move || {
            while of_thread.wait() {
                act();
                // Release: pairs with the Acquire in `run`; what was done is visible.
                of_thread.done.fetch_add(1, Ordering::Release);
            }
        });
        Self { turns, thread: Some(thread) }
    }

    /// Has the thread act once and waits for it. Only one thread may call this at a time.
    pub fn run(&self) {
        // Release: pairs with the Acquire in `wait`; what was done so far is visible.
        let asked = self.turns.asked.fetch_add(1, Ordering::Release) + 1;
        self.unpark();
        let mut spins = 0;
        // Acquire: pairs with the Release of the thread.
        while self.turns.done.load(Ordering::Acquire) != asked {
            spins += 1;
            if spins < SPINS { spin_loop() } else { yield_now() }
        }
    }

    fn unpark(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for OtherThread {
    fn drop(&mut self) {
        // Relaxed: the flag guards no other data.
        self.turns.over.store(true, Ordering::Relaxed);
        self.unpark();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Turns {
    /// Waits for a request; `false` on shutdown.
    fn wait(&self) -> bool {
        let mut spins = 0;
        // Acquire: pairs with the Release in `run`. Relaxed: the thread wrote it itself.
        while self.asked.load(Ordering::Acquire) == self.done.load(Ordering::Relaxed) {
            // Relaxed: see the drop.
            if self.over.load(Ordering::Relaxed) {
                return false;
            }
            spins += 1;
            if spins < SPINS { spin_loop() } else { thread::park() }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_turn_is_done_once_and_before_who_asked_goes_on() {
        let acts = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&acts);
        let other = OtherThread::new(move || {
            // Relaxed: `run` orders each act and its end, which the test relies on.
            count.fetch_add(1, Ordering::Relaxed);
        });
        for turn in 1..=100 {
            other.run();
            // Relaxed: see above.
            assert_eq!(acts.load(Ordering::Relaxed), turn);
        }
    }
}
