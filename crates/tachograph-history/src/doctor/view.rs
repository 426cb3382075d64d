//! The data that findings look at.

use std::sync::Arc;
use std::time::Duration;

use tachograph::Unit;

use crate::frame::{Frame, Statistics, TimingStep};
use crate::history::History;
use crate::text::format;

/// A history with all its frames in one list, oldest first.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) history: &'a History,
    pub(super) frames: Vec<Arc<Frame>>,
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        Self { history, frames: history.all() }
    }

    /// The end of the newest frame.
    pub(super) fn end_ms(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.end_ms)
    }

    /// The time that all frames cover, in words.
    pub(super) fn span(&self) -> String {
        span(self.frames.iter().map(|frame| frame.span()).sum())
    }

    /// A counter's gain over all frames.
    pub(super) fn counted(&self, number: u32) -> i128 {
        self.frames.iter().filter_map(|frame| frame.counter(number)).sum()
    }

    /// The number of records of a series of any kind, over all frames.
    pub(super) fn records(&self, number: u32) -> u128 {
        let steps = self.frames.iter().filter_map(|frame| frame.get(number));
        steps.map(records).sum()
    }

    /// The samples of a timing or histogram in the frames that `wanted` selects.
    pub(super) fn timing(
        &self,
        number: u32,
        wanted: impl Fn(&Frame) -> bool,
    ) -> Option<TimingStep> {
        let frames = self.frames.iter().filter(|frame| wanted(frame));
        let mut steps = frames.filter_map(|frame| frame.timing(number));
        let mut sum = steps.next()?.clone();
        steps.for_each(|step| sum.append(step));
        Some(sum)
    }
}

fn records(step: Statistics<'_>) -> u128 {
    match step {
        Statistics::Counter(change) => change.unsigned_abs(),
        Statistics::Gauge(step) => step.count.into(),
        Statistics::Timing(step) => step.count.into(),
    }
}

/// A duration in words, in whole seconds.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64().round();
    if seconds < 1.0 { "less than a second".to_owned() } else { format(seconds, &Unit::Seconds) }
}
