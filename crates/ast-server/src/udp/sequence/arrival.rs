//! A number as it came, and what it turns out to be.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Numbers are below this.
pub(super) const MODULUS: u32 = 1 << 31;
/// How many of the newest numbers of a run are remembered one by one.
pub const WINDOW: u32 = 1_024;
/// A jump up by more than this is a sender that has started again.
pub const JUMP_MAX: u32 = 1_000_000;
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

/// Whether so much time has gone by that what was then is over.
pub(super) fn is_over(then: Instant, now: Instant) -> bool {
    now.saturating_duration_since(then) > SILENCE
}
