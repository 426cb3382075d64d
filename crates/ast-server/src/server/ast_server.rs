//! The server without its sockets: the API for programs that embed it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use serde_json::Value;
use tachograph::{MetricsCollector, Snapshot};
use tachograph_loop::ProcessMetrics;
use tokio::sync::Notify;

use crate::error::Error;
use crate::events::event::Event;
use crate::events::event_type::EventType;
use crate::events::request::Rejection;
use crate::events::stale::Stale;
use crate::files::read::read;
use crate::files::stamp::Stamp;
use crate::metrics::ServerMetrics;
use crate::osc::arg::Arg;
use crate::server::builder::Builder;
use crate::server::cache::Cache;
use crate::server::event_timer::EventTimer;
use crate::server::state::State;
use crate::summary::Summary;
use crate::summary::exporter::MetricsExporter;
use crate::viewers::hub::Hub;
use crate::viewers::mailbox::Limits;
use crate::viewers::outgoing::Memory;

/// A server: one set, its viewers, and the metrics of everything that happens.
///
/// `Clone` is cheap and returns the same server. It can be used from any number of threads, which
/// take turns on the set.
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
    /// Locked after the state if both are.
    cache: Mutex<Cache>,
    /// Held while a copy of much of the set exists; locked before the state.
    copying: Mutex<()>,
    /// Held while the whole tree is written for viewers; locked before `copying`.
    writing: Arc<tokio::sync::Mutex<()>>,
    /// The memory of all messages on their way to viewers.
    memory: Arc<Memory>,
    /// Held while a set is loaded.
    loading: Mutex<()>,
    /// Held while the set is compared with a file for a remote client.
    comparing: Mutex<()>,
    /// Why the saved set is not loaded, if so.
    file_problem: Mutex<Option<String>>,
    /// Wakes the file's watcher.
    look: Notify,
    /// Wakes the sender of held-back changes.
    held_back: Notify,
    settings: Builder,
}

/// The outcome of an event. Each event is counted in exactly one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an event may be rejected"]
pub enum Outcome {
    /// It was applied.
    Processed,
    /// No set is loaded.
    Ignored,
    /// No handler exists for its path.
    Unhandled,
    /// Its arguments are invalid, or refer to nothing.
    Rejected(Rejection),
    /// Handling it failed inside the server; the failure was caught.
    Failed,
}

impl Default for AstServer {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Builds the server.
    #[must_use]
    pub fn build(self) -> AstServer {
        AstServer::with(self)
    }
}

impl AstServer {
    fn with(settings: Builder) -> Self {
        let collector = MetricsCollector::builder().enabled(settings.enable_metrics).build();
        let metrics = Arc::new(ServerMetrics::register(&collector));
        ProcessMetrics::install(&collector);
        let interval = settings.broadcast_interval;
        let memory = Memory::new(settings.clients_bytes);
        let limits = Limits { messages: settings.queue_messages, bytes: settings.queue_bytes };
        let hub = Hub::new(limits, Arc::clone(&memory), Arc::clone(&metrics));
        let state = State::new(hub, interval, Arc::clone(&metrics), collector.recorder());
        let shared = Shared {
            collector,
            metrics,
            state: Mutex::new(state),
            cache: Mutex::new(Cache::new(settings.cache, settings.cache_entries)),
            copying: Mutex::new(()),
            writing: Arc::default(),
            memory,
            loading: Mutex::new(()),
            comparing: Mutex::new(()),
            file_problem: Mutex::new(None),
            look: Notify::new(),
            held_back: Notify::new(),
            settings,
        };
        Self { shared: Arc::new(shared) }
    }

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

    /// The collector that the server records into; you can record into it as well.
    #[must_use]
    pub fn metrics(&self) -> &MetricsCollector {
        &self.shared.collector
    }

    /// Every metric, including everything recorded before the call: `{timestamp, uptime_seconds,
    /// metrics: {timings, counters, gauges}}`.
    #[must_use]
    pub fn get_metrics(&self) -> Value {
        MetricsExporter::to_json(&self.snapshot())
    }

    /// The health summary, including everything recorded before the call.
    #[must_use]
    pub fn get_metrics_summary(&self) -> Summary {
        MetricsExporter::to_summary(&self.snapshot())
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.collector.get_all_metrics()
    }

    /// Processes an event: counts it, applies it, and queues its changes for the viewers.
    ///
    /// `seq` is the sender's number of the event, which the change records carry. `timestamp` is
    /// when it was sent, in seconds; it is only forwarded to viewers along with the event.
    pub fn process_live_event(
        &self,
        path: &str,
        args: &[Arg<'_>],
        seq: impl Into<Option<u32>>,
        timestamp: f64,
    ) -> Outcome {
        let Some(event_type) = EventType::of(path) else { return self.unhandled() };
        let (seq, stale) = (seq.into(), Stale::default());
        self.handle(Event { event_type, args, seq, timestamp, stale })
    }

    /// Counts an event whose path is not in the protocol's table.
    pub(crate) fn unhandled(&self) -> Outcome {
        let metrics = &*self.shared.metrics;
        metrics.received.increment();
        metrics.received_by_type.of(None).increment();
        metrics.unhandled.increment();
        metrics.unhandled_by_type.of(None).increment();
        Outcome::Unhandled
    }

    /// Processes an event of the table.
    pub(crate) fn handle(&self, event: Event<'_>) -> Outcome {
        self.handle_by(event, State::apply)
    }

    /// Processes an event whose handler fails, to show what happens then.
    pub(crate) fn handle_failing(&self, event: Event<'_>) -> Outcome {
        self.handle_by(event, |_, _, _| panic!("this event fails on purpose"))
    }

    fn handle_by(
        &self,
        event: Event<'_>,
        apply: impl FnOnce(&mut State, Event<'_>, &mut EventTimer<'_>) -> Result<(), Rejection>,
    ) -> Outcome {
        let metrics = &*self.shared.metrics;
        let event_type = Some(event.event_type);
        let mut timer = EventTimer::start(metrics, &self.shared.collector);
        let mut state = self.state_for(&mut timer);
        state.recorder().increment(&metrics.received);
        state.recorder().increment(metrics.received_by_type.of(event_type));
        if !state.is_loaded() {
            state.recorder().increment(&metrics.ignored);
            return Outcome::Ignored;
        }
        let idle = state.next_flush().is_none();
        // If it fails halfway, `recover` repairs the state.
        match catch_unwind(AssertUnwindSafe(|| apply(&mut state, event, &mut timer))) {
            Ok(Ok(())) => {
                if idle && state.next_flush().is_some() {
                    self.shared.held_back.notify_one();
                }
                let recorder = state.recorder();
                timer.processed(recorder, event.event_type);
                recorder.increment(&metrics.processed);
                recorder.increment(metrics.processed_by_type.of(event_type));
                Outcome::Processed
            }
            Ok(Err(rejection)) => {
                let (path, args) = (event.event_type.path(), event.args);
                tracing::debug!(path, ?args, seq = event.seq, %rejection, "an event is rejected");
                state.recorder().increment(&metrics.rejected);
                state.recorder().increment(metrics.rejected_by_type.of(event_type));
                Outcome::Rejected(rejection)
            }
            Err(_) => {
                state.recover();
                state.recorder().increment(&metrics.errors);
                state.recorder().increment(metrics.errors_by_type.of(event_type));
                Outcome::Failed
            }
        }
    }

    /// The number of connected viewers.
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
        // A failure under the lock is caught and repaired before the lock is released.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cache_lock(&self) -> &Mutex<Cache> {
        &self.shared.cache
    }

    pub(crate) fn copy_lock(&self) -> &Mutex<()> {
        &self.shared.copying
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.shared.memory
    }

    pub(crate) fn writing(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.shared.writing
    }

    /// Held while the set is compared with a file for a remote client, which needs two sets in
    /// memory.
    pub(crate) fn comparing(&self) -> MutexGuard<'_, ()> {
        // It guards nothing that a panic could leave half done.
        self.shared.comparing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while a set is loaded.
    pub(crate) fn turn(&self) -> &Mutex<()> {
        &self.shared.loading
    }

    /// Reads the set's file if it has changed, and changes nothing.
    ///
    /// # Errors
    /// If it cannot be opened or is not a set.
    pub fn check_file(&self) -> Result<(), Error> {
        let Some((file, loaded)) = self.state().file() else { return Ok(()) };
        if Stamp::look(&file) == Some(loaded) { Ok(()) } else { read(&file).map(drop) }
    }

    /// Checks the set's file as if it had been saved: one that could not be loaded is tried again.
    /// Needs a running service.
    pub fn look_at_file(&self) {
        self.look().notify_one();
    }

    /// Why the saved set is not loaded, if so.
    #[must_use]
    pub fn file_problem(&self) -> Option<String> {
        self.file_problem_lock().clone()
    }

    pub(crate) fn set_file_problem(&self, problem: Option<String>) {
        *self.file_problem_lock() = problem;
    }

    fn file_problem_lock(&self) -> MutexGuard<'_, Option<String>> {
        self.shared.file_problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts lines of the program's log that could not be written.
    pub fn count_dropped_log_lines(&self, lines: u64) {
        self.shared.metrics.log_dropped.increment_by(lines);
    }

    /// Notifies the file's watcher to check it.
    pub(crate) fn look(&self) -> &Notify {
        &self.shared.look
    }

    /// Events are missing: unless they still arrive, the next newer save is taken as it is.
    pub(crate) fn lose(&self, missing: u32) {
        self.state().lose(missing);
    }

    /// A missing event has arrived, and its lateness does no harm.
    pub(crate) fn fill_gap(&self) {
        self.state().fill_gap();
    }

    /// Live has loaded a set: its file overrides everything that events reported before.
    pub(crate) fn start_again(&self) {
        self.state().void(Instant::now());
        self.shared.look.notify_one();
    }

    /// Tells viewers that events are missing, and has the file checked: it may contain their
    /// changes.
    pub(crate) fn announce_gap(&self, missing: u32, seq_num: u32) {
        let mut state = self.state();
        state.announce_gap(missing, seq_num);
        drop(state);
        self.shared.held_back.notify_one();
        self.shared.look.notify_one();
    }

    /// Locks the state for an event, and tells the event's timer if it had to wait.
    fn state_for(&self, timer: &mut EventTimer<'_>) -> MutexGuard<'_, State> {
        match self.shared.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let state = self.state();
                timer.has_waited();
                state
            }
        }
    }

    /// Sends held-back changes when they are due; never returns.
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

#[cfg(test)]
mod tests {
    use live_set::generate::Spec;

    use super::*;

    impl AstServer {
        /// With a set of two tracks and two scenes, whose file is gone.
        pub(crate) fn small() -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let file = folder.path().join("set.als");
            let spec = Spec { tracks: 2, scenes: 2, clips: 1, ..Spec::default() };
            spec.write_als(std::fs::File::create(&file).expect("a file")).expect("written");
            let server = Self::new();
            server.load_project(&file).expect("the set loads");
            server
        }
    }

    #[test]
    fn an_internal_failure_is_caught_counted_once_and_leaves_the_tree_right() {
        let server = AstServer::small();
        let before = server.root_hash().expect("a set");
        let mut seat = server.state().join(Arc::default());
        assert!(server.state().take_tree(&mut seat), "a new viewer is sent the tree");

        let args = [Arg::from(0), Arg::from(true)];
        let event = Event {
            event_type: EventType::TrackMute,
            args: &args,
            seq: Some(1),
            timestamp: 0.0,
            stale: Stale::default(),
        };
        assert_eq!(server.handle_failing(event), Outcome::Failed);
        assert_eq!(server.root_hash().expect("a set"), before);
        assert!(server.state().take_tree(&mut seat), "it is sent the whole tree");
        assert_eq!(server.handle(event), Outcome::Processed);

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
