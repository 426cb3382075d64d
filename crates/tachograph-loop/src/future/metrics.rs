//! The series of one kind of future.

use std::sync::Arc;
use std::time::Duration;

use tachograph::{Histogram, MetricsCollector, Stamp, Timing, Unit};

use crate::future::watch::PollWatch;
use crate::stall::detector::StallDetector;

/// How a future ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Error,
    /// It was dropped before it was ready.
    Cancelled,
    Panicked,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Cancelled, Self::Panicked];

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }
}

/// Where one kind of future is recorded, such as the requests of a server. Cheap to clone.
///
/// | metric | kind | recorded | what |
/// |---|---|---|---|
/// | `task.wake_to_poll.delay` | timing | a poll | from the first wake since the last poll to the poll: how late the executor is |
/// | `task.poll.duration` | timing | a poll | how long the poll took: what others on its thread waited |
/// | `task.busy.duration` | timing | a future | all its polls together |
/// | `task.waiting.duration` | timing | a future | the rest of its life, from [`Instrument::instrument`](crate::Instrument::instrument) on |
/// | `task.polls` | histogram | a future | how often it was polled |
///
/// Every series has the tag `task` with the kind's name. Those recorded once a future also have the
/// tag `outcome`: `ok`, `error` (see
/// [`Instrument::instrument_result`](crate::Instrument::instrument_result)), `cancelled` (dropped
/// before it was ready) or `panicked`. A count of them is the number of futures that ended so.
#[derive(Clone, Debug)]
pub struct FutureMetrics {
    pub(super) series: Arc<Series>,
    pub(super) watch: Option<Arc<PollWatch>>,
}

#[derive(Debug)]
pub(super) struct Series {
    task: Box<str>,
    pub(super) metrics: MetricsCollector,
    pub(super) wake_to_poll: Timing,
    pub(super) poll: Timing,
    /// By [`Outcome`].
    ends: [End; 4],
}

#[derive(Debug)]
struct End {
    busy: Timing,
    waiting: Timing,
    polls: Histogram,
}

const WAKE_TO_POLL: &str = "task.wake_to_poll.delay";
const POLL: &str = "task.poll.duration";
const BUSY: &str = "task.busy.duration";
const WAITING: &str = "task.waiting.duration";
const POLLS: &str = "task.polls";

const DESCRIPTIONS: [(&str, Unit, &str); 5] = [
    (WAKE_TO_POLL, Unit::Seconds, "from the wake of a future to its poll"),
    (POLL, Unit::Seconds, "a poll of a future"),
    (BUSY, Unit::Seconds, "all polls of a future"),
    (WAITING, Unit::Seconds, "the life of a future without its polls"),
    (POLLS, Unit::None, "polls of a future"),
];

impl FutureMetrics {
    /// Registers the series of one kind of future.
    pub fn new(metrics: &MetricsCollector, task: &str) -> Self {
        for (name, unit, text) in DESCRIPTIONS {
            metrics.describe(name, unit, text);
        }
        let tags = [("task", task)];
        let of_task = metrics.with_tags(&tags);
        let end = |outcome: Outcome| {
            let tags = [("task", task), ("outcome", outcome.name())];
            let tagged = metrics.with_tags(&tags);
            End {
                busy: tagged.register_timing(BUSY),
                waiting: tagged.register_timing(WAITING),
                polls: tagged.register_histogram(POLLS),
            }
        };
        let series = Series {
            task: task.into(),
            wake_to_poll: of_task.register_timing(WAKE_TO_POLL),
            poll: of_task.register_timing(POLL),
            ends: Outcome::ALL.map(end),
            metrics: metrics.clone(),
        };
        Self { series: Arc::new(series), watch: None }
    }

    /// Has a detector watch the polls of the futures that are instrumented with this from now on:
    /// one that blocks its thread for longer than the threshold is reported with its backtrace, as
    /// the loop `task`, while it still does. See [`StallDetector`].
    ///
    /// Costs some 5 ns a poll; the first poll on each thread allocates. A future that polls others
    /// of its kind is watched as a whole.
    ///
    /// ```
    /// use tachograph::MetricsCollector;
    /// use tachograph_loop::{FutureMetrics, Instrument, StallDetector};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let metrics = MetricsCollector::new();
    /// let detector = StallDetector::builder().on_stall(|stall| eprintln!("{stall}")).start(&metrics)?;
    /// let requests = FutureMetrics::new(&metrics, "request").watched_by(&detector);
    /// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// runtime.block_on(async { /* ... */ }.instrument(&requests));
    /// detector.assert_no_stalls();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn watched_by(mut self, detector: &StallDetector) -> Self {
        self.watch = Some(PollWatch::new(&self.series.task, detector.registrar().clone()));
        self
    }
}

/// What a future has used so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// When it was instrumented; none if recording was off.
    pub(super) born: Stamp,
    pub(super) busy_ns: u64,
    pub(super) polls: u64,
}

impl Series {
    /// Records a life that has ended, unless recording was off at its start or is at its end.
    pub(super) fn end(&self, life: Life, ended: Stamp, outcome: Outcome) {
        let Some(lived) = self.metrics.duration_between(life.born, ended) else { return };
        let End { busy, waiting, polls } = &self.ends[outcome as usize];
        busy.record_ns(life.busy_ns);
        waiting.record_ns(nanos(lived).saturating_sub(life.busy_ns));
        polls.record(life.polls);
    }
}

/// Whole nanoseconds, for durations of less than 584 years.
#[inline]
pub(super) fn nanos(duration: Duration) -> u64 {
    duration.as_secs() * 1_000_000_000 + u64::from(duration.subsec_nanos())
}
