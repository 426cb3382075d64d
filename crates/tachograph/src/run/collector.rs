//! The collector: the public API.

use std::time::{Duration, Instant, SystemTime};

use crate::aggregate::aggregator::Aggregator;
use crate::lane::lane::mode;
use crate::lane::trace::Trace;
use crate::limits::{DRAIN_MIN, DROP_TIMEOUT};
use crate::read::snapshot::{Snapshot, Value};
use crate::read::snapshot_reader::SnapshotReader;
use crate::read::stats::{CounterStats, GaugeStats, TimingStats};
use crate::record::handles::{Counter, Gauge, Histogram, Timing, UpDownCounter};
use crate::record::own_table;
use crate::record::recorder::Recorder;
use crate::record::seat::Seat;
use crate::record::timer::{ByName, Timer};
use crate::run::budget::{Budget, Drained};
use crate::run::driver;
use crate::run::engine::{Core, ShutdownReport};
use crate::run::fork;
use crate::run::tagged::Tagged;
use crate::series::metric::Unit;
use crate::sync::Arc;
use crate::time::stamp::Stamp;
use crate::time::start::PassTime;

/// Collects metrics from any number of threads.
///
/// `Clone` is cheap and returns the same collector. Dropping the last clone shuts it down; handles
/// and recorders may outlive it, and their records are then counted drops.
///
/// Recording never waits for a reader, nor for another recorder once a thread has used a series.
/// Reading with `get_*` may wait for another reader.
///
/// A process may fork without exec: in the child every collector starts over from zero, its handles
/// and recorders keep working, and the background thread starts again with the first use. A fork
/// waits for a running pass. Do not fork while you hold one of the collector's locks, for example
/// in a panic hook that runs inside a pass. For a child that only calls exec, nothing is done.
#[derive(Clone, Debug)]
pub struct MetricsCollector {
    owner: Arc<Owner>,
}

/// The part shared by all clones; shut down when the last one is dropped.
#[derive(Debug)]
struct Owner {
    core: Arc<Core>,
    /// Free for another collector when dropped.
    _seat: Seat,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shutdown(DROP_TIMEOUT);
        // Other threads drop theirs when they next take a lane, or end.
        own_table::forget(|own| own.is_of(&self.core.shared));
    }
}

impl Owner {
    fn shutdown(&self, timeout: Duration) -> ShutdownReport {
        let now = Instant::now();
        // A timeout beyond the clock's range is as good as none.
        let deadline = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400));
        self.core.shared.set_mode(mode::SHUTDOWN);
        self.core.shared.resume();
        self.core.threads.stop(deadline);
        self.core.finish(deadline)
    }
}

impl MetricsCollector {
    pub(crate) fn of(core: Arc<Core>, seat: Seat) -> Self {
        let weak = Arc::downgrade(&core);
        core.shared.set_restart(move || {
            let core = weak.upgrade();
            core.iter().filter(|core| core.start_over()).for_each(driver::start);
        });
        fork::watch(&core);
        Self { owner: Arc::new(Owner { core, _seat: seat }) }
    }

    /// Starts the background thread if recording is on and it is not running.
    pub(crate) fn start_driver(&self) {
        driver::start(&self.owner.core);
    }

    pub(crate) fn core(&self) -> &Core {
        &self.owner.core
    }

    /// Records with a set of tags: offers all by-name methods, and registration.
    ///
    /// ```
    /// let metrics = tachograph::MetricsCollector::new();
    /// metrics.with_tags(&[("event_type", "/live/scene/added")]).increment("events.processed");
    /// ```
    #[inline]
    pub fn with_tags<'a>(&'a self, tags: &'a [(&'a str, &'a str)]) -> Tagged<'a> {
        Tagged::new(self.core(), tags)
    }

    /// This moment, for the start or the end of timings; see [`Stamp`]. None while recording is
    /// off: it reads no clock then.
    #[inline]
    pub fn now(&self) -> Stamp {
        self.core().shared.now()
    }

    /// An instant as a stamp, for work that was to begin at a time: a timer's deadline, a period's
    /// begin. A handler that is late then shows as a long timing, and not only as a late one.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # let metrics = tachograph::MetricsCollector::new();
    /// let tick = metrics.register_timing("tick");
    /// let deadline = Instant::now();
    /// // ... the loop comes to it late, and handles it ...
    /// # std::thread::sleep(Duration::from_millis(2));
    /// tick.record_since(metrics.stamp_at(deadline));
    /// # assert!(metrics.get_timing("tick").and_then(|tick| tick.min) >= Some(0.002));
    /// ```
    pub fn stamp_at(&self, at: Instant) -> Stamp {
        self.core().shared.stamp_at(at)
    }

    /// The time from a start to an end; `None` while recording is off, or if one of them is no
    /// moment. Counts time that runs backwards as zero and as an anomaly.
    ///
    /// The end must have come. Where an end that has not, of [`MetricsCollector::stamp_at`], meets
    /// a start that was read on the CPU's time-stamp counter, it counts as time that runs
    /// backwards.
    #[inline]
    pub fn duration_between(&self, start: Stamp, end: Stamp) -> Option<Duration> {
        self.core().shared.nanos_between(start, end).map(Duration::from_nanos)
    }

    /// Sets a metric's unit and description, before or after its first record. A timing's unit is
    /// always seconds.
    pub fn describe(&self, name: &str, unit: Unit, description: &str) {
        self.describe_scaled(name, unit, 1.0, description);
    }

    /// Like [`MetricsCollector::describe`], for a histogram or counter whose recorded unit is
    /// `scale` of its reported unit: 0.001 if it is recorded in thousandths. A histogram's
    /// statistics are in the reported unit. A counter's value stays an integer in recorded units,
    /// and exports convert it to the reported unit.
    ///
    /// A scale that is no positive number, or less than [`f64::MIN_POSITIVE`], is refused with a
    /// warning: the scale is 1 then.
    pub fn describe_scaled(&self, name: &str, unit: Unit, scale: f64, description: &str) {
        self.core().shared.registry.describe(name, unit, scale, description);
    }

    /// A recorder for a loop that owns its thread; takes a lane of its own.
    pub fn recorder(&self) -> Recorder {
        self.core().shared.resume();
        Recorder::new(Arc::clone(&self.core().shared))
    }

    /// The last published snapshot. Wait-free; at most one publish interval old while the
    /// aggregator keeps up.
    #[inline]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.core().snapshot()
    }

    /// A reader of the published snapshots, for a thread that checks them on each turn of a loop.
    pub fn snapshot_reader(&self) -> SnapshotReader {
        SnapshotReader::new(Arc::clone(&self.core().snapshot))
    }

    /// A snapshot of everything that was recorded before the call. It is not published.
    pub fn get_all_metrics(&self) -> Arc<Snapshot> {
        self.core().read_all()
    }

    /// The statistics of all series of a metric together, including everything recorded before the
    /// call; see [`Snapshot::total`]. Costs a snapshot.
    pub fn total(&self, name: &str) -> Option<Value> {
        self.core().shared.was_ever_on().then(|| self.get_all_metrics())?.total(name)
    }

    /// Whether recording is on.
    #[inline]
    pub fn enabled(&self) -> bool {
        self.core().shared.mode() == mode::ON
    }

    /// The publish interval as [configured](crate::Builder::publish_every); a manual collector
    /// publishes when its owner calls [`publish`](MetricsCollector::publish).
    pub fn publish_every(&self) -> Duration {
        self.core().publish_every
    }

    /// Switches recording on or off, for every thread and handle. While off, a record costs one
    /// load and a branch, and everything recorded before remains readable and exported. After
    /// [`MetricsCollector::shutdown`] it stays off.
    pub fn set_enabled(&self, enabled: bool) {
        self.core().shared.set_mode(if enabled { mode::ON } else { mode::OFF });
        self.start_driver();
    }

    /// Discards all values and restarts the uptime. Series recorded by name disappear until they
    /// are recorded again; those with handles stay, with 0. Handles stay valid.
    ///
    /// A sample is discarded or kept as a whole, except one that is being coalesced under overload
    /// during the reset: it may be counted after the reset without its value in the sum.
    pub fn reset(&self) {
        self.core().change(Aggregator::reset);
    }

    /// Removes a series from snapshots and exports and gives its place in the limits back; returns
    /// whether it was there. When it is recorded again it starts at 0, and its handles keep
    /// working.
    ///
    /// ```
    /// let metrics = tachograph::MetricsCollector::new();
    /// let player = [("player", "7")];
    /// metrics.with_tags(&player).increment("moves");
    /// assert!(metrics.remove("moves", &player));
    /// assert!(metrics.with_tags(&player).get_counter("moves").is_none());
    /// ```
    pub fn remove(&self, name: &str, tags: &[(&str, &str)]) -> bool {
        self.core().remove(name, tags)
    }

    /// Sets every counter to 0; timings, histograms and gauges keep their values.
    pub fn reset_counters(&self) {
        self.core().change(Aggregator::reset_counters);
    }

    /// Aggregates as many recorded samples as the budget allows, and publishes nothing: for a loop
    /// that drives a [manual](crate::Builder::manual) collector in its idle moments. The budget is
    /// looked at before each block of up to 512 samples, which takes a few microseconds.
    ///
    /// Waits for no other thread: `None` if one is reading or making a pass, which drains as well,
    /// or after a panic of the aggregator, which is handled as in [`MetricsCollector::publish`].
    /// Threads take turns: a drain begins where the last one ran out of its budget, with the first
    /// lane that it did not come to.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use tachograph::{Budget, MetricsCollector};
    ///
    /// let metrics = MetricsCollector::builder().manual().build();
    /// let turns = metrics.register_timing("turn");
    /// let mut publish_at = Instant::now();
    /// for turn in 0..5_000 {
    ///     turns.record_ns(turn);
    ///     let is_idle = turn % 100 == 99;
    ///     if is_idle && Instant::now() >= publish_at {
    ///         metrics.publish();
    ///         publish_at += metrics.publish_every();
    ///     } else if is_idle {
    ///         metrics.drain(Budget::time(Duration::from_micros(20)).and_samples(1_024));
    ///     }
    /// }
    /// let drained = metrics.drain(Budget::UNLIMITED).expect("nobody else reads");
    /// assert_eq!(drained.left, 0);
    /// ```
    pub fn drain(&self, budget: impl Into<Budget>) -> Option<Drained> {
        self.core().drain_within(budget.into())
    }

    /// Calls the [`on_publish`](MetricsCollector::on_publish) callbacks, aggregates everything and
    /// publishes a snapshot, at the time of the collector's clock. For a loop that drives a
    /// [manual](crate::Builder::manual) collector; with a background thread, for a moment that
    /// readers should see at once. May wait for a reader.
    ///
    /// Does not panic: a panic of the aggregator is caught, counted in `telemetry.panics` and
    /// reported as a warning, and the next pass continues from there.
    ///
    /// Returns how long the next pass or drain may wait, 1 to 100 ms: until the fullest lane would
    /// be a quarter full at the current rate. The background thread keeps this pace. A later one is
    /// fine as long as no thread runs out of blocks; after that, samples are coalesced.
    pub fn publish(&self) -> Duration {
        self.core().pass_and_publish(None, false).unwrap_or(DRAIN_MIN)
    }

    /// Calls `callback` before each snapshot is published, to record values that are asked for
    /// instead of told: the length of a queue, the totals of the kernel or of a library (with
    /// [`Counter::advance_to`]).
    ///
    /// It runs on the thread that makes the pass, usually the background thread, and what it
    /// records is in the snapshot that follows. No lock is held, so it may record, register, read
    /// and even publish, which calls no callback of this collector again. The pass waits for it,
    /// and while it runs the background thread drains nothing: a long one lets busy threads run out
    /// of blocks, and their samples are coalesced. Several threads may call it at once. A panic in
    /// it is caught, counted in `telemetry.callback_panics` and, the first time, reported as a
    /// warning.
    ///
    /// It is called while recording is on, and once by [`MetricsCollector::shutdown`]. The
    /// snapshots that a reset, a removal and the end of the last clone publish come without it. It
    /// stays until then. It should use the collector that it is passed: one with a clone of its own
    /// would keep the collector alive for ever.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use tachograph::MetricsCollector;
    ///
    /// let metrics = MetricsCollector::builder().manual().build();
    /// let queue = Arc::new(Mutex::new(vec![1, 2, 3]));
    /// let asked = Arc::clone(&queue);
    /// metrics.on_publish(move |metrics| {
    ///     metrics.gauge("queue.length", asked.lock().expect("no panic").len() as f64);
    /// });
    /// metrics.publish();
    /// let snapshot = metrics.snapshot();
    /// let length = snapshot.find("queue.length", &[]).and_then(|series| series.value.as_gauge());
    /// assert_eq!(length.and_then(|views| views.lifetime.current), Some(3.0));
    /// ```
    pub fn on_publish(&self, callback: impl Fn(&Self) + Send + Sync + 'static) {
        let weak = Arc::downgrade(&self.owner);
        self.core().on_publish.add(Arc::new(move || {
            if let Some(owner) = weak.upgrade() {
                callback(&Self { owner });
            }
        }));
    }

    /// Like [`MetricsCollector::publish`], at times of your own instead of the clock's. The times
    /// of one collector should all come from the same source.
    pub fn run_pass(&self, monotonic: Instant, wall: SystemTime) -> Duration {
        let now = PassTime { monotonic, wall };
        self.core().pass_and_publish(Some(now), false).unwrap_or(DRAIN_MIN)
    }

    /// Stops recording, makes a final pass and reports what happened to every sample. Later records
    /// are counted drops; reading still works. May be called again.
    ///
    /// The background threads have ended when it returns, unless one of your callbacks keeps one
    /// busy beyond the timeout. Returns at the timeout even if another reader or a callback blocks
    /// the final pass, and reports that; up to 0.2 s later in the first moments of a process's
    /// first collector. The callbacks of [`on_publish`](MetricsCollector::on_publish) come before
    /// that, and take what time they take.
    pub fn shutdown(&self, timeout: Duration) -> ShutdownReport {
        self.core().call_back();
        self.owner.shutdown(timeout)
    }
}

/// Methods that [`Tagged`] has too, here without tags.
macro_rules! untagged {
    ($($(#[$doc:meta])* $name:ident($($it:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        impl MetricsCollector {$(
            $(#[$doc])*
            #[inline]
            pub fn $name(&self, name: &str $(, $it: $kind)*) $(-> $result)? {
                Tagged::new(self.core(), &[]).$name(name $(, $it)*)
            }
        )*}
    };
}

untagged! {
    /// Adds 1 to a counter.
    increment();
    /// Adds `amount` to a counter; the total wraps at 2^64.
    increment_by(amount: u64);
    /// Subtracts 1 from a counter. If this is the first call with the name, it creates an up-down
    /// counter. On a monotonic counter, one whose first call was an increment, it is a mistake: it is
    /// applied, so the total wraps below 0 to 2^64 - 1, and counted in
    /// `telemetry.monotonic_decrements`.
    decrement();
    /// Subtracts `amount` from a counter; see [`MetricsCollector::decrement`].
    decrement_by(amount: u64);
    /// Sets a gauge. NaN is refused and counted; infinities are left out of the mean.
    gauge(value: f64);
    /// Records a duration.
    timing(duration: Duration);
    /// Records a plain value, such as a size.
    histogram(value: u64);
    /// Records a duration with the trace that it belongs to; see [`Timing::record_traced`].
    timing_traced(duration: Duration, trace: Trace);
    /// Records a plain value with the trace that it belongs to; see [`Timing::record_traced`].
    histogram_traced(value: u64, trace: Trace);
    /// Starts a timer that records when it is dropped.
    timer() -> Timer<ByName>;
    /// A handle for a monotonic counter. The series exists from now on, with the value 0.
    register_counter() -> Counter;
    /// A handle for an up-down counter.
    register_up_down_counter() -> UpDownCounter;
    /// A handle for a timing.
    register_timing() -> Timing;
    /// A handle for a histogram.
    register_histogram() -> Histogram;
    /// A handle for a gauge.
    register_gauge() -> Gauge;
    /// The statistics of a timing or histogram, including everything recorded before the call.
    ///
    /// `None` if the series does not exist, or if the collector was never enabled. Still works
    /// after the collector is switched off or shut down.
    get_timing() -> Option<TimingStats>;
    /// A counter's total; see [`MetricsCollector::get_timing`].
    get_counter() -> Option<CounterStats>;
    /// A gauge's statistics; see [`MetricsCollector::get_timing`].
    get_gauge() -> Option<GaugeStats>;
    /// Like [`MetricsCollector::get_timing`], for the sliding window; also `None` without windows.
    get_timing_window() -> Option<TimingStats>;
    /// Like [`MetricsCollector::get_counter`], for the sliding window: its net change.
    get_counter_window() -> Option<CounterStats>;
    /// Like [`MetricsCollector::get_gauge`], for the sliding window.
    get_gauge_window() -> Option<GaugeStats>;
}
