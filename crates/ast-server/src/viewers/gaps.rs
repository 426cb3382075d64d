//! Gaps in the sequence numbers: viewers are told about the first at once, and about those within
//! the next second together.
//!
//! Time is an argument.

use std::time::{Duration, Instant};

use serde::Serialize;

const INTERVAL: Duration = Duration::from_secs(1);

/// Missing events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Gap {
    /// How many, in one or several gaps.
    pub(crate) missing: u64,
    /// The number received after the newest gap.
    pub(crate) seq_num: u32,
}

/// The gaps that viewers have not been told yet.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    quiet_until: Option<Instant>,
    held: Option<Gap>,
}

impl Gaps {
    /// Adds a gap; returns it if viewers may be told now.
    pub(crate) fn offer(&mut self, gap: Gap, now: Instant) -> Option<Gap> {
        if self.quiet_until.is_some_and(|until| now < until) || self.held.is_some() {
            let missing = self.held.map_or(0, |held| held.missing).saturating_add(gap.missing);
            self.held = Some(Gap { missing, seq_num: gap.seq_num });
            return self.take_due(now);
        }
        self.quiet_until = Some(now + INTERVAL);
        Some(gap)
    }

    /// The held-back gaps, once they are due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Gap> {
        self.next_due().filter(|due| *due <= now)?;
        self.quiet_until = Some(now + INTERVAL);
        self.held.take()
    }

    /// When to ask again; `None` while nothing is held back.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.held.and(self.quiet_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_gap_is_told_at_once_and_the_rest_of_a_second_together() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let gap = |missing, seq_num| Gap { missing, seq_num };
        let mut gaps = Gaps::default();
        assert_eq!(gaps.offer(gap(5, 10), at(0)), Some(gap(5, 10)));
        assert_eq!(gaps.next_due(), None, "nothing is held back");
        assert_eq!(gaps.offer(gap(6, 20), at(10)), None);
        assert_eq!(gaps.offer(gap(7, 30), at(999)), None);
        assert_eq!(gaps.next_due(), Some(at(1_000)));
        assert_eq!(gaps.take_due(at(999)), None);
        assert_eq!(gaps.take_due(at(1_000)), Some(gap(13, 30)), "none is left out");
        assert_eq!(gaps.offer(gap(5, 40), at(1_500)), None, "the second starts anew");
        assert_eq!(gaps.offer(gap(5, 50), at(2_500)), Some(gap(10, 50)), "late, and complete");
        assert_eq!(gaps.take_due(at(9_000)), None);
        assert_eq!(gaps.offer(gap(5, 60), at(9_000)), Some(gap(5, 60)));
    }
}
