//! An immutable, versioned snapshot of every series, for readers and exporters.

mod deserialize;
mod difference;
mod merge;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::prometheus_names::exported_names::ExportedNames;
use crate::prometheus_names::naming::Naming;
use crate::read::exemplar::Exemplar;
use crate::read::stats::{CounterStats, GaugeStats, TimingStats, Views};
use crate::series::encoding::wall;
use crate::series::metric::Metric;
use crate::series::tags::Tags;
use crate::time::start;

/// Every series at the time of one pass over all recorders.
///
/// Immutable and shared; unchanged series are shared with the previous snapshot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    pub(crate) version: u64,
    #[serde(with = "wall")]
    pub(crate) timestamp: SystemTime,
    #[serde(with = "wall")]
    pub(crate) started: SystemTime,
    pub(crate) uptime: Duration,
    /// The generation of the collector as a whole; see [`Series::generation`].
    pub(crate) generation: u64,
    /// Time since the collector was created, by the monotonic clock; resets do not change it.
    pub(crate) age: Duration,
    pub(crate) window_span: Option<Duration>,
    pub(crate) recording: Recording,
    pub(crate) series: Vec<Arc<Series>>,
    /// Series hidden by the idle timeout, sorted by key: differences continue from them.
    pub(crate) idle: Vec<Arc<Series>>,
    /// Exported names of all metrics and tag keys in the snapshot, and of some others.
    pub(crate) names: Arc<ExportedNames>,
}

/// How long recording was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// Since the collector was created.
    pub(crate) on: Duration,
    /// The part of `on` before the last reset.
    pub(crate) before_reset: Duration,
    /// The part of `on` within the window's steps, at the times when passes fold counters; all of
    /// it without windows.
    pub(crate) in_window: Duration,
    /// The same at the times when drains fold samples, which also happen between passes.
    pub(crate) in_window_of_samples: Duration,
}

impl Recording {
    /// There was no reset in between, and all of it is in the window.
    fn all(on: Duration) -> Self {
        Self { on, before_reset: Duration::ZERO, in_window: on, in_window_of_samples: on }
    }

    /// The part of a time in the window that lies after a reset, at which recording had been on for
    /// `before`.
    fn since(self, before: Duration, in_window: Duration) -> Duration {
        in_window.min(self.on.saturating_sub(before))
    }
}

impl Snapshot {
    /// Increases with every snapshot of a collector.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The time of the pass, by the wall clock.
    pub fn timestamp(&self) -> SystemTime {
        self.timestamp
    }

    /// When the collector was created or last reset, by the wall clock.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Time since the collector was created or reset, by the monotonic clock.
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// When an earlier snapshot of the same collector was made, by the wall clock as it is now set.
    /// This is the snapshot's own timestamp, unless the clock was set by more than a second in
    /// between.
    pub fn time_of(&self, earlier: &Snapshot) -> SystemTime {
        let apart = self.age.saturating_sub(earlier.age);
        let converted = start::before(self.timestamp, apart);
        if start::was_set(earlier.timestamp, converted) { converted } else { earlier.timestamp }
    }

    /// Identifies the collector's start from which the values count: it changes with every reset
    /// and differs between processes.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The width of the sliding window; `None` for a collector without windows.
    pub fn window_span(&self) -> Option<Duration> {
        self.window_span
    }

    /// The duration that a window's rates are divided by: the time covered by its steps while
    /// recording was on, since the last reset. Without windows, and in a
    /// [difference](Snapshot::since), all such time.
    ///
    /// A window of six steps of 10 s covers 50 to 60 s, and more after a stall, because everything
    /// recorded during a stall is aggregated after it.
    pub fn window_elapsed(&self) -> Duration {
        self.recording.since(self.recording.before_reset, self.recording.in_window)
    }

    /// Like [`Snapshot::window_elapsed`], for one series of this snapshot. It is less for a series
    /// that began after the last reset, such as a counter after [`reset_counters`], and more for
    /// `telemetry.*`, which no reset touches. Samples of timings, histograms and gauges are also
    /// aggregated between passes, so theirs can differ from a counter's by up to the time between
    /// two passes. Samples coalesced under overload are only aggregated by passes.
    ///
    /// [`reset_counters`]: crate::MetricsCollector::reset_counters
    pub fn window_elapsed_of(&self, series: &Series) -> Duration {
        let Recording { in_window, in_window_of_samples, .. } = self.recording;
        let counter = series.metric.kind.is_counter();
        let in_window = if counter { in_window } else { in_window_of_samples };
        self.recording.since(series.on_before, in_window)
    }

    /// All series, sorted by key, except those hidden by [`Builder::idle_timeout`].
    ///
    /// [`Builder::idle_timeout`]: crate::Builder::idle_timeout
    pub fn series(&self) -> &[Arc<Series>] {
        &self.series
    }

    /// The series of a name and tags, in any order of the tags. Costs a binary search.
    pub fn find(&self, name: &str, tags: &[(&str, &str)]) -> Option<&Series> {
        by_key(&self.series, &crate::series::key::display(name, &Tags::new(tags)))
    }

    /// A series by its key, including hidden ones.
    pub(crate) fn known(&self, key: &str) -> Option<&Series> {
        by_key(&self.series, key).or_else(|| by_key(&self.idle, key))
    }

    /// Metric names and tag keys for formats that allow fewer characters. They are the same in
    /// every snapshot of a collector, also after a round trip through JSON, and in merges.
    pub fn exported_names(&self) -> &Arc<ExportedNames> {
        &self.names
    }

    /// Adopts existing names, and assigns names to everything without one.
    fn name_all(&mut self, mut naming: Naming) {
        let all = self.series.iter().chain(&self.idle);
        all.for_each(|series| naming.name(&series.metric, &series.tags));
        self.names = Arc::clone(naming.names());
    }

    /// The series of one metric, sorted by key.
    pub fn metric<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().map(|series| &**series).filter(move |s| *s.metric.name == *name)
    }
}

fn by_key<'a>(series: &'a [Arc<Series>], key: &str) -> Option<&'a Series> {
    let place = series.binary_search_by(|series| (*series.key).cmp(key)).ok()?;
    series.get(place).map(|series| &**series)
}

/// One series of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name, kind, unit and description.
    pub metric: Arc<Metric>,
    /// The tags.
    pub tags: Tags,
    /// The display key: `name` or `name[k1=v1,k2=v2]`, separators escaped with `\`.
    pub key: Arc<str>,
    /// When the series began, by the wall clock: at the pass before its first record or
    /// registration, or at its last reset. Never later than its first record. It does not change
    /// while the series continues, unless the wall clock is set by more than a second.
    #[serde(with = "wall")]
    pub created: SystemTime,
    /// Identifies which start of the series that was: it changes with every reset and differs
    /// between processes.
    pub generation: u64,
    /// How long recording had been on when its values were last reset.
    pub(crate) on_before: Duration,
    /// Dropped samples of this series, for any reason.
    pub dropped: u64,
    /// The greatest traced sample of the window; without windows, since the start or the last
    /// reset. Boxed, because most series have none.
    #[serde(default)]
    pub exemplar: Option<Box<Exemplar>>,
    /// The statistics.
    pub value: Value,
}

/// The statistics of a series, by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Of a timing, in seconds. Boxed like a histogram's, because a counter takes a tenth of the
    /// space.
    Timing(Box<Views<TimingStats>>),
    /// Of a histogram, in its own unit.
    Histogram(Box<Views<TimingStats>>),
    /// Of a monotonic counter.
    Counter(Views<CounterStats>),
    /// Of an up-down counter.
    UpDownCounter(Views<CounterStats>),
    /// Of a gauge.
    Gauge(Box<Views<GaugeStats>>),
}

impl Value {
    /// The statistics of a timing or histogram.
    pub fn as_timing(&self) -> Option<&Views<TimingStats>> {
        match self {
            Self::Timing(views) | Self::Histogram(views) => Some(views),
            _ => None,
        }
    }

    /// The statistics of a counter or up-down counter.
    pub fn as_counter(&self) -> Option<&Views<CounterStats>> {
        match self {
            Self::Counter(views) | Self::UpDownCounter(views) => Some(views),
            _ => None,
        }
    }

    /// The statistics of a gauge.
    pub fn as_gauge(&self) -> Option<&Views<GaugeStats>> {
        match self {
            Self::Gauge(views) => Some(views),
            _ => None,
        }
    }
}
