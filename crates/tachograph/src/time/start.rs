//! The start of a series or of the collector's values.
//!
//! A start is an instant of the monotonic clock. It is converted to wall time once, so that it does
//! not drift with the wall clock; it is converted again only if that clock was set.

use std::time::{Duration, Instant, SystemTime};

/// If wall clocks disagree by more than this, one was set.
const WALL_STEP: Duration = Duration::from_secs(1);

/// The time of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassTime {
    pub(crate) monotonic: Instant,
    pub(crate) wall: SystemTime,
}

/// A start with its generation: values of two generations have a reset between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) at: PassTime,
    pub(crate) generation: u64,
    /// How long recording had been on at the reset before it; zero if there was none.
    pub(crate) on_before: Duration,
}

impl PassTime {
    /// What the wall clock shows at a later instant, unless it is set.
    pub(crate) fn wall_at(self, later: Instant) -> SystemTime {
        let elapsed = later.saturating_duration_since(self.monotonic);
        self.wall.checked_add(elapsed).unwrap_or(self.wall)
    }

    /// Recomputes the wall time of this instant from the current wall clock.
    pub(crate) fn convert(&mut self, now: Self) {
        self.wall = before(now.wall, now.monotonic.saturating_duration_since(self.monotonic));
    }
}

/// The time `elapsed` before another; 1970 if that cannot be represented.
pub(crate) fn before(time: SystemTime, elapsed: Duration) -> SystemTime {
    time.checked_sub(elapsed).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether a wall clock was set, given the expected and the shown time.
pub(crate) fn was_set(expected: SystemTime, shown: SystemTime) -> bool {
    let apart = shown.duration_since(expected).unwrap_or_else(|error| error.duration());
    apart > WALL_STEP
}

/// The first generation of a collector, different from that of any other collector in any process.
/// It has 48 bits, so that readers that parse JSON numbers as floats read it exactly.
pub(crate) fn first_generation() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id()) >> 16
}
