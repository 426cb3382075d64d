//! Limits log messages to one per second.

use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(1);

/// Lets one message a second through, and counts the others.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    said: Option<Instant>,
    left_out: u64,
}

impl Quiet {
    /// Calls `say` with the number of messages suppressed before it, if it may log.
    pub(crate) fn say(&mut self, say: impl FnOnce(u64)) {
        self.say_at(Instant::now(), say);
    }

    fn say_at(&mut self, now: Instant, say: impl FnOnce(u64)) {
        if self.said.is_some_and(|said| now.duration_since(said) < INTERVAL) {
            self.left_out += 1;
            return;
        }
        self.said = Some(now);
        say(std::mem::take(&mut self.left_out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_a_second_says_how_many_were_left_out() {
        let start = Instant::now();
        let mut quiet = Quiet::default();
        let mut said = Vec::new();
        for ms in [0, 1, 999, 1_000, 1_500, 2_100] {
            quiet.say_at(start + Duration::from_millis(ms), |left_out| said.push((ms, left_out)));
        }
        assert_eq!(said, [(0, 0), (1_000, 2), (2_100, 1)]);
    }
}
