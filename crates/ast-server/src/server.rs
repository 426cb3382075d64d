//! The server without its sockets: what a program that embeds it calls.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use live_set::{Changes, Hash, NodeType, ProjectInfo, Set, diff};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use tachograph::{MetricsCollector, Snapshot};
use tachograph_export::{MetricsExporter, Summary};
use tokio::sync::Notify;

use crate::arg::Arg;
use crate::error::Error;
use crate::event::Rejection;
use crate::event_type::EventType;
use crate::metrics::ServerMetrics;
use crate::state::{Handled, State};

/// A server: one set, its viewers, and the metrics of everything that happens.
///
/// `Clone` is cheap and gives the same server. It can be used from any number of threads; they
/// take turns at the set.
///
/// ```
/// use ast_server::{Arg, AstServer};
///
/// let server = AstServer::new();
/// server.process_live_event("/live/track/renamed", &[Arg::from(0), Arg::from("Bass")], 1, 0.0);
/// let summary = server.get_metrics_summary();
/// assert_eq!(summary.event_processing.ignored, 1); // no set is loaded yet
/// ```
#[derive(Clone, Debug)]
pub struct AstServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    collector: MetricsCollector,
    metrics: Arc<ServerMetrics>,
    state: Mutex<State>,
    /// Wakes whoever sends what was held back.
    held_back: Notify,
    settings: Builder,
}

/// Configures an [`AstServer`]; every setting has a sensible default.
#[derive(Clone, Debug)]
pub struct Builder {
    enable_metrics: bool,
    pub(crate) queue_messages: usize,
    pub(crate) evict_after: Duration,
    pub(crate) clients_max: usize,
    broadcast_interval: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            enable_metrics: true,
            queue_messages: 1_000,
            evict_after: Duration::from_secs(30),
            clients_max: 1_000,
            broadcast_interval: Duration::from_millis(100),
        }
    }
}

impl Builder {
    /// Whether metrics are recorded from the start; they are by default. It can be switched at
    /// any time by `server.metrics().set_enabled(..)`.
    #[must_use]
    pub fn enable_metrics(mut self, enable: bool) -> Self {
        self.enable_metrics = enable;
        self
    }

    /// How many messages may wait for a viewer before it is sent the whole tree in their place;
    /// 1,000 by default, at least 1.
    #[must_use]
    pub fn client_queue(mut self, messages: usize) -> Self {
        self.queue_messages = messages.max(1);
        self
    }

    /// How long a viewer whose queue is full may go without reading; 30 s by default.
    #[must_use]
    pub fn evict_after(mut self, after: Duration) -> Self {
        self.evict_after = after;
        self
    }

    /// How many viewers may be connected; 1,000 by default.
    #[must_use]
    pub fn max_clients(mut self, clients: usize) -> Self {
        self.clients_max = clients;
        self
    }

    /// How far apart broadcasts of one device parameter, and of the tempo, are at least; 100 ms
    /// by default.
    #[must_use]
    pub fn broadcast_interval(mut self, interval: Duration) -> Self {
        self.broadcast_interval = interval;
        self
    }

    /// Makes the server.
    #[must_use]
    pub fn build(self) -> AstServer {
        let collector = MetricsCollector::builder().enabled(self.enable_metrics).build();
        let metrics = Arc::new(ServerMetrics::register(&collector));
        let state = State::new(self.queue_messages, self.broadcast_interval, Arc::clone(&metrics));
        let shared = Shared {
            collector,
            metrics,
            state: Mutex::new(state),
            held_back: Notify::new(),
            settings: self,
        };
        AstServer { shared: Arc::new(shared) }
    }
}

/// What became of an event. Each is in exactly one class, and counted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an event may be rejected"]
pub enum Outcome {
    /// It was applied.
    Processed,
    /// No set is loaded.
    Ignored,
    /// Nothing handles events of that path.
    Unhandled,
    /// Its arguments are bad, or point at nothing.
    Rejected(Rejection),
    /// Handling it failed inside the server; the failure was caught.
    Failed,
}

/// What [`AstServer::load_project`] answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// `"success"`.
    pub status: &'static str,
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The hash of the whole tree.
    pub root_hash: Hash,
}

/// What [`AstServer::get_project_info`] answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileInfo {
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The summary of the set.
    #[serde(flatten)]
    pub info: ProjectInfo,
}

impl Default for AstServer {
    fn default() -> Self {
        Self::new()
    }
}

impl AstServer {
    /// A server that records metrics.
    #[must_use]
    pub fn new() -> Self {
        Builder::default().build()
    }

    /// Configures a server.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The collector that the server records into; yours to record into as well.
    #[must_use]
    pub fn metrics(&self) -> &MetricsCollector {
        &self.shared.collector
    }

    /// Every metric, everything recorded before the call included:
    /// `{timestamp, uptime_seconds, metrics: {timings, counters, gauges}}`.
    #[must_use]
    pub fn get_metrics(&self) -> Value {
        MetricsExporter::to_json(&self.snapshot())
    }

    /// The high-level overview, everything recorded before the call included.
    #[must_use]
    pub fn get_metrics_summary(&self) -> Summary {
        MetricsExporter::to_summary(&self.snapshot())
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.collector.get_all_metrics()
    }

    /// Processes an event: counts it, applies it, and queues what it changed for the viewers.
    ///
    /// `seq` is the sender's number of the event, which the change records carry; `timestamp` is
    /// when it was sent, in seconds, and informational only.
    pub fn process_live_event(
        &self,
        path: &str,
        args: &[Arg<'_>],
        seq: impl Into<Option<u32>>,
        timestamp: f64,
    ) -> Outcome {
        let _ = timestamp;
        self.process(path, args, seq.into())
    }

    fn process(&self, path: &str, args: &[Arg<'_>], seq: Option<u32>) -> Outcome {
        let metrics = &*self.shared.metrics;
        let event_type = EventType::of(path);
        metrics.received.increment();
        metrics.received_by_type.of(event_type).increment();
        let known = event_type.and_then(|known| Some((known, known.handler()?)));
        let Some((event_type, handler)) = known else {
            metrics.unhandled.increment();
            metrics.unhandled_by_type.of(event_type).increment();
            return Outcome::Unhandled;
        };
        self.handle(Handled { event_type, handler, args, seq })
    }

    fn handle(&self, event: Handled<'_>) -> Outcome {
        let metrics = &*self.shared.metrics;
        let event_type = Some(event.event_type);
        let timer = metrics.duration.start();
        let mut state = self.state();
        if !state.is_loaded() {
            timer.discard();
            metrics.ignored.increment();
            return Outcome::Ignored;
        }
        let idle = state.next_flush().is_none();
        // What a failure leaves half done, `recover` makes whole.
        match catch_unwind(AssertUnwindSafe(|| state.apply(event))) {
            Ok(Ok(())) => {
                if idle && state.next_flush().is_some() {
                    self.shared.held_back.notify_one();
                }
                drop(state);
                let took = timer.stop();
                metrics.duration_by_type.of(event_type).record(took);
                metrics.processed.increment();
                metrics.processed_by_type.of(event_type).increment();
                Outcome::Processed
            }
            Ok(Err(rejection)) => {
                timer.discard();
                metrics.rejected.increment();
                metrics.rejected_by_type.of(event_type).increment();
                Outcome::Rejected(rejection)
            }
            Err(_) => {
                timer.discard();
                state.recover();
                metrics.errors.increment();
                metrics.errors_by_type.of(event_type).increment();
                Outcome::Failed
            }
        }
    }

    /// Loads a set, `.als` or the XML inside one, in place of the one that was loaded, and sends
    /// it to every viewer.
    ///
    /// # Errors
    /// The file cannot be opened or is no set; what was loaded stays, and viewers are told.
    pub fn load_project(&self, file: impl AsRef<Path>) -> Result<LoadReport, Error> {
        let file = file.as_ref();
        let timer = self.shared.metrics.load_duration.start();
        let set = read(file);
        let mut state = self.state();
        match set {
            Ok(set) => {
                let root_hash = set.root_hash();
                state.load(set, file);
                Ok(LoadReport { status: "success", file: file.to_owned(), root_hash })
            }
            Err(error) => {
                timer.discard();
                if state.is_loaded() {
                    let details = json!({ "reason": error.to_string() });
                    state.announce("Reload failed", details);
                }
                Err(error)
            }
        }
    }

    /// Every node of a type, in the order of the tree, each as
    /// `{node_type, id, hash, attributes, children}`.
    ///
    /// # Errors
    /// No set is loaded, or there is no such type.
    pub fn find_nodes_by_type(&self, node_type: &str) -> Result<Vec<Value>, Error> {
        let node_type: NodeType = node_type.parse()?;
        let state = self.state();
        let nodes = state.loaded()?.set.nodes_by_type(node_type);
        Ok(nodes.map(|node| serde_json::to_value(node).unwrap_or_default()).collect())
    }

    /// How a file differs from the set as it is now.
    ///
    /// # Errors
    /// No set is loaded, or the file cannot be read.
    pub fn diff_with_file(&self, file: impl AsRef<Path>) -> Result<Changes, Error> {
        let timer = self.shared.metrics.diff_duration.start();
        let compare = || {
            // A copy, so that events go on meanwhile.
            let current = self.state().loaded()?.set.clone();
            let mut other = read(file.as_ref())?;
            other.continue_from(&current);
            Ok(diff(&current, &other))
        };
        compare().inspect_err(|_| timer.discard())
    }

    /// What the set holds, in numbers.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn get_project_info(&self) -> Result<FileInfo, Error> {
        let state = self.state();
        let loaded = state.loaded()?;
        Ok(FileInfo { file: loaded.file.clone(), info: loaded.set.project_info() })
    }

    /// The hash of the whole tree as it is now.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn root_hash(&self) -> Result<Hash, Error> {
        Ok(self.state().loaded()?.set.root_hash())
    }

    /// How many viewers are connected.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.state().viewers()
    }

    pub(crate) fn handles(&self) -> &Arc<ServerMetrics> {
        &self.shared.metrics
    }

    pub(crate) fn settings(&self) -> &Builder {
        &self.shared.settings
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A failure under the lock is caught and made good before the lock is given back.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what was held back when its time has come; never ends.
    pub(crate) async fn send_held_back(&self) {
        loop {
            let next = self.state().flush(Instant::now());
            match next {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => self.shared.held_back.notified().await,
            }
        }
    }
}

/// A path is text for people: where it is not UTF-8, as close as text can be.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Reads a set from a file.
///
/// # Errors
/// Names the file and the reason.
pub fn read(file: &Path) -> Result<Set, Error> {
    let opened = File::open(file).map_err(|source| Error::open(file, source))?;
    Set::read(opened).map_err(|source| Error::read(file, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_failure_is_caught_counted_once_and_leaves_the_tree_right() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("set.als");
        let spec =
            live_set::generate::Spec { tracks: 2, scenes: 2, clips: 1, ..Default::default() };
        spec.write_als(File::create(&file).expect("a file")).expect("written");
        let server = AstServer::new();
        let report = server.load_project(&file).expect("the set loads");
        let (seat, _) = server.state().join();

        server.state().fails = true;
        let send = || {
            let args = [Arg::from(0), Arg::from(true)];
            server.process_live_event("/live/track/mute", &args, 1, 0.0)
        };
        assert_eq!(send(), Outcome::Failed);
        assert_eq!(server.root_hash().expect("a set"), report.root_hash);
        assert!(!seat.is_lagging());
        assert_eq!(send(), Outcome::Processed);

        let summary = server.get_metrics_summary();
        assert_eq!(summary.errors["errors.event_processing"], 1);
        assert_eq!(summary.errors_total, 1, "the count by type is not added to it");
        assert_eq!(summary.event_processing.received, 2);
        assert_eq!(summary.event_processing.total_processed, 1);
        assert_eq!(summary.websocket.broadcasts_sent, 2, "the whole tree, and the diff");
    }

    #[test]
    fn while_metrics_are_off_events_are_processed_and_nothing_is_recorded() {
        let server = AstServer::builder().enable_metrics(false).build();
        assert!(!server.metrics().enabled());
        let args = [Arg::from(0), Arg::from("Bass")];
        assert_eq!(
            server.process_live_event("/live/track/renamed", &args, 1, 0.0),
            Outcome::Ignored
        );
        assert!(server.metrics().get_counter("events.received").is_none());
        assert_eq!(server.get_metrics_summary().event_processing.received, 0);
        server.metrics().set_enabled(true);
        let _ = server.process_live_event("/live/track/renamed", &args, 2, 0.0);
        assert_eq!(server.get_metrics_summary().event_processing.received, 1);
    }
}
