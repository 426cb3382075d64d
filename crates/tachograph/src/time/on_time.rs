//! How long recording was on: the divisor of rates.

use std::time::{Duration, Instant};

/// The time that recording was on, by the monotonic clock, up to the last update.
#[derive(Debug)]
pub(crate) struct OnTime {
    on: bool,
    ever: bool,
    /// `None` before the first update, which starts the count.
    counted_to: Option<Instant>,
    total: Duration,
}

impl OnTime {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, ever: on, counted_to: None, total: Duration::ZERO }
    }

    /// The total up to `now`. If time runs backwards, nothing is added until it has caught up.
    pub(crate) fn up_to(&mut self, now: Instant) -> Duration {
        let from = self.counted_to.unwrap_or(now);
        if self.on {
            self.total += now.saturating_duration_since(from);
        }
        self.counted_to = Some(from.max(now));
        self.total
    }

    pub(crate) fn switch(&mut self, now: Instant, on: bool) {
        self.up_to(now);
        self.on = on;
        self.ever |= on;
    }

    /// Whether recording was ever on.
    pub(crate) fn was_ever_on(&self) -> bool {
        self.ever
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_with_the_switch_on_counts_and_none_of_it_twice() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut time = OnTime::new(false);
        time.up_to(start);
        assert_eq!(time.up_to(start + 5 * second), Duration::ZERO);
        assert!(!time.was_ever_on());
        time.switch(start + 6 * second, true);
        time.switch(start + 7 * second, true);
        assert_eq!(time.up_to(start + 8 * second), 2 * second);
        assert_eq!(time.up_to(start), 2 * second, "backwards");
        assert_eq!(time.up_to(start + 9 * second), 3 * second);
        time.switch(start + 10 * second, false);
        assert_eq!(time.up_to(start + 60 * second), 4 * second);
        assert!(time.was_ever_on());
    }
}
