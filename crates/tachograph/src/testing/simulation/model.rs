//! The naive model of a collector: every recorded value, in plain lists.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::limits::KNOWN_PER_SERIES;
use crate::series::metric::Kind;
use crate::series::registry::Cardinality;
use crate::series::series_id::SeriesId;
use crate::sync::{Arc, Ordering};
use crate::{MetricsCollector, Snapshot, Value};

/// The values of the tag `k`; 0 means no tags, and the last an overflow series.
pub(super) const TAG_VALUES: [&str; 6] = ["", "a", "b", "c", "d", "e"];

pub(super) type Tag = usize;

pub(super) const OVERFLOW: &str = "[overflow=true]";

/// The tags for a tag number.
pub(super) fn tags(tag: Tag) -> Vec<(&'static str, &'static str)> {
    match tag {
        0 => Vec::new(),
        tag => vec![("k", TAG_VALUES[tag])],
    }
}

/// The destination of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// The series with this key.
    Series(String),
    /// Nowhere: it is a counted drop.
    Refused,
}

/// The outcome of a record, as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Sample,
    /// In a cell or a row.
    InPlace,
    Dropped,
}

/// A recorded value: a gauge's bits, or a counter's wrapping amount.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) value: u64,
    /// The step in which it was aggregated.
    pub(super) step: u64,
    pub(super) in_place: bool,
    /// The number of its trace, if it has one.
    pub(super) trace: Option<u64>,
}

/// A record that has not been aggregated yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) value: u64,
    pub(super) outcome: Outcome,
    pub(super) trace: Option<u64>,
}

#[derive(Debug)]
pub(super) struct SeriesModel {
    pub(super) kind: Kind,
    pub(super) entry: Arc<SeriesId>,
    pub(super) pinned: bool,
    /// Whether anything was aggregated since the last reset.
    pub(super) recorded: bool,
    /// The number of records, with any outcome.
    pub(super) calls: u64,
    pub(super) dropped: u64,
    pending: Vec<Pending>,
    /// Aggregated since the last reset.
    pub(super) items: Vec<Item>,
    /// The number of resets.
    pub(super) resets: u64,
    pub(super) gauge: GaugeModel,
    pub(super) rest: Rest,
    /// Its state when it left for being idle, until it returns or is reset.
    pub(super) left: Option<Box<SeriesModel>>,
    /// Whether it left with a handle, which it has again when it returns.
    pub(super) left_with_handles: bool,
    /// The overflow series that took the samples aggregated last, if it was not this series.
    pub(super) elsewhere: Option<String>,
}

/// How long a series has been idle.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Whether it was active since the last snapshot.
    news: bool,
    /// The time of the last snapshot in which it was active; `None` while it is not visible.
    since: Option<Instant>,
}

/// A series as it appears in snapshots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) series: &'a SeriesModel,
    /// Whether it has left for being idle.
    pub(super) hidden: bool,
}

#[derive(Debug)]
pub(super) struct GaugeModel {
    /// The value set last since the last reset; NaN if there is none.
    pub(super) word: f64,
    /// The sum of the absolute values of everything ever set.
    pub(super) magnitude: f64,
    /// A value was lost, and it is unknown which.
    pub(super) blurred: bool,
    /// Whether it was set itself since the last pass.
    pub(super) is_set: bool,
    /// The words of the gauges whose samples it took since then.
    lent: Vec<f64>,
}

impl Default for GaugeModel {
    fn default() -> Self {
        let (word, lent) = (f64::NAN, Vec::new());
        Self { word, magnitude: 0.0, blurred: false, is_set: false, lent }
    }
}

impl SeriesModel {
    pub(super) fn new(kind: Kind, entry: Arc<SeriesId>) -> Self {
        Self {
            kind,
            entry,
            pinned: false,
            recorded: false,
            calls: 0,
            dropped: 0,
            pending: Vec::new(),
            items: Vec::new(),
            resets: 0,
            gauge: GaugeModel::default(),
            rest: Rest::default(),
            left: None,
            left_with_handles: false,
            elsewhere: None,
        }
    }

    pub(super) fn note(&mut self, record: Pending) {
        self.calls += 1;
        match record.outcome {
            Outcome::Dropped => {
                self.dropped += 1;
                self.rest.news = true;
            }
            _ => self.pending.push(record),
        }
    }

    pub(super) fn is_visible(&self) -> bool {
        self.pinned || self.recorded
    }

    /// Takes the pending records to aggregate; for series other than the one being read, only
    /// samples.
    pub(super) fn take_pending(&mut self, step: u64, cells_too: bool) -> Vec<Item> {
        let mut taken = Vec::new();
        for record in std::mem::take(&mut self.pending) {
            let Pending { value, outcome, trace } = record;
            let in_place = outcome == Outcome::InPlace;
            if in_place && !cells_too {
                self.pending.push(record);
                continue;
            }
            taken.push(Item { value, step, in_place, trace });
        }
        taken
    }

    pub(super) fn aggregate(&mut self, items: Vec<Item>) {
        self.recorded = true;
        self.rest.news = true;
        self.items.extend(items);
    }

    /// Aggregates samples of another series.
    pub(super) fn borrow(&mut self, items: Vec<Item>, lender: &GaugeModel) {
        if self.kind == Kind::Gauge {
            let values = items.iter().map(|item| f64::from_bits(item.value));
            let finite = values.filter(|value| value.is_finite());
            self.gauge.magnitude += finite.map(f64::abs).sum::<f64>();
            self.gauge.lent.push(lender.word);
        }
        self.aggregate(items);
    }

    /// The pass has set an overflow gauge to the value of one of the gauges whose samples it took.
    fn settle(&mut self) {
        let gauge = &mut self.gauge;
        let mut words = std::mem::take(&mut gauge.lent);
        if !words.is_empty() {
            words.extend(gauge.is_set.then_some(gauge.word));
            // Acquire: as every load of `current`.
            let word = self.entry.words.current.load(Ordering::Acquire);
            // A reset has already cleared it.
            gauge.word = if word.is_nan() { words[0] } else { word };
            assert!(words.contains(&gauge.word), "{} is {}", self.entry.key, gauge.word);
        }
        gauge.is_set = false;
    }

    /// It has left, because it was idle or removed.
    pub(super) fn leave(&mut self) -> SeriesModel {
        let new = Self {
            calls: self.calls,
            dropped: self.dropped,
            resets: self.resets + 1,
            left_with_handles: self.left_with_handles | self.pinned,
            pending: std::mem::take(&mut self.pending),
            ..Self::new(self.kind, Arc::clone(&self.entry))
        };
        std::mem::replace(self, new)
    }

    /// The series as it appears in snapshots, if it does.
    pub(super) fn seen(&self) -> Option<Seen<'_>> {
        let left = self.left.as_deref().map(|series| Seen { series, hidden: true });
        if self.is_visible() { Some(Seen { series: self, hidden: false }) } else { left }
    }

    /// Drops the sample that a panic in `step` has turned into a drop: the one that is missing.
    pub(super) fn forget_lost(&mut self, snapshot: &Snapshot, step: u64) {
        let key = &self.entry.key;
        let told = snapshot.series().iter().find(|series| series.key == *key);
        let told = told.map(|told| match &told.value {
            Value::Counter(views) | Value::UpDownCounter(views) => views.lifetime.value as u64,
            Value::Timing(views) | Value::Histogram(views) => views.lifetime.buckets().sum() as u64,
            Value::Gauge(_) => 0,
        });
        let total = self.items.iter().fold(0u64, |sum, item| sum.wrapping_add(item.value));
        let lost = total.wrapping_sub(told.unwrap_or(0));
        // For a gauge, it may be any of the values.
        let gauge = self.kind == Kind::Gauge;
        self.gauge.blurred |= gauge;
        let pending = |item: &Item| !item.in_place && item.step == step;
        let place =
            self.items.iter().rposition(|item| pending(item) && (gauge || item.value == lost));
        self.items.remove(place.unwrap_or_else(|| panic!("{key}: {lost} was never pending")));
        self.recorded &= !self.items.is_empty();
    }

    fn reset(&mut self) {
        self.forget();
        self.left = None;
        self.recorded = false;
        let gauge = &mut self.gauge;
        (gauge.word, gauge.blurred) = (f64::NAN, false);
    }

    /// Drops everything aggregated.
    fn forget(&mut self) {
        self.rest.news = true;
        self.items.clear();
        self.resets += 1;
    }

    /// Takes note of a new snapshot.
    pub(super) fn look(&mut self, now: Instant, idle_timeout: Option<Duration>) {
        let news = std::mem::take(&mut self.rest.news);
        if !self.is_visible() {
            self.rest.since = None;
        } else if news || self.rest.since.is_none() {
            self.rest.since = Some(now);
        }
        let rests = self.rest.since.map(|since| now - since);
        if rests.zip(idle_timeout).is_some_and(|(rests, limit)| rests > limit) {
            self.left = Some(Box::new(self.leave()));
        } else if self.is_visible() {
            self.left = None;
        }
    }
}

#[derive(Debug)]
struct MetricModel {
    kind: Kind,
    /// Every tag set that ever had its own series.
    tags: BTreeSet<Tag>,
    overflowed: bool,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) limits: Cardinality,
    metrics: BTreeMap<&'static str, MetricModel>,
    pub(super) series: BTreeMap<String, SeriesModel>,
    /// Tag sets that ever counted against the limits, except the overflow series.
    known: usize,
    /// Records without a series.
    pub(super) refused: u64,
    /// The number of times that time ran backwards.
    pub(super) anomalies: u64,
    /// Decrements of monotonic counters, and how many of them were dropped.
    pub(super) decrements: [u64; 2],
    /// Traces that were given, and how many of them had no room in a lane.
    pub(super) traces: u64,
    pub(super) traces_dropped: u64,
    pub(super) idle_timeout: Option<Duration>,
    /// The keys of series with a place in the limits.
    pub(super) placed: BTreeSet<String>,
    /// Those among them that no snapshot has shown and no reset has met: their first record may be
    /// in progress.
    pub(super) fresh: BTreeSet<String>,
}

impl Model {
    pub(super) fn new(limits: Cardinality, idle_timeout: Option<Duration>) -> Self {
        Self {
            limits,
            metrics: BTreeMap::new(),
            series: BTreeMap::new(),
            known: 0,
            refused: 0,
            anomalies: 0,
            decrements: [0; 2],
            traces: 0,
            traces_dropped: 0,
            idle_timeout,
            placed: BTreeSet::new(),
            fresh: BTreeSet::new(),
        }
    }

    /// The target of a name and tags, and its kind.
    pub(super) fn resolve(&mut self, name: &'static str, tag: Tag, kind: Kind) -> (Target, Kind) {
        let full = self.placed("") >= self.limits.series;
        let (known, in_metric) = (self.known, self.placed(name));
        if !self.metrics.contains_key(name) {
            if full || self.metrics.len() >= self.limits.metrics {
                return (Target::Refused, kind);
            }
            let metric = MetricModel { kind, tags: BTreeSet::new(), overflowed: false };
            self.metrics.insert(name, metric);
        }
        let metric = self.metrics.get_mut(name).expect("inserted above");
        if !metric.kind.fits(kind) {
            return (Target::Refused, kind);
        }
        if !metric.tags.contains(&tag) {
            let full = full || in_metric >= self.limits.series_per_metric;
            if full || known >= self.limits.series * KNOWN_PER_SERIES {
                metric.overflowed = true;
                return (Target::Series(format!("{name}[overflow=true]")), metric.kind);
            }
            metric.tags.insert(tag);
            self.known += 1;
            self.placed.insert(key(name, tag));
            self.fresh.insert(key(name, tag));
        }
        (Target::Series(key(name, tag)), metric.kind)
    }

    /// The number of series with a place in the limits, of a metric or of all if `name` is empty.
    pub(super) fn placed(&self, name: &str) -> usize {
        let of_metric = |key: &&String| name.is_empty() || metric_of(key) == name;
        self.placed.iter().filter(of_metric).count()
    }

    /// The series that a read of the name and tags finds.
    pub(super) fn find(&self, name: &str, tag: Tag) -> Option<&SeriesModel> {
        self.series.get(&key(name, tag))
    }

    /// A pass: aggregates everything in one step.
    pub(super) fn pass(&mut self, step: u64, metrics: &MetricsCollector) {
        self.aggregate(step, metrics, |_| true);
        self.series.values_mut().for_each(SeriesModel::settle);
    }

    /// A read of one series: aggregates the samples of all, but only this one's cells and rows.
    pub(super) fn read_one(&mut self, name: &str, tag: Tag, step: u64, metrics: &MetricsCollector) {
        let read = key(name, tag);
        self.aggregate(step, metrics, |key| key == read);
        // A series that was registered again gets a place, if there is one.
        self.admit_registered(metrics, |key| key == read);
    }

    /// The series as they appear in a snapshot.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&String, Seen<'_>)> {
        let place = |key: &str| key.ends_with(OVERFLOW) || self.placed.contains(key);
        self.series.iter().filter_map(move |(key, series)| {
            let seen = series.seen().filter(|seen| seen.hidden || place(key));
            let left = || series.left.as_deref().map(|series| Seen { series, hidden: true });
            Some((key, seen.or_else(left)?))
        })
    }

    /// One series as it appears in a snapshot.
    pub(super) fn known(&self, key: &str) -> Option<Seen<'_>> {
        self.seen().find(|(known, _)| *known == key).map(|(_, seen)| seen)
    }

    /// The keys of the series that a snapshot shows or hides.
    pub(super) fn keys(&self, hidden: bool) -> Vec<&str> {
        self.seen().filter(|(_, seen)| seen.hidden == hidden).map(|(key, _)| &**key).collect()
    }

    pub(super) fn reset(&mut self) {
        self.series.values_mut().for_each(SeriesModel::reset);
        self.fresh.clear();
    }

    pub(super) fn reset_counters(&mut self) {
        let counters = self.series.values_mut().filter(|series| series.kind.is_counter());
        counters.for_each(|series| {
            series.forget();
            series.left = None;
        });
    }

    /// Every record, including dropped ones.
    pub(super) fn recorded(&self) -> u64 {
        self.refused + self.series.values().map(|series| series.calls).sum::<u64>()
    }

    /// Every counted drop.
    pub(super) fn dropped(&self) -> u64 {
        self.refused + self.series.values().map(|series| series.dropped).sum::<u64>()
    }
}

pub(super) fn metric_of(key: &str) -> &str {
    key.split('[').next().unwrap_or_default()
}

pub(super) fn key(name: &str, tag: Tag) -> String {
    match tag {
        0 => name.to_owned(),
        tag => format!("{name}[k={}]", TAG_VALUES[tag]),
    }
}
