//! The runs of all senders.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use lru::LruCache;

use super::arrival::{Arrival, MODULUS, Verdict, WINDOW, is_over};
use super::run::Run;
use super::touch::Touch;
use crate::events::stale::Stale;

/// The maximum number of runs; the least recently heard one is dropped first.
pub const RUNS: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Tracks the numbers of the runs.
#[derive(Debug)]
pub struct SequenceTracker {
    runs: LruCache<SocketAddr, Run>,
}

impl Default for SequenceTracker {
    fn default() -> Self {
        Self { runs: LruCache::new(RUNS) }
    }
}

impl SequenceTracker {
    /// Returns the verdict on a number and remembers it.
    pub fn observe(&mut self, arrival: Arrival) -> Verdict {
        let arrival = Arrival { seq: arrival.seq % MODULUS, ..arrival };
        if let Some(run) = self.runs.get_mut(&arrival.source) {
            return run.observe(arrival);
        }
        let last = self.runs.peek_mru().map(|(_, run)| run.last_heard());
        let is_silent = last.is_some_and(|last| is_over(last, arrival.at));
        self.runs.push(arrival.source, Run::new(arrival));
        if is_silent && arrival.seq < WINDOW { Verdict::Restart } else { Verdict::First }
    }

    /// Notes what the event with a number has changed, so that no older one of its run undoes it.
    pub fn applied(&mut self, source: SocketAddr, seq: u32, touch: Touch) {
        if let Some(run) = self.runs.peek_mut(&source) {
            run.applied(seq % MODULUS, touch);
        }
    }

    /// Which of the values that the event with a number would change newer events of the same run
    /// have changed or moved. Events beyond the window are unknown, but no number older than the
    /// window counts as late, so none needs them.
    #[must_use]
    pub fn stale(&self, source: SocketAddr, seq: u32, touch: Touch) -> Stale {
        self.runs.peek(&source).map(|run| run.stale(seq % MODULUS, touch)).unwrap_or_default()
    }

    /// The newest number of the most recently heard run.
    #[must_use]
    pub fn newest(&self) -> Option<u32> {
        self.runs.peek_mru().map(|(_, run)| run.newest())
    }
}
