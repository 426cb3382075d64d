//! Limits log lines that would repeat.

use std::time::Duration;

use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(600);

/// Logs at once, and then at most every ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Quiet(Option<Instant>);

impl Quiet {
    pub(crate) fn may_speak(&mut self) -> bool {
        let now = Instant::now();
        let may = self.0.is_none_or(|last| now.duration_since(last) >= EVERY);
        if may {
            self.0 = Some(now);
        }
        may
    }
}
