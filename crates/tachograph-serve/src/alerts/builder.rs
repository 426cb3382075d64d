//! The rules to evaluate, and the sinks to notify.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tachograph_alert::{Report, Rule, Transition};

use crate::alerts::outbox::{Outbox, SinkStatus};
use crate::alerts::receiver::Receiver;
use crate::alerts::sink::Sink;

/// Rules that an endpoint evaluates with every frame of its [history](crate::Endpoint::history),
/// and the sinks that are notified when an alert changes.
///
/// Everything runs on separate threads. One evaluates the rules: a rule that takes long or panics
/// affects only its own result. Another sends requests to receivers, and each callback has one of
/// its own. Frames that arrive meanwhile wait, and are merged beyond 32, so that no rule misses a
/// sample.
///
/// ```
/// use tachograph::MetricsCollector;
/// use tachograph_serve::{Alerts, Endpoint, Receiver};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rules =
///     tachograph_alert::parse("[[rule]]\nname = \"Alive\"\nstatistic = \"heartbeat\"\n")?;
/// let alerts = Alerts::new(rules).log().receiver(Receiver::alertmanager("http://127.0.0.1:9093")?);
/// let handle = alerts.handle();
/// let endpoint = Endpoint::new(MetricsCollector::new()).alerts(alerts);
/// // Later, when the file of rules has changed:
/// handle.replace(Vec::new());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Alerts {
    pub(crate) board: Arc<Board>,
    pub(crate) sinks: Vec<Sink>,
    pub(crate) page: Arc<str>,
}

/// Changes the rules while they run.
#[derive(Clone, Debug)]
pub struct AlertsHandle(Arc<Board>);

/// The state that the rules' thread shares with others.
#[derive(Debug, Default)]
pub(crate) struct Board {
    state: Mutex<Posted>,
}

#[derive(Debug, Default)]
struct Posted {
    /// Rules not in place yet.
    rules: Option<Vec<Rule>>,
    report: Report,
    outboxes: Vec<Arc<Outbox>>,
}

/// The answer of `/alerts`.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    report: Report,
    sinks: Vec<SinkStatus>,
}

impl Alerts {
    /// Evaluates these rules, without sinks.
    pub fn new(rules: Vec<Rule>) -> Self {
        let board = Board::default();
        board.state().rules = Some(rules);
        Self { board: Arc::new(board), sinks: Vec::new(), page: "".into() }
    }

    /// Logs every change with `tracing`: firing alerts as warnings.
    pub fn log(mut self) -> Self {
        self.sinks.push(Sink::Log);
        self
    }

    /// Calls a function with every change, one after another, on a thread of its own: it may take
    /// its time, or hang. Up to 1,000 changes wait meanwhile; beyond that the oldest are dropped and
    /// counted. A call that panics is counted, and not repeated.
    pub fn callback(mut self, call: impl Fn(&Transition) + Send + Sync + 'static) -> Self {
        self.sinks.push(Sink::Callback(Arc::new(call)));
        self
    }

    /// Sends every change into a channel. While the channel is full, changes are dropped and
    /// counted.
    pub fn channel(mut self, channel: SyncSender<Transition>) -> Self {
        self.sinks.push(Sink::Channel(channel));
        self
    }

    /// Posts to a webhook or an Alertmanager.
    pub fn receiver(mut self, receiver: Receiver) -> Self {
        self.sinks.push(Sink::Http(Box::new(receiver)));
        self
    }

    /// A page with more information, such as `http://studio:9464/`: sent with every alert.
    pub fn page(mut self, url: &str) -> Self {
        self.page = url.into();
        self
    }

    /// A handle for changing the rules later.
    pub fn handle(&self) -> AlertsHandle {
        AlertsHandle(Arc::clone(&self.board))
    }
}

impl AlertsHandle {
    /// Replaces the rules, with the next frame. Unchanged rules keep their alerts and values;
    /// alerts of removed rules are resolved.
    pub fn replace(&self, rules: Vec<Rule>) {
        self.0.state().rules = Some(rules);
    }
}

impl Board {
    /// Rules waiting to be put in place.
    pub(crate) fn new_rules(&self) -> Option<Vec<Rule>> {
        self.state().rules.take()
    }

    pub(crate) fn set_outboxes(&self, outboxes: Vec<Arc<Outbox>>) {
        self.state().outboxes = outboxes;
    }

    pub(crate) fn publish(&self, report: Report) {
        self.state().report = report;
    }

    /// The present state of everything.
    pub(crate) fn told(&self) -> Told {
        let state = self.state();
        let sinks = state.outboxes.iter().map(|outbox| outbox.status()).collect();
        Told { report: state.report.clone(), sinks }
    }

    /// Nothing can panic while it is locked, except for lack of memory.
    fn state(&self) -> MutexGuard<'_, Posted> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
