//! A push's own metrics, recorded into the collector that it pushes. The crate's documentation has
//! a table of the series.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tachograph::{Counter, Gauge, Histogram, MetricsCollector, Recorder, Timing, Unit};

const ATTEMPTS: &str = "metrics.push.attempts";
const DURATION: &str = "metrics.push.duration";
const SIZE: &str = "metrics.push.size";
const DROPPED: &str = "metrics.push.dropped";
const POSTPONED: &str = "metrics.push.postponed";
const REJECTED: &str = "metrics.push.rejected";
const QUEUE: &str = "metrics.push.queue";

/// The counts of a push. `payloads = delivered + dropped + waiting`, where a payload being sent
/// counts as waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushReport {
    /// Payloads made, each from one snapshot.
    pub payloads: u64,
    /// Payloads that the receiver accepted, completely or in part.
    pub delivered: u64,
    /// Payloads that the receiver refused, that could not be delivered before newer ones or the end
    /// came, or whose creation panicked.
    pub dropped: u64,
    /// The number of times that no delta payload was made because too many were queued; the next
    /// one covers that time too.
    pub postponed: u64,
    /// Requests sent; more than payloads if some were sent again.
    pub attempts: u64,
    /// Data points that the receiver rejected from payloads that it accepted.
    pub rejected_data_points: u64,
}

impl PushReport {
    /// Payloads waiting to be delivered.
    pub fn waiting(&self) -> u64 {
        self.payloads.saturating_sub(self.delivered + self.dropped)
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Taken,
    Later,
    Refused,
    Unanswered,
}

/// Why a payload was not delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    QueueFull,
    Refused,
    Shutdown,
    Panicked,
}

/// The series and the report of one push.
#[derive(Debug)]
pub(crate) struct Pushes {
    attempts: [Counter; 4],
    dropped: [Counter; 4],
    postponed: Counter,
    rejected: Counter,
    duration: Timing,
    size: Histogram,
    queue: Gauge,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// One lane for all threads of a runtime.
    recorder: Recorder,
    report: PushReport,
}

impl Pushes {
    pub(crate) fn new(metrics: &MetricsCollector) -> Self {
        metrics.describe(ATTEMPTS, Unit::None, "requests that pushed metrics, by outcome");
        metrics.describe(DURATION, Unit::Seconds, "of a request that pushed metrics");
        metrics.describe(SIZE, Unit::Bytes, "payloads of pushed metrics, as they are sent");
        metrics.describe(DROPPED, Unit::None, "payloads of metrics not delivered, by reason");
        metrics.describe(POSTPONED, Unit::None, "deltas that went into the next payload");
        metrics.describe(REJECTED, Unit::None, "data points that a receiver left out");
        metrics.describe(QUEUE, Unit::None, "payloads of metrics that wait to be sent");
        let tagged = |name, key, value| metrics.with_tags(&[(key, value)]).register_counter(name);
        Self {
            // In the order of `Outcome` and `Loss`.
            attempts: ["taken", "later", "refused", "unanswered"]
                .map(|outcome| tagged(ATTEMPTS, "outcome", outcome)),
            dropped: ["queue_full", "refused", "shutdown", "panicked"]
                .map(|reason| tagged(DROPPED, "reason", reason)),
            postponed: metrics.register_counter(POSTPONED),
            rejected: metrics.register_counter(REJECTED),
            duration: metrics.register_timing(DURATION),
            size: metrics.register_histogram(SIZE),
            queue: metrics.register_gauge(QUEUE),
            state: Mutex::new(State {
                recorder: metrics.recorder(),
                report: PushReport::default(),
            }),
        }
    }

    pub(crate) fn report(&self) -> PushReport {
        self.state().report
    }

    pub(crate) fn note_payload(&self, bytes: usize) {
        let State { recorder, report } = &mut *self.state();
        report.payloads += 1;
        recorder.record(&self.size, bytes as u64);
    }

    pub(crate) fn note_attempt(&self, outcome: Outcome, took: Duration) {
        let State { recorder, report } = &mut *self.state();
        report.attempts += 1;
        recorder.increment(&self.attempts[outcome as usize]);
        recorder.record_ns(&self.duration, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn note_delivered(&self, rejected: u64) {
        let State { recorder, report } = &mut *self.state();
        report.delivered += 1;
        report.rejected_data_points = report.rejected_data_points.saturating_add(rejected);
        recorder.increment_by(&self.rejected, rejected);
    }

    pub(crate) fn note_dropped(&self, loss: Loss, payloads: u64) {
        let State { recorder, report } = &mut *self.state();
        report.dropped += payloads;
        recorder.increment_by(&self.dropped[loss as usize], payloads);
    }

    pub(crate) fn note_postponed(&self) {
        let State { recorder, report } = &mut *self.state();
        report.postponed += 1;
        recorder.increment(&self.postponed);
    }

    pub(crate) fn note_waiting(&self, payloads: usize) {
        self.state().recorder.set(&self.queue, payloads as f64);
    }

    /// Recording does not panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
