//! What readers and exporters see: an immutable, versioned picture of every series.

mod difference;
mod merge;
mod told;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize, Serializer};

use crate::read::exemplar::Exemplar;
use crate::read::exported::ExportedNames;
use crate::read::exported::naming::Naming;
use crate::read::stats::{CounterStats, GaugeStats, TimingStats, Views};
use crate::series::encoding::wall;
use crate::series::metric::Metric;
use crate::series::tags::Tags;
use crate::time::start;

/// Every series at the time of one pass over all recorders.
///
/// Immutable and shared; series that have not changed are shared with the snapshot before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// Implements the two as functions, around which `Deserialize` completes what came.
#[serde(remote = "Self")]
pub struct Snapshot {
    pub(crate) version: u64,
    #[serde(with = "wall")]
    pub(crate) timestamp: SystemTime,
    #[serde(with = "wall")]
    pub(crate) started: SystemTime,
    pub(crate) uptime: Duration,
    /// Of the collector's values as a whole; see [`Series::generation`].
    pub(crate) generation: u64,
    /// Time since the collector was made, by the monotonic clock; resets leave it.
    pub(crate) age: Duration,
    pub(crate) window_span: Option<Duration>,
    pub(crate) recording: Recording,
    pub(crate) series: Vec<Arc<Series>>,
    /// Series that the idle timeout hides, sorted by key: a difference goes on from them.
    pub(crate) idle: Vec<Arc<Series>>,
    /// What the metrics and tag keys of all these are called in exports, and some of others.
    #[serde(default)]
    pub(crate) names: Arc<ExportedNames>,
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// How long recording was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// Since the collector was made.
    pub(crate) on: Duration,
    /// Of that, before the last reset.
    pub(crate) before_reset: Duration,
    /// Of it all, in the window's steps as passes fold counters; without windows, everything.
    pub(crate) in_window: Duration,
    /// The same as drains fold samples, which come between passes, too.
    pub(crate) in_window_of_samples: Duration,
}

impl Recording {
    /// No reset came in between, and all of it is in the window.
    fn all(on: Duration) -> Self {
        Self { on, before_reset: Duration::ZERO, in_window: on, in_window_of_samples: on }
    }

    /// Of a time in the window, that since a reset until which recording was on for so long.
    fn since(self, before: Duration, in_window: Duration) -> Duration {
        in_window.min(self.on.saturating_sub(before))
    }
}

impl Snapshot {
    /// Grows with every snapshot of one collector.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the pass was made, by the wall clock.
    pub fn timestamp(&self) -> SystemTime {
        self.timestamp
    }

    /// When the collector was made or last reset, by the wall clock.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Time since the collector was made or reset, by the monotonic clock.
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// When an earlier snapshot of the same collector was made, by the wall clock as it goes now:
    /// the snapshot's own timestamp, unless the clock was set by more than a second in between.
    pub fn time_of(&self, earlier: &Snapshot) -> SystemTime {
        let apart = self.age.saturating_sub(earlier.age);
        let converted = start::before(self.timestamp, apart);
        if start::was_set(earlier.timestamp, converted) { converted } else { earlier.timestamp }
    }

    /// Which of the collector's beginnings the values count from: another one after every reset,
    /// and in every process.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The width of the sliding window; `None` for a collector without windows.
    pub fn window_span(&self) -> Option<Duration> {
        self.window_span
    }

    /// The time that a window's rates divide by: what its steps cover while recording was on, since
    /// the last reset. Without windows, and in a [difference](Snapshot::since), all such time.
    ///
    /// A window of six steps of 10 s covers 50 to 60 s, and more after a stall, as what was recorded
    /// during one is aggregated after it.
    pub fn window_elapsed(&self) -> Duration {
        self.recording.since(self.recording.before_reset, self.recording.in_window)
    }

    /// As [`Snapshot::window_elapsed`], for one series of this snapshot: less for one that began after
    /// the last reset, as a counter after [`reset_counters`], and more for `telemetry.*`, which no reset
    /// touches. Samples of timings, histograms and gauges are aggregated between passes, too, so theirs
    /// may differ from a counter's by the time between two passes. What overload has coalesced is not.
    ///
    /// [`reset_counters`]: crate::MetricsCollector::reset_counters
    pub fn window_elapsed_of(&self, series: &Series) -> Duration {
        let Recording { in_window, in_window_of_samples, .. } = self.recording;
        let counter = series.metric.kind.is_counter();
        let in_window = if counter { in_window } else { in_window_of_samples };
        self.recording.since(series.on_before, in_window)
    }

    /// All series, sorted by key; without those that [`Builder::idle_timeout`] hides.
    ///
    /// [`Builder::idle_timeout`]: crate::Builder::idle_timeout
    pub fn series(&self) -> &[Arc<Series>] {
        &self.series
    }

    /// The series of a name and tags, in any order of the tags. Costs a binary search.
    pub fn find(&self, name: &str, tags: &[(&str, &str)]) -> Option<&Series> {
        by_key(&self.series, &crate::series::key::display(name, &Tags::new(tags)))
    }

    /// A series by its key, also one that the idle timeout hides.
    pub(crate) fn known(&self, key: &str) -> Option<&Series> {
        by_key(&self.series, key).or_else(|| by_key(&self.idle, key))
    }

    /// What metrics and tag keys are called in formats that allow fewer characters. The same ones
    /// in every snapshot of a collector that has them, also after a way as JSON, and in sums.
    pub fn exported_names(&self) -> &Arc<ExportedNames> {
        &self.names
    }

    /// Takes over the names that were given, and gives names to what has none.
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
    /// When the series began, by the wall clock: at the pass before it was first recorded or
    /// registered, or when it was last reset. Never later than its first record; it stays while the
    /// series goes on, but for a wall clock that is set by more than a second.
    #[serde(with = "wall")]
    pub created: SystemTime,
    /// Which of the series' beginnings that was: another one after every reset, and in every
    /// process.
    pub generation: u64,
    /// How long recording had been on when its values were last reset.
    pub(crate) on_before: Duration,
    /// Samples of this series that were dropped, whatever the reason.
    pub dropped: u64,
    /// The greatest traced sample of the window; without windows, since the start or the last
    /// reset. Boxed: most series have none.
    #[serde(default)]
    pub exemplar: Option<Box<Exemplar>>,
    /// The statistics.
    pub value: Value,
}

/// The statistics of a series, by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Of a timing, in seconds. Boxed, as a histogram's: a counter takes a tenth of the room.
    Timing(Box<Views<TimingStats>>),
    /// Of a histogram, in its own unit.
    Histogram(Box<Views<TimingStats>>),
    /// Of a monotonic counter.
    Counter(Views<CounterStats>),
    /// Of a counter that goes both ways.
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

    /// The statistics of either kind of counter.
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
