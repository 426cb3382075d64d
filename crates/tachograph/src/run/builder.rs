//! The configuration of a collector.

use std::time::Duration;

use crate::aggregate::aggregator::{Aggregator, Settings};
use crate::lane::lane::{LaneSize, mode};
use crate::lane::shared::Shared;
use crate::lane::trace::{Trace, TraceSource};
use crate::limits;
use crate::prometheus_names::naming::Naming;
use crate::record::seat::Seat;
use crate::run::collector::MetricsCollector;
use crate::run::driver;
use crate::run::engine::{Core, WarningCallback};
use crate::run::fork;
use crate::run::threads::{ThreadStart, Threads};
use crate::series::registry::Cardinality;
use crate::series::tags::Tags;
use crate::series::warning::Warning;
use crate::sync::Arc;
use crate::time::clock::Clock;
use crate::time::start::PassTime;

/// Configures a [`MetricsCollector`]; every setting has a sensible default.
pub struct Builder {
    enabled: bool,
    manual: bool,
    publish_every: Duration,
    settings: Settings,
    lanes_max: usize,
    cardinality: Cardinality,
    clock: Clock,
    on_warning: Option<WarningCallback>,
    current_trace: Option<TraceSource>,
    on_thread_start: Option<ThreadStart>,
    calibrate_tsc: bool,
    prefix: String,
    labels: Vec<(String, String)>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("enabled", &self.enabled)
            .field("manual", &self.manual)
            .field("publish_every", &self.publish_every)
            .field("settings", &self.settings)
            .field("cardinality", &self.cardinality)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            enabled: true,
            manual: false,
            publish_every: limits::PUBLISH_EVERY,
            settings: Settings {
                window: Some((limits::WINDOW, limits::WINDOW_STEPS as u32)),
                idle_timeout: None,
                blocks_initial: limits::LANE_BLOCKS_INITIAL,
                blocks_max: limits::LANE_BLOCKS_MAX,
            },
            lanes_max: limits::LANES_MAX,
            cardinality: Cardinality {
                series_per_metric: limits::SERIES_PER_METRIC,
                series: limits::SERIES,
                metrics: limits::METRICS,
                distribution_bytes: limits::DISTRIBUTION_BYTES,
            },
            clock: Clock::system(),
            on_warning: None,
            current_trace: None,
            on_thread_start: None,
            calibrate_tsc: false,
            prefix: String::new(),
            labels: Vec::new(),
        }
    }
}

impl Builder {
    /// Whether recording is on from the start; on by default. It can be switched at any time.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Starts no background thread: aggregation happens in [`MetricsCollector::drain`],
    /// [`publish`](MetricsCollector::publish) and [`run_pass`](MetricsCollector::run_pass), which
    /// also move the collector's time, and on reads, which do not.
    pub fn manual(mut self) -> Self {
        self.manual = true;
        self
    }

    /// How often a snapshot is published; 100 ms by default, at least 1 ms and at most a year.
    pub fn publish_every(mut self, every: Duration) -> Self {
        self.publish_every = every.clamp(limits::DRAIN_MIN, limits::PUBLISH_EVERY_MAX);
        self
    }

    /// The sliding window and its number of steps: 60 s in 6 steps by default, at most 1,000 steps.
    /// A zero span or zero steps turn windows off, like [`Builder::no_window`].
    pub fn window(mut self, span: Duration, steps: u32) -> Self {
        self.settings.window =
            (!span.is_zero() && steps > 0).then_some((span, steps.min(limits::WINDOW_STEPS_MAX)));
        self
    }

    /// Keeps lifetime statistics only.
    pub fn no_window(mut self) -> Self {
        self.settings.window = None;
        self
    }

    /// Hides a series from snapshots and exports once nothing has been recorded to it for longer
    /// than `timeout`, with or without a handle; off by default.
    ///
    /// The series gives its place in the limits back and its handles stay valid: when it records
    /// again, it starts at 0 with a new [`created`](crate::Series::created), or counts in its
    /// metric's overflow series while the limits are full. The collector's own series always stay.
    /// Costs nothing on recording, and one look at every series per snapshot.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = Some(timeout);
        self
    }

    /// The number of blocks of 512 samples (8 KiB) that a thread's lane starts with and may grow
    /// to: 64 and 256 by default, at least 2, at most 256. A block's memory is untouched until it
    /// is first needed, and the free block with the lowest index is always taken, so a thread uses
    /// only as much memory as it records between two drains.
    pub fn lane_blocks(mut self, initial: usize, max: usize) -> Self {
        let initial = initial.clamp(2, limits::LANE_BLOCKS_MAX);
        self.settings.blocks_initial = initial;
        self.settings.blocks_max = max.clamp(initial, limits::LANE_BLOCKS_MAX);
        self
    }

    /// The number of threads that can record at the same time; 4,096 by default. Samples of any
    /// further thread are counted drops.
    pub fn max_lanes(mut self, lanes: usize) -> Self {
        self.lanes_max = lanes;
        self
    }

    /// The maximum number of series per metric; 2,000 by default, at most 1,048,576. Samples beyond
    /// it go to the metric's overflow series.
    pub fn series_per_metric(mut self, series: usize) -> Self {
        self.cardinality.series_per_metric = series.min(limits::SERIES_MAX);
        self
    }

    /// The maximum number of series in total; 20,000 by default, at most 1,048,576.
    ///
    /// A series that leaves because of a reset, [`remove`](crate::MetricsCollector::remove) or the
    /// [idle timeout](Builder::idle_timeout) gives its place back. But a handle or a thread's name
    /// cache may bring it back, so the collector remembers it with its slot in the lanes: about 420
    /// bytes for a counter, 530 for a timing or gauge. It remembers four times as many series as
    /// this limit; beyond that, new series are added up in overflow series, even if there
    /// are free places. Use tag values that recur, such as a slot number instead of a connection
    /// id.
    ///
    /// A thread that records by name holds 2 KiB, plus about 150 bytes and the text for each name
    /// and tag set (56 more for a timing or histogram); handles need none of this.
    /// `telemetry.memory` counts it.
    pub fn max_series(mut self, series: usize) -> Self {
        self.cardinality.series = series.min(limits::SERIES_MAX);
        self
    }

    /// The maximum number of metrics; 2,000 by default, at most 1,048,576. Samples of further
    /// metrics are counted drops.
    pub fn max_metrics(mut self, metrics: usize) -> Self {
        self.cardinality.metrics = metrics.min(limits::SERIES_MAX);
        self
    }

    /// The maximum number of bytes that all timings and histograms may hold together, including
    /// buckets in snapshots; 256 MiB by default. While a snapshot exceeds it, samples of new timing
    /// and histogram series go to their metric's overflow series; existing ones continue.
    ///
    /// A series usually takes 1 to 20 KiB, and 110 KiB if its values cover every magnitude.
    pub fn max_distribution_bytes(mut self, bytes: usize) -> Self {
        self.cardinality.distribution_bytes = bytes;
        self
    }

    /// The source of time; the machine's clocks by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Calls back, once per cause, with problems that the owner should look at. Runs on the thread
    /// that makes a pass, without holding a lock; a panic in it is caught.
    pub fn on_warning(mut self, callback: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        self.on_warning = Some(Box::new(callback));
        self
    }

    /// Lets timers of a [manual](Builder::manual) collector read the time-stamp counter, too, which
    /// halves their cost. They do so once two passes at least 50 ms apart have seen it keep the
    /// monotonic clock's time, and only if the kernel's own clock uses it. See [`Clock::system`].
    ///
    /// [`Builder::build`] then takes up to 200 ms, the first time in a process. A collector that is
    /// not manual does this automatically, on a separate thread and without the wait.
    pub fn calibrate_tsc(mut self) -> Self {
        self.calibrate_tsc = true;
        self
    }

    /// Calls `act` at the start of each background thread, for example to give it a priority or
    /// CPUs of its own. A panic in it is caught.
    ///
    /// Background threads start with ordinary scheduling on the CPUs of the process's main thread,
    /// except isolated ones, whatever the thread that starts them has: a pinned or real-time thread
    /// would starve them. Where the system does not permit this, they inherit the starting thread's
    /// scheduling; CPUs are only set on Linux with glibc.
    pub fn on_thread_start(mut self, act: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_start = Some(Arc::new(act));
        self
    }

    /// The function that finds the calling thread's current trace, for
    /// [`Timing::record_in_span`](crate::Timing::record_in_span) and its variants. It runs on
    /// recording threads, so its cost adds to that of recording; a panic in it propagates to the
    /// caller.
    ///
    /// ```
    /// use tachograph::{MetricsCollector, Trace};
    ///
    /// thread_local! {
    ///     static CURRENT: std::cell::Cell<Option<Trace>> = const { std::cell::Cell::new(None) };
    /// }
    ///
    /// let metrics = MetricsCollector::builder().current_trace(|| CURRENT.get()).build();
    /// let latency = metrics.register_timing("event.processing.duration");
    /// CURRENT.set(Trace::new([7; 16], [1; 8]));
    /// latency.record_in_span(std::time::Duration::from_micros(120));
    ///
    /// let snapshot = metrics.get_all_metrics();
    /// let series = snapshot.find("event.processing.duration", &[]).expect("recorded");
    /// assert_eq!(series.exemplar.as_ref().map(|worst| worst.trace), CURRENT.get());
    /// ```
    pub fn current_trace(mut self, source: fn() -> Option<Trace>) -> Self {
        self.current_trace = Some(source);
        self
    }

    /// Begins every exported name with a prefix: with `shop`, `orders.taken` is
    /// `shop_orders_taken_total` in the Prometheus formats and `shop.orders.taken` in OTLP.
    ///
    /// Applies to the collector's own series too, and to everything that is generated from exported
    /// names, such as dashboards and rules. A separator at its end is not needed. In the API, in
    /// JSON, in recordings and in the instruments of `tachograph-opentelemetry`, a metric keeps the
    /// name that it is recorded under.
    pub fn export_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Adds a label to every exported series, such as the region that the program runs in: a label
    /// in the Prometheus formats, a resource attribute in OTLP. `tachograph-opentelemetry` leaves
    /// it to the program's own resource.
    ///
    /// It is no tag: series are found, and limits counted, without it. A tag with the same exported
    /// key gets a numeric suffix, like any tag keys that collide. If a key is given twice, the last
    /// value wins, and an empty value is no label.
    ///
    /// ```
    /// let metrics = tachograph::MetricsCollector::builder()
    ///     .export_prefix("shop")
    ///     .export_label("region", "eu")
    ///     .build();
    /// metrics.increment("orders.taken");
    /// let snapshot = metrics.get_all_metrics();
    /// let names = snapshot.exported_names();
    /// assert_eq!(names.metric("orders.taken").map(|names| names.base()), Some("shop_orders_taken"));
    /// assert_eq!(names.constants()[0].label, "region");
    /// ```
    pub fn export_label(mut self, key: &str, value: &str) -> Self {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Creates the collector, and starts its background thread if it is enabled and not manual.
    pub fn build(self) -> MetricsCollector {
        let collector = self.assemble();
        collector.start_driver();
        collector
    }

    /// The collector, without its background thread.
    pub(crate) fn assemble(self) -> MetricsCollector {
        fork::install();
        if self.calibrate_tsc && self.clock.is_to_be_calibrated() && driver::tsc_is_used() {
            self.clock.calibrate_tsc();
        }
        let Settings { blocks_initial, blocks_max, .. } = self.settings;
        // Every series may have a cell, and every metric may have one additional overflow series.
        let slots = self.cardinality.series.saturating_add(self.cardinality.metrics);
        let size = LaneSize { blocks_initial, blocks_max, slots };
        let mode = if self.enabled { mode::ON } else { mode::OFF };
        let seat = Seat::take();
        let (clock, trace) = (self.clock, self.current_trace);
        let (lanes, limits) = (self.lanes_max, self.cardinality);
        let shared = Arc::new(Shared::new(clock, mode, seat.number(), trace, size, lanes, limits));
        let naming = Naming::new(&self.prefix, &Tags::new(&self.labels));
        let now = PassTime { monotonic: shared.clock.now(), wall: shared.clock.wall() };
        let aggregator = Aggregator::new(Arc::clone(&shared), self.settings, naming, now);
        let threads = Threads::new(self.on_thread_start);
        let (every, callback) = (self.publish_every, self.on_warning);
        let core = Core::new(shared, aggregator, threads, every, callback, self.manual);
        MetricsCollector::of(Arc::new(core), seat)
    }
}

impl Default for MetricsCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl MetricsCollector {
    /// Creates an enabled collector that aggregates on a background thread.
    pub fn new() -> Self {
        Builder::default().build()
    }

    /// Configures a collector.
    pub fn builder() -> Builder {
        Builder::default()
    }
}
