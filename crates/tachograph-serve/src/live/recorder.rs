//! Makes a frame per step and passes it on.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tachograph::{MetricsCollector, Snapshot};
use tachograph_history::{Definition, Depth, Frame, History};

use crate::live::feed::{Fed, Feed};
use crate::live::lines::{Lines, Place};
use crate::pages::scrapes::Scrapes;

/// The history of one collector, on a separate thread.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) metrics: MetricsCollector,
    pub(crate) scrapes: Arc<Scrapes>,
    pub(crate) history: History,
    pub(crate) lines: Arc<Lines>,
    pub(crate) feeds: Vec<Feed>,
}

impl Recorder {
    /// Makes the frame up to the last published snapshot, unless that has not changed.
    pub(crate) fn frame(&mut self) {
        self.frame_to(&self.metrics.snapshot());
    }

    fn frame_to(&mut self, snapshot: &Arc<Snapshot>) {
        let begun = Instant::now();
        let Some((frame, new)) = self.history.record(snapshot) else { return };
        self.lines.add(&frame, &new, &self.history);
        for feed in &self.feeds {
            feed.send(Fed { frame: Arc::clone(&frame), new: new.clone() });
        }
        self.scrapes.note_frame(begun.elapsed());
    }

    /// The start of a listener that wants this much of the past: merged frames first, as far back
    /// as single ones do not reach. Begins with the gauges as they stand.
    pub(crate) fn begin(&self, since: Duration) -> (Vec<Arc<Frame>>, Place) {
        let Some(newest) = self.history.newest() else { return (Vec::new(), self.lines.back(0)) };
        let from = newest.end().checked_sub(since).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut frames = self.history.recorded(from, newest.end(), Duration::ZERO);
        // The single frames are the newest, and their lines exist.
        let fine = self.history.frames(Depth::Fine).rev();
        let single = frames.iter().rev().zip(fine).take_while(|(a, b)| Arc::ptr_eq(a, b)).count();
        frames.truncate(frames.len() - single);
        if frames.is_empty() && single == 0 {
            frames.extend(self.history.standing(from).frame().cloned().map(Arc::new));
        }
        (frames, self.lines.back(single))
    }

    /// The stored frames of a time range, and the definitions of their series.
    pub(crate) fn range(
        &self,
        from: SystemTime,
        to: SystemTime,
    ) -> (Vec<Arc<Frame>>, Vec<Arc<Definition>>) {
        let definitions = self.history.definitions().map(Arc::clone).collect();
        (self.history.recorded(from, to, Duration::ZERO), definitions)
    }
}

impl Drop for Recorder {
    /// A recording contains everything up to the end.
    fn drop(&mut self) {
        self.frame_to(&self.metrics.get_all_metrics());
    }
}
