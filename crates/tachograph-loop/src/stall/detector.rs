//! Starts and stops the watcher.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use tachograph::{MetricsCollector, Unit};

use crate::monitor::timing;
use crate::stall::report::Stall;
use crate::stall::signal::Signal;
use crate::stall::watched::Watched;
use crate::stall::watcher::{Watch, Watcher};

/// Notices turns of loops that take longer than a threshold while they still run, and says where
/// the loop is.
///
/// A thread of its own looks at every loop twice in a threshold, 80 times a second by default; it
/// sleeps while there is no loop. It runs with the priority and on the CPUs of the thread that
/// starts it, so start it before the loop's thread is pinned. The loop pays two stores a turn, and
/// only in a stall a signal and some microseconds for its backtrace. A turn is told once it has
/// lasted one to one and a half thresholds, then again each time that this has doubled; at most
/// five times a minute over all loops, with the number of reports that were suppressed.
///
/// On a runtime such as tokio, whose loop is not yours, have it watch the polls of futures instead:
/// [`FutureMetrics::watched_by`](crate::FutureMetrics::watched_by).
///
/// `loop.stall.duration` is the distribution of all turns above the threshold, by their own clock,
/// told or not; `loop.stall.suppressed` counts suppressed reports.
///
/// # Backtraces
/// Linux on x86-64 and aarch64; elsewhere reports say that they have none. They follow frame
/// pointers, so compile the program with `-C force-frame-pointers=yes`: without it, rustc leaves
/// them out on x86-64, and a backtrace has little more than the innermost function. Names need
/// symbols in the program, lines its debug information.
///
/// The loop's thread is asked by a real-time signal whose handler neither allocates nor locks. It
/// is installed with `SA_RESTART`, so most system calls go on; but `epoll_wait`, `poll`, `select`,
/// `nanosleep` and others with a timeout return `EINTR` after any signal. Only calls that a turn
/// itself makes can see it, and, rarely, a poll right after a turn that was just found too long.
/// Std and mio retry or return `ErrorKind::Interrupted`, which a loop has to treat as nothing
/// having happened. `SA_ONSTACK` lets it run on threads with small stacks, such as Go's.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use tachograph::MetricsCollector;
/// use tachograph_loop::{LoopMonitor, StallDetector};
///
/// # fn main() -> std::io::Result<()> {
/// let metrics = MetricsCollector::new();
/// let detector = StallDetector::builder()
///     .threshold(Duration::from_millis(10))
///     .on_stall(|stall| eprintln!("{stall}"))
///     .start(&metrics)?;
/// let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
/// {
///     let _turn = monitor.turn();
///     while detector.stalls() == 0 {} // an endless loop, if nobody noticed
/// }
/// assert_eq!(detector.stalls(), 1);
/// # Ok(())
/// # }
/// ```
pub struct StallDetector {
    registrar: Registrar,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: the child of a fork does not.
    process: u32,
}

/// Settings of a [`StallDetector`].
pub struct StallBuilder {
    threshold: Duration,
    per_minute: u32,
    backtraces: bool,
    signal: Option<i32>,
    on_stall: Box<dyn Fn(&Stall) + Send + Sync>,
}

/// Turns shorter than this are not told apart from the watcher's own delays.
const THRESHOLD_MIN: Duration = Duration::from_micros(100);

impl StallBuilder {
    /// A turn that takes this long is a stall: 25 ms by default, at least 0.1 ms.
    #[must_use]
    pub fn threshold(mut self, threshold: Duration) -> Self {
        self.threshold = threshold.max(THRESHOLD_MIN);
        self
    }

    /// At most this many reports a minute, over all loops: 5 by default.
    #[must_use]
    pub fn reports_per_minute(mut self, reports: u32) -> Self {
        self.per_minute = reports;
        self
    }

    /// Called with every report, on the detector's thread. Its panics are caught. Watching goes on
    /// when it returns.
    #[must_use]
    pub fn on_stall(mut self, callback: impl Fn(&Stall) + Send + Sync + 'static) -> Self {
        self.on_stall = Box::new(callback);
        self
    }

    /// The signal that asks a loop's thread for its stack: the sixth real-time signal by default.
    /// Its handler stays for the process's life.
    #[must_use]
    pub fn signal(mut self, signal: i32) -> Self {
        self.signal = Some(signal);
        self
    }

    /// Does without backtraces: no signal, no handler.
    #[must_use]
    pub fn no_backtrace(mut self) -> Self {
        self.backtraces = false;
        self
    }

    /// Starts watching.
    ///
    /// # Errors
    /// If the signal has a handler that is not ours, or is none, or the thread cannot be started.
    pub fn start(self, metrics: &MetricsCollector) -> io::Result<StallDetector> {
        let signal = self.backtraces.then(|| Signal::install(self.signal)).transpose()?;
        let text = "reports of stalls that the limit a minute suppressed";
        metrics.describe("loop.stall.suppressed", Unit::None, text);
        let suppressed = metrics.register_counter("loop.stall.suppressed");
        let watch = Arc::new(Watch::new(self.threshold, signal, self.on_stall, suppressed));
        let mut watcher = Watcher::new(Arc::clone(&watch), self.per_minute);
        let thread = Builder::new().name("stall-watcher".into()).spawn(move || watcher.run())?;
        let registrar = Registrar { metrics: metrics.clone(), watch };
        Ok(StallDetector { registrar, thread: Some(thread), process: std::process::id() })
    }
}

impl StallDetector {
    /// Starts from the defaults.
    pub fn builder() -> StallBuilder {
        StallBuilder {
            threshold: Duration::from_millis(25),
            per_minute: 5,
            backtraces: true,
            signal: None,
            on_stall: Box::new(|_| ()),
        }
    }

    /// Turns that were found too long while they ran.
    pub fn stalls(&self) -> u64 {
        self.registrar.watch.stalls()
    }

    /// For tests: panics if any turn has taken longer than the threshold, with the first reports.
    ///
    /// A turn counts that the detector has noticed, or that has ended and was longer by its own
    /// clock.
    ///
    /// # Panics
    /// See above.
    #[track_caller]
    pub fn assert_no_stalls(&self) {
        let watch = &self.registrar.watch;
        let stalls = watch.stalls().max(watch.over());
        if stalls > 0 {
            let reports: String = watch.kept().iter().map(|stall| format!("\n{stall}")).collect();
            let (threshold, s) = (watch.threshold, if stalls == 1 { "" } else { "s" });
            panic!("{stalls} turn{s} took longer than {threshold:?}; first seen:{reports}");
        }
    }

    pub(crate) fn registrar(&self) -> &Registrar {
        &self.registrar
    }
}

/// Adds loops to those that a detector watches; outlives it.
#[derive(Clone)]
pub(crate) struct Registrar {
    metrics: MetricsCollector,
    watch: Arc<Watch>,
}

impl Registrar {
    pub(crate) fn watch(&self, name: &str) -> Watched {
        let text = "turns of the loop that were longer than the stall detector's threshold";
        let duration = timing(&self.metrics, name, "loop.stall.duration", text);
        let watched =
            Watched::new(name, self.watch.threshold, duration, Arc::clone(&self.watch.over));
        self.watch.add(watched.shared());
        watched
    }
}

impl Drop for StallDetector {
    /// Stops watching, and waits for a callback that is under way. Loops go on unwatched.
    fn drop(&mut self) {
        self.registrar.watch.stop();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && self.process == std::process::id()
        {
            // Err: the watcher panicked, which its panic hook has told.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for StallDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Watch { threshold, .. } = &*self.registrar.watch;
        let mut debug = f.debug_struct("StallDetector");
        debug.field("threshold", threshold).field("stalls", &self.stalls()).finish()
    }
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar").finish_non_exhaustive()
    }
}

impl fmt::Debug for StallBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threshold, per_minute, .. } = self;
        let mut debug = f.debug_struct("StallBuilder");
        debug.field("threshold", threshold).field("reports_per_minute", per_minute);
        debug.finish_non_exhaustive()
    }
}
