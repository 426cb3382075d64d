//! Sequence numbers of every sender: what came, what is missing, what came late.
//!
//! A pure state machine over numbers that wrap at 2^31; the time comes in as an argument. Memory is
//! bounded: 32 runs are kept, and 1,024 numbers of each, which takes up to 60 KiB a run.

mod run;
mod touch;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;

use self::run::Run;
pub use self::touch::Touch;

/// Numbers are below this.
const MODULUS: u32 = 1 << 31;
/// How many of the newest numbers of a run are remembered one by one.
pub const WINDOW: u32 = 1_024;
/// A jump up by more than this is a sender that has started again.
pub const JUMP_MAX: u32 = 1_000_000;
/// Runs that are kept; the one that was heard least recently goes first.
pub const RUNS: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// The same datagram after more than this was sent again, by a sender that has started again. A
/// run that is silent for so long may have ended.
pub const SILENCE: Duration = Duration::from_secs(2);

/// A number as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Who sent it. A run is one address and port.
    pub source: SocketAddr,
    /// The number, taken modulo 2^31.
    pub seq: u32,
    /// A hash of the datagram that it came in.
    pub hash: u64,
    /// When it came; never before the one observed last.
    pub at: Instant,
}

/// What a number is, in the light of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The first of a run: the baseline.
    First,
    /// The next one.
    InOrder,
    /// Numbers before it are missing.
    Gap {
        /// How many.
        missing: u32,
    },
    /// It is one of those that were missing.
    Recovered,
    /// It is from before the baseline: late, but never missed.
    Early,
    /// It was received before.
    Duplicate,
    /// The sender has started again: the new baseline.
    Restart,
}

impl Verdict {
    /// Whether newer numbers of the run came before it.
    #[must_use]
    pub const fn is_late(self) -> bool {
        matches!(self, Self::Recovered | Self::Early)
    }
}

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
    /// Says what a number is and remembers it.
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

    /// Notes what the event with a number has changed, which no older one of its run may undo.
    pub fn applied(&mut self, source: SocketAddr, seq: u32, touch: Touch) {
        if let Some(run) = self.runs.peek_mut(&source) {
            run.applied(seq % MODULUS, touch);
        }
    }

    /// Whether newer events of the same run have changed what the event with a number would
    /// change, or have moved it to another place. Those beyond the window are not known; no number
    /// that is older than the window is late, so none needs them.
    #[must_use]
    pub fn is_superseded(&self, source: SocketAddr, seq: u32, touch: Touch) -> bool {
        self.runs.peek(&source).is_some_and(|run| run.is_superseded(seq % MODULUS, touch))
    }

    /// The newest number of the run that was heard last.
    #[must_use]
    pub fn newest(&self) -> Option<u32> {
        self.runs.peek_mru().map(|(_, run)| run.newest())
    }
}

/// Whether so much time has gone by that what was then is over.
fn is_over(then: Instant, now: Instant) -> bool {
    now.saturating_duration_since(then) > SILENCE
}
