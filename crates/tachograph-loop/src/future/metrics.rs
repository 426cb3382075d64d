//! The series of one kind of future.

use std::sync::Arc;

use tachograph::{Histogram, MetricsCollector, Stamp, Timing, Unit};

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
/// tag `outcome`: `ok`, `error` (see [`Instrument::instrument_result`](crate::Instrument::instrument_result)),
/// `cancelled` (dropped before it was ready) or `panicked`. A count of them is the number of futures
/// that ended so.
#[derive(Clone, Debug)]
pub struct FutureMetrics(pub(super) Arc<Series>);

#[derive(Debug)]
pub(super) struct Series {
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
        Self(Arc::new(Series {
            wake_to_poll: of_task.register_timing(WAKE_TO_POLL),
            poll: of_task.register_timing(POLL),
            ends: Outcome::ALL.map(end),
            metrics: metrics.clone(),
        }))
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
    /// Nanoseconds from a start to an end, and 0 if recording was off at either.
    #[inline]
    pub(super) fn nanos(&self, start: Stamp, end: Stamp) -> u64 {
        let between = self.metrics.duration_between(start, end);
        between.map_or(0, |between| u64::try_from(between.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Records a life that has ended.
    pub(super) fn end(&self, life: Life, ended: Stamp, outcome: Outcome) {
        if life.born.is_none() || ended.is_none() {
            return;
        }
        let End { busy, waiting, polls } = &self.ends[outcome as usize];
        let lived = self.nanos(life.born, ended);
        busy.record_ns(life.busy_ns);
        waiting.record_ns(lived.saturating_sub(life.busy_ns));
        polls.record(life.polls);
    }
}
