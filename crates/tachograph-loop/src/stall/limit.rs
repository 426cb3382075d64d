//! Reports a minute. Pure: time comes from the caller.

use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Limit {
    per_minute: u32,
    minute: Option<Instant>,
    in_minute: u32,
    suppressed: u64,
}

impl Limit {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, minute: None, in_minute: 0, suppressed: 0 }
    }

    /// Whether a report may go out now: the number suppressed before it if so.
    pub(super) fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.minute.is_none_or(|minute| now.saturating_duration_since(minute) >= MINUTE) {
            (self.minute, self.in_minute) = (Some(now), 0);
        }
        if self.in_minute >= self.per_minute {
            self.suppressed += 1;
            return None;
        }
        self.in_minute += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_minute_and_the_next_tells_how_many_were_left_out() {
        let start = Instant::now();
        let mut limit = Limit::new(5);
        // A report each second: minutes begin at 0, 60 and 120 s.
        let admitted = (0..=120)
            .filter_map(|second| Some((second, limit.admit(start + Duration::from_secs(second))?)));
        let expected = [
            [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)].as_slice(),
            &[(60, 55), (61, 0), (62, 0), (63, 0), (64, 0), (120, 55)],
        ];
        assert_eq!(admitted.collect::<Vec<_>>(), expected.concat());
    }
}
