//! How long recording was on in each of the window's steps.

use std::time::Duration;

use crate::aggregate::window::{self, Step, Windowed};

/// The time whose samples were folded, by step.
#[derive(Debug, Default)]
pub(crate) struct OnSteps {
    /// The total, regardless of resets.
    total: Duration,
    steps: Windowed<Duration>,
}

impl OnSteps {
    /// Adds the time from the last call until recording had been on for `total`.
    pub(crate) fn fold(&mut self, total: Duration, step: Step) {
        *self.steps.current(step.now) += total.saturating_sub(self.total);
        self.total = total;
    }

    pub(crate) fn total(&self) -> Duration {
        self.total
    }

    /// The time in the window, or the total if there are no windows.
    pub(crate) fn in_window(&mut self, step: Step) -> Duration {
        let Some(now) = step.now else { return self.total };
        self.steps.slide(now, step.width);
        window::sum(self.steps.window())
    }
}
