//! Detects series that have been idle for so long that they leave the snapshots.

use std::time::{Duration, Instant};

/// Compares every series' sample count from snapshot to snapshot, so that recording and folding are
/// not involved.
#[derive(Debug)]
pub(crate) struct IdleWatch {
    timeout: Option<Duration>,
    /// By series id.
    seen: Vec<Option<Seen>>,
}

/// The sample count of a series, and when it last changed.
#[derive(Clone, Copy, Debug)]
struct Seen {
    samples: u64,
    at: Instant,
}

impl IdleWatch {
    pub(crate) fn new(timeout: Option<Duration>) -> Self {
        Self { timeout, seen: Vec::new() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.timeout.is_some()
    }

    /// Forgets the counts of series that were reset, because a reset counts as activity: the same
    /// count reached again afterwards is new.
    pub(crate) fn forget(&mut self, mut is_reset: impl FnMut(u32) -> bool) {
        let seen = (0..).zip(&mut self.seen).filter(|(_, seen)| seen.is_some());
        seen.filter(|(id, _)| is_reset(*id)).for_each(|(_, seen)| *seen = None);
    }

    /// Whether a series has recorded nothing for longer than the timeout. `samples` is any value
    /// that changes when it records.
    pub(crate) fn is_idle(&mut self, id: u32, samples: u64, now: Instant) -> bool {
        let Some(timeout) = self.timeout else { return false };
        let id = id as usize;
        if self.seen.len() <= id {
            self.seen.resize(id + 1, None);
        }
        let seen = self.seen[id].get_or_insert(Seen { samples, at: now });
        if seen.samples != samples {
            *seen = Seen { samples, at: now };
        }
        now.saturating_duration_since(seen.at) > timeout
    }

    /// Forgets a series that has left: any count is new when it returns.
    pub(crate) fn forget_one(&mut self, id: u32) {
        if let Some(seen) = self.seen.get_mut(id as usize) {
            *seen = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_idle_once_its_count_has_stood_still_for_longer_than_the_timeout() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut watch = IdleWatch::new(Some(10 * second));
        let mut idle = |samples: u64, at: u32| watch.is_idle(3, samples, start + at * second);
        assert!(!idle(5, 0) && !idle(5, 10) && idle(5, 11));
        assert!(!idle(6, 12) && !idle(6, 22) && idle(6, 23));
        assert!(!idle(0, 24) && idle(0, 35));
        watch.forget(|id| id == 3);
        assert!(!watch.is_idle(3, 0, start + 36 * second), "a reset is news as well");
        assert!(watch.is_idle(3, 0, start + 50 * second));
        watch.forget_one(3);
        assert!(!watch.is_idle(3, 0, start + 50 * second), "it has returned");
        assert!(!IdleWatch::new(None).is_idle(3, 5, start + 1_000 * second));
    }
}
