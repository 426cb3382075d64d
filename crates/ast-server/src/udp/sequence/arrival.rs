//! A received number, and the verdict on it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Numbers are below this.
pub(super) const MODULUS: u32 = 1 << 31;
/// How many of a run's newest numbers are remembered individually.
pub const WINDOW: u32 = 1_024;
/// A larger upward jump means that the sender has restarted.
pub const JUMP_MAX: u32 = 1_000_000;
/// If the same datagram arrives again after more than this, a restarted sender has sent it. A run
/// that is silent for this long may have ended.
pub const SILENCE: Duration = Duration::from_secs(2);

/// A received number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its sender. A run is one address and port.
    pub source: SocketAddr,
    /// The number, taken modulo 2^31.
    pub seq: u32,
    /// A hash of the datagram that contained it.
    pub hash: u64,
    /// When it arrived; never before the previous one.
    pub at: Instant,
}

/// The verdict on a number, given those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The first number of a run: the baseline.
    First,
    /// The next number.
    InOrder,
    /// Numbers before it are missing.
    Gap {
        /// How many.
        missing: u32,
    },
    /// One of the missing numbers.
    Recovered,
    /// From before the baseline: late, but it was never counted as missing.
    Early,
    /// It was received before.
    Duplicate,
    /// The sender has restarted: this is the new baseline.
    Restart,
}

impl Verdict {
    /// Whether newer numbers of the run came before it.
    #[must_use]
    pub const fn is_late(self) -> bool {
        matches!(self, Self::Recovered | Self::Early)
    }
}

/// Whether so much time has passed that what happened then is over.
pub(super) fn is_over(then: Instant, now: Instant) -> bool {
    now.saturating_duration_since(then) > SILENCE
}
