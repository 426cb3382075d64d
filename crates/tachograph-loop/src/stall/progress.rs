//! When a turn is a stall, and when it is told again. Pure: time comes from the caller.

use std::time::{Duration, Instant};

/// What the watcher has seen of one loop.
#[derive(Debug)]
pub(super) struct Progress {
    turn: u64,
    /// When the watcher first saw this turn, after it had started.
    since: Instant,
    /// The turn is told once it has lasted this long.
    next: Duration,
    /// How often it has been told.
    reports: u32,
}

/// A turn that is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) lasted: Duration,
    /// From 1.
    pub(super) report: u32,
}

impl Progress {
    pub(super) fn new(threshold: Duration, now: Instant) -> Self {
        Self { turn: 0, since: now, next: threshold, reports: 0 }
    }

    /// Looks at the loop: `turn` is odd while a turn runs and differs from turn to turn.
    pub(super) fn see(&mut self, turn: u64, threshold: Duration, now: Instant) -> Option<Due> {
        if turn != self.turn {
            *self = Self { turn, ..Self::new(threshold, now) };
        }
        let lasted = now.saturating_duration_since(self.since);
        if turn.is_multiple_of(2) || lasted < self.next {
            return None;
        }
        // Doubled until it is ahead, so that a watcher that was late does not tell twice at once.
        while self.next <= lasted {
            self.next = self.next.saturating_mul(2);
        }
        self.reports += 1;
        Some(Due { lasted, report: self.reports })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLD: Duration = Duration::from_millis(25);

    /// The milliseconds at which a loop is told, for what the watcher saw when.
    fn told(seen: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u32)> {
        let start = Instant::now();
        let mut progress = Progress::new(THRESHOLD, start);
        let tell = |(at, turn)| {
            let now = start + Duration::from_millis(at);
            progress.see(turn, THRESHOLD, now).map(|due| (at, due.report))
        };
        seen.into_iter().filter_map(tell).collect()
    }

    #[test]
    fn a_stall_is_told_at_its_threshold_and_each_time_that_it_has_doubled() {
        let every_ms = (100..=1_000).map(|at| (at, 7));
        let expected = [(125, 1), (150, 2), (200, 3), (300, 4), (500, 5), (900, 6)];
        assert_eq!(told(every_ms), expected);
    }

    #[test]
    fn sleep_and_short_turns_are_no_stalls_and_each_stall_starts_anew() {
        assert_eq!(told((0..10_000).map(|at| (at, 8))), [], "asleep");
        assert_eq!(told((0..10_000).map(|at| (at, 2 * (at / 25) + 1))), [], "24 ms each");
        let two = (0..60).map(|at| (at, 1)).chain((60..100).map(|at| (at, 3)));
        assert_eq!(told(two), [(25, 1), (50, 2), (85, 1)]);
    }

    #[test]
    fn a_late_watcher_tells_once_and_with_the_time_it_knows_of() {
        let start = Instant::now();
        let mut progress = Progress::new(THRESHOLD, start);
        assert_eq!(progress.see(1, THRESHOLD, start), None);
        let late = Duration::from_millis(260);
        let due = progress.see(1, THRESHOLD, start + late);
        assert_eq!(due, Some(Due { lasted: late, report: 1 }));
        let soon = start + Duration::from_millis(399);
        assert_eq!(progress.see(1, THRESHOLD, soon), None, "next at 400 ms");
    }
}
