//! When something began: a series, or the collector's values.
//!
//! A start is an instant of the monotonic clock. It is converted to wall time once, so that it
//! does not wander with the wall clock; only where that clock was set is it converted again.

use std::time::{Duration, Instant, SystemTime};

/// Wall clocks that disagree by more were set.
const WALL_STEP: Duration = Duration::from_secs(1);

/// The time of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassTime {
    pub(crate) monotonic: Instant,
    pub(crate) wall: SystemTime,
}

/// A beginning, and which of several it is: values of two generations have a reset between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) at: PassTime,
    pub(crate) generation: u64,
    /// How long recording had been on at the reset that it follows: zero where there was none.
    pub(crate) on_before: Duration,
}

impl PassTime {
    /// What the wall clock shows at a later instant, unless it is set.
    pub(crate) fn wall_at(self, later: Instant) -> SystemTime {
        let elapsed = later.saturating_duration_since(self.monotonic);
        self.wall.checked_add(elapsed).unwrap_or(self.wall)
    }

    /// What the wall clock, as it goes now, would have shown at this instant.
    pub(crate) fn convert(&mut self, now: Self) {
        self.wall = before(now.wall, now.monotonic.saturating_duration_since(self.monotonic));
    }
}

/// A time that lies so long before another; 1970 where there is none.
pub(crate) fn before(time: SystemTime, elapsed: Duration) -> SystemTime {
    time.checked_sub(elapsed).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether a wall clock that should show one time and shows another was set.
pub(crate) fn was_set(expected: SystemTime, shown: SystemTime) -> bool {
    let apart = shown.duration_since(expected).unwrap_or_else(|error| error.duration());
    apart > WALL_STEP
}

/// The first generation of a collector: unlike that of any other, in this process or another.
/// Of 48 bits, so that whatever reads JSON numbers as floats reads it exactly.
pub(crate) fn first_generation() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id()) >> 16
}
