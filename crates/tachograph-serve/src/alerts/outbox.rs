//! Alert changes waiting to be delivered, oldest first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use tachograph::{Counter, MetricsCollector, Unit};
use tachograph_alert::{State, Transition};
use tokio::sync::Notify;

/// The maximum number of waiting changes. Beyond it the oldest are dropped and counted.
const WAITING_MAX: usize = 1_000;

const DELIVERED: &str = "metrics.alerts.delivered";
const FAILED: &str = "metrics.alerts.failed";
const DROPPED: &str = "metrics.alerts.dropped";

/// The state of a sink and its counts, as shown by `/alerts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SinkStatus {
    /// The sink's name.
    pub(crate) name: String,
    /// Changes that it accepted.
    pub(crate) delivered: u64,
    /// Failed attempts; most are repeated.
    pub(crate) failed: u64,
    /// Changes that it will never get: too many were waiting, or it refused them.
    pub(crate) dropped: u64,
    /// Changes that are waiting.
    pub(crate) waiting: usize,
    /// When it last accepted one: seconds since 1970.
    pub(crate) last_delivery: Option<f64>,
    /// Why the last attempt failed, unless one has succeeded since.
    pub(crate) last_error: Option<String>,
}

/// The changes waiting for one sink, and its counts.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<Waiting>,
    changed: Notify,
    delivered: Counter,
    failed: Counter,
    dropped: Counter,
}

#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Arc<Transition>>,
    /// The number of oldest changes that are being sent.
    under_way: usize,
    status: SinkStatus,
    is_closed: bool,
}

/// Whether receivers get a change: only if an alert starts or stops firing.
pub(crate) fn is_news(change: &Transition) -> bool {
    change.alert.state == State::Firing || change.from == State::Firing
}

impl Outbox {
    pub(crate) fn new(name: &str, metrics: &MetricsCollector) -> Self {
        metrics.describe(DELIVERED, Unit::None, "alert changes that sinks accepted");
        metrics.describe(FAILED, Unit::None, "failed attempts to deliver alert changes");
        metrics.describe(DROPPED, Unit::None, "alert changes that a sink will never get");
        let counter = |metric| metrics.with_tags(&[("sink", name)]).register_counter(metric);
        let status = SinkStatus { name: name.to_owned(), ..SinkStatus::default() };
        Self {
            state: Mutex::new(Waiting { status, ..Waiting::default() }),
            changed: Notify::new(),
            delivered: counter(DELIVERED),
            failed: counter(FAILED),
            dropped: counter(DROPPED),
        }
    }

    pub(crate) fn push(&self, change: Arc<Transition>) {
        let mut state = self.state();
        state.changes.push_back(change);
        if state.changes.len() > WAITING_MAX {
            // Changes being sent count as sent.
            let oldest = state.under_way.min(state.changes.len() - 1);
            state.changes.remove(oldest);
            state.status.dropped += 1;
            self.dropped.increment();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The oldest changes that can be sent at once: at most one per alert, so that none hides
    /// another.
    pub(crate) fn batch(&self, at_most: usize) -> Vec<Arc<Transition>> {
        let mut state = self.state();
        let mut batch: Vec<Arc<Transition>> = Vec::new();
        for change in state.changes.iter().take(at_most) {
            if batch.iter().any(|other| other.alert.labels == change.alert.labels) {
                break;
            }
            batch.push(Arc::clone(change));
        }
        state.under_way = batch.len();
        batch
    }

    /// The changes of the last batch were accepted.
    pub(crate) fn take(&self) {
        let mut state = self.state();
        let taken = self.settle(&mut state);
        self.note_taken(&mut state, taken);
    }

    /// The changes of the last batch were refused for good.
    pub(crate) fn refuse(&self, reason: String) {
        let mut state = self.state();
        let refused = self.settle(&mut state);
        state.status.dropped += refused;
        self.dropped.increment_by(refused);
        self.note_failed(&mut state, reason);
    }

    /// The last attempt failed; the batch stays queued.
    pub(crate) fn fail(&self, reason: String) {
        let mut state = self.state();
        state.under_way = 0;
        self.note_failed(&mut state, reason);
    }

    /// Counts a change that was delivered or refused without waiting.
    pub(crate) fn note(&self, outcome: Result<(), String>) {
        let mut state = self.state();
        match outcome {
            Ok(()) => self.note_taken(&mut state, 1),
            Err(reason) => {
                state.status.dropped += 1;
                self.dropped.increment();
                self.note_failed(&mut state, reason);
            }
        }
    }

    fn settle(&self, state: &mut Waiting) -> u64 {
        let settled = std::mem::take(&mut state.under_way).min(state.changes.len());
        state.changes.drain(..settled);
        settled as u64
    }

    fn note_taken(&self, state: &mut Waiting, changes: u64) {
        self.delivered.increment_by(changes);
        state.status.delivered += changes;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        state.status.last_delivery = Some(since.as_secs_f64());
        state.status.last_error = None;
    }

    fn note_failed(&self, state: &mut Waiting, reason: String) {
        self.failed.increment();
        state.status.failed += 1;
        state.status.last_error = Some(reason);
    }

    /// Waits until something changes.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Closes it: no more changes will be added.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    pub(crate) fn status(&self) -> SinkStatus {
        let state = self.state();
        SinkStatus { waiting: state.changes.len(), ..state.status.clone() }
    }

    /// Nothing can panic while it is locked.
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
