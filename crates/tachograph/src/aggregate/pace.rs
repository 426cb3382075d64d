//! The interval between drains: short enough to keep lanes from filling up, long enough to avoid
//! needless wake-ups.

use std::time::{Duration, Instant};

use crate::lane::reader::LaneReader;
use crate::limits::{DRAIN_MAX, DRAIN_MIN};

/// How full the fullest lane should be at the next drain: leaves as much again for a rate that
/// doubles, and as much for a thread that wakes late.
const SHARE: f64 = 1.0 / 4.0;

/// The wait before the next drain, from the rates of all lanes.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The time since which readers have counted their lanes' gain.
    since: Instant,
    wait: Duration,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, wait: DRAIN_MAX }
    }

    /// Measures the rates again after a drain. A read immediately after another drain shows no
    /// rate, so its samples are counted with the next one's.
    pub(crate) fn measure(&mut self, now: Instant, readers: &mut [LaneReader]) {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < DRAIN_MIN {
            return;
        }
        let fullest = readers.iter_mut().map(LaneReader::take_gain).fold(0.0, f64::max);
        (self.since, self.wait) = (now, wait(elapsed, fullest));
    }

    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }
}

/// How long until a lane is as full as it should be, given that it gained `fullness` of its
/// capacity in `elapsed`.
fn wait(elapsed: Duration, fullness: f64) -> Duration {
    let seconds = elapsed.as_secs_f64() * SHARE / fullness;
    // Without a gain it is infinite or NaN.
    if seconds < DRAIN_MAX.as_secs_f64() {
        Duration::from_secs_f64(seconds).max(DRAIN_MIN)
    } else {
        DRAIN_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_a_quarter_full_at_the_next_drain_within_the_bounds() {
        let ms = Duration::from_millis;
        assert_eq!(wait(ms(100), 0.5), ms(50));
        assert_eq!(wait(ms(50), 0.25), ms(50));
        assert_eq!(wait(ms(10), 0.125), ms(20));
        assert_eq!(wait(ms(100), 1e-9), DRAIN_MAX);
        assert_eq!(wait(ms(100), 0.0), DRAIN_MAX);
        assert_eq!(wait(Duration::ZERO, 0.0), DRAIN_MAX);
        assert_eq!(wait(ms(1), 1.0), DRAIN_MIN);
        assert_eq!(wait(Duration::ZERO, 1.0), DRAIN_MIN);
    }
}
