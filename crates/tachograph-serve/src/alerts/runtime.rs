//! The threads of alerts: one evaluates rules, one sends to receivers, and each callback has one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use tachograph::MetricsCollector;
use tachograph_alert::{Alert, Engine, Report, State, Transition};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::alerts::builder::{Alerts, Board};
use crate::alerts::caller::Caller;
use crate::alerts::delivery::Delivery;
use crate::alerts::outbox::Outbox;
use crate::alerts::receiver::Receiver;
use crate::alerts::sink::Sink;
use crate::error::Error;
use crate::live::feed::{Fed, Feed};
use crate::thread;

/// How long the end waits for receivers.
const END: Duration = Duration::from_millis(500);

/// Starts to evaluate rules with each frame of the feed.
///
/// # Errors
/// If a thread cannot be started, or a receiver cannot be trusted.
pub(crate) fn start(
    alerts: &Alerts,
    metrics: &MetricsCollector,
    step: Duration,
) -> Result<Feed, Error> {
    let mut sinks: Vec<(Sink, Arc<Outbox>)> = Vec::new();
    for sink in &alerts.sinks {
        let alike = sinks.iter().filter(|(other, _)| other.name() == sink.name()).count();
        let name = match alike {
            0 => sink.name().to_owned(),
            alike => format!("{}_{}", sink.name(), alike + 1),
        };
        sinks.push((sink.clone(), Arc::new(Outbox::new(&name, metrics))));
    }
    let board = Arc::clone(&alerts.board);
    board.set_outboxes(sinks.iter().map(|(_, outbox)| Arc::clone(outbox)).collect());
    let sender = Sender::start(&sinks, &alerts.page)?;
    let callers = sinks.iter().filter_map(|(sink, outbox)| match sink {
        Sink::Callback(call) => Some(Caller::start(Arc::clone(call), Arc::clone(outbox))),
        _ => None,
    });
    let callers = callers.collect::<Result<_, _>>().map_err(Error::thread)?;
    let mut evaluation = Evaluation {
        engine: Engine::new(Vec::new(), step),
        board,
        report: Report::default(),
        version: 0,
        sinks,
        _sender: sender,
        _callers: callers,
    };
    let patience = step.max(Duration::from_secs(1));
    let eat = move |fed: Option<Fed>| {
        evaluation.evaluate(fed);
        true
    };
    Feed::start("tachograph-alerts", patience, eat).map_err(Error::thread)
}

/// The rules' thread.
struct Evaluation {
    engine: Engine,
    board: Arc<Board>,
    report: Report,
    /// Of the newest frame's snapshot.
    version: u64,
    sinks: Vec<(Sink, Arc<Outbox>)>,
    _sender: Option<Sender>,
    _callers: Vec<Caller>,
}

impl Evaluation {
    /// Feeds a frame, or reports that none came.
    fn evaluate(&mut self, fed: Option<Fed>) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_ms = match &fed {
            Some(fed) => fed.frame.end_ms,
            None => u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        };
        let mut changes = self.replace(now_ms);
        changes.extend(match &fed {
            Some(Fed { frame, new }) => self.engine.frame(frame, new),
            None => self.engine.tick(now_ms),
        });
        if let Some(fed) = fed {
            self.version = fed.frame.version;
        }
        self.report.update(&self.engine, self.version, now_ms);
        for change in changes.into_iter().map(Arc::new) {
            self.report.note(&change);
            for (sink, outbox) in &self.sinks {
                sink.tell(&change, outbox);
            }
        }
        self.board.publish(self.report.clone());
    }

    /// Puts new rules in place, if there are any. Returns the ends of alerts whose rules were
    /// removed.
    fn replace(&mut self, at_ms: u64) -> Vec<Transition> {
        let Some(rules) = self.board.new_rules() else { return Vec::new() };
        let before = self.active();
        self.engine.replace(rules);
        let after = self.active();
        let gone = before.into_iter().filter(|(alert, _)| !after.contains_key(alert));
        gone.map(|((rule, _), mut alert)| {
            let from = std::mem::replace(&mut alert.state, State::Inactive);
            (alert.changed_ms, alert.active_since_ms) = (at_ms, 0);
            Transition { rule, at_ms, from, alert }
        })
        .collect()
    }

    /// Alerts that are not inactive, by rule and labels.
    fn active(&self) -> BTreeMap<(String, Arc<BTreeMap<String, String>>), Alert> {
        let mut active = BTreeMap::new();
        for status in self.engine.statuses() {
            for alert in status.alerts.into_iter().filter(|it| it.state != State::Inactive) {
                active.insert((status.name.to_owned(), alert.labels.clone()), alert.clone());
            }
        }
        active
    }
}

/// The thread that sends to receivers. Dropping this waits a moment for the queued changes.
struct Sender {
    outboxes: Vec<Arc<Outbox>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    /// Starts the thread; `None` if there are no receivers.
    fn start(sinks: &[(Sink, Arc<Outbox>)], page: &Arc<str>) -> Result<Option<Self>, Error> {
        let (mut deliveries, mut outboxes) = (Vec::new(), Vec::new());
        for (sink, outbox) in sinks {
            if let Sink::Http(receiver) = sink {
                let (outbox, page) = (Arc::clone(outbox), Arc::clone(page));
                outboxes.push(Arc::clone(&outbox));
                deliveries.push(Delivery::new(Receiver::clone(receiver), outbox, page)?);
            }
        }
        if deliveries.is_empty() {
            return Ok(None);
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let send = async move {
            let mut tasks: JoinSet<()> = deliveries.into_iter().map(Delivery::run).collect();
            // Err: the sender was dropped, which also means to stop.
            let _ = stopped.await;
            // Err: the time is over, and the queued changes are lost.
            let _ = timeout(END, async { while tasks.join_next().await.is_some() {} }).await;
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::thread)?;
        let thread = thread::spawn("tachograph-send", runtime, send).map_err(Error::thread)?;
        Ok(Some(Self { outboxes, stop: Some(stop), thread: Some(thread) }))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.outboxes.iter().for_each(|outbox| outbox.close());
        // Err: the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        // Err: it panicked, and the panic hook has reported it.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
