//! Merges many snapshots into one: shards of a process, or processes of a fleet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::prometheus_names::exported_names::ConstantLabel;
use crate::prometheus_names::naming::Naming;
use crate::read::buckets::Buckets;
use crate::read::snapshot::{Recording, Series, Snapshot, Value};
use crate::read::stats::{CounterStats, GaugeStats, TimingStats, Views};
use crate::series::key;
use crate::series::metric::{Kind, Metric, Unit};
use crate::series::tags::Tags;

impl Snapshot {
    /// The sum of snapshots of different collectors, or of one collector's consecutive
    /// [differences](Snapshot::since).
    ///
    /// - Counters and distributions add up exactly, including buckets, so a quantile is that of all
    ///   samples together, within [`TimingStats::error`](crate::TimingStats::error). Totals wrap
    ///   like the counters.
    /// - A gauge's `min`, `max`, `mean` and `count` cover all values set; `current` is from the
    ///   newest snapshot that has one.
    /// - The greatest exemplar of a series is kept; of equal ones the oldest snapshot's.
    /// - A metric that is a counter in one snapshot and an up-down counter in another becomes an
    ///   up-down counter. If kinds or scales cannot be added up, the oldest snapshot's metric keeps
    ///   the name, and the other is kept apart under `name.kind` or `name.scale_…`.
    /// - Exported names come from the oldest snapshot that has the metric or tag key; a name that
    ///   another metric of an older snapshot has taken gets the next numeric suffix. All begin with
    ///   the oldest snapshot's prefix; constant labels are those that all snapshots have.
    /// - A series that is idle in every snapshot stays hidden; one that is idle in only some is
    ///   added up completely.
    /// - `window` views add up if all windows are equally wide, and are left out otherwise.
    ///   `version` is the sum, `timestamp` the newest, `started` the first, `uptime` and
    ///   `window_elapsed` the longest.
    ///
    /// Without snapshots the result is empty. Costs one pass over all buckets.
    pub fn merge<'a>(snapshots: impl IntoIterator<Item = &'a Snapshot>) -> Snapshot {
        let mut parts: Vec<_> = snapshots.into_iter().collect();
        parts.sort_by_key(|part| part.timestamp);
        let mut sum = Sum::of(&parts);
        for part in &parts {
            part.series.iter().for_each(|series| sum.add(series, false));
            part.idle.iter().for_each(|series| sum.add(series, true));
        }
        let mut naming = naming(&parts);
        for part in &parts {
            let is_here = |name: &str, kind| {
                sum.metrics.get(name).is_none_or(|metric| metric.kind.fits(kind))
            };
            naming.adopt(&part.names, is_here);
        }
        let (idle, series) = sum.series.into_values().partition::<Vec<_>, _>(|sum| sum.idle);
        let longest = parts.iter().map(|part| part.window_elapsed()).max().unwrap_or_default();
        let recording = Recording::all(longest);
        let first = parts.iter().min_by_key(|part| (part.started, part.generation));
        let windows = sum.window_span.is_some();
        let all = |sums: Vec<SeriesSum<'_>>| {
            sums.into_iter().filter_map(|sum| sum.series(windows)).map(Arc::new).collect()
        };
        let mut merged = Snapshot {
            version: parts.iter().fold(0, |sum, part| sum.wrapping_add(part.version)),
            timestamp: parts.last().map_or(SystemTime::UNIX_EPOCH, |part| part.timestamp),
            started: first.map_or(SystemTime::UNIX_EPOCH, |part| part.started),
            generation: first.map_or(0, |part| part.generation),
            age: parts.iter().map(|part| part.age).max().unwrap_or_default(),
            uptime: parts.iter().map(|part| part.uptime).max().unwrap_or_default(),
            window_span: sum.window_span,
            recording,
            series: all(series),
            idle: all(idle),
            names: Arc::default(),
        };
        merged.name_all(naming);
        merged
    }
}

impl Snapshot {
    /// The statistics of all series of a metric together, whatever their tags: a counter's total,
    /// the p99 over all routes. `None` if there is no such series.
    ///
    /// Merges like [`merge`](Snapshot::merge), except that a gauge's `current` is the sum of all.
    /// If an untagged series already contains the samples of the tagged ones, use
    /// [`find`](Snapshot::find) for that one instead. Costs one pass over the buckets of these
    /// series.
    pub fn total(&self, name: &str) -> Option<Value> {
        let all: Vec<_> = self.metric(name).collect();
        let metric = &all.first()?.metric;
        let values = all.iter().map(|series| &series.value);
        let mut total = sum(metric, values, self.window_span.is_some());
        if let Value::Gauge(views) = &mut total {
            let gauges = all.iter().filter_map(|series| series.value.as_gauge());
            let current = gauges.filter_map(|views| views.lifetime.current).reduce(|a, b| a + b);
            views.lifetime.current = current;
            views.window.iter_mut().for_each(|window| window.current = current);
        }
        Some(total)
    }
}

/// The prefix of the oldest snapshot, and the constant labels that all of them have.
fn naming(parts: &[&Snapshot]) -> Naming {
    let Some((first, others)) = parts.split_first() else { return Naming::default() };
    let is_of_all = |label: &&ConstantLabel| {
        others.iter().all(|part| part.names.constants().iter().any(|other| other == *label))
    };
    let labels = first.names.constants().iter().filter(is_of_all);
    let labels: Vec<_> = labels.map(|label| (&label.key, &label.value)).collect();
    Naming::new(first.names.prefix(), &Tags::new(&labels))
}

/// The sum in progress.
struct Sum<'a> {
    /// The merged metrics, by name.
    metrics: HashMap<Arc<str>, Arc<Metric>>,
    /// By key.
    series: BTreeMap<Arc<str>, SeriesSum<'a>>,
    window_span: Option<Duration>,
}

impl<'a> Sum<'a> {
    fn of(parts: &[&'a Snapshot]) -> Self {
        let span = parts.first().and_then(|part| part.window_span);
        let same = parts.iter().all(|part| part.window_span == span);
        let window_span = span.filter(|_| same);
        let mut sum = Self { metrics: HashMap::new(), series: BTreeMap::new(), window_span };
        // Metadata comes first, because a series of the first snapshot may use a later one's.
        for series in parts.iter().flat_map(|part| part.series.iter().chain(&part.idle)) {
            let (name, scale) = sum.place_of(series);
            sum.describe(name, series, scale);
        }
        sum
    }

    /// The name of a series' metric in the sum, and its scale.
    fn place_of(&self, series: &Series) -> (Arc<str>, f64) {
        let (kind, scale) = (series.metric.kind, scale_of(series));
        let mut name = Arc::clone(&series.metric.name);
        while let Some(known) = self.metrics.get(&name) {
            name = if !known.kind.fits(kind) {
                format!("{name}.{}", kind.name().replace(' ', "_")).into()
            } else if known.scale != scale {
                format!("{name}.scale_{}", scale).into()
            } else {
                break;
            };
        }
        (name, scale)
    }

    /// Adds a metric's metadata to what is known about it.
    fn describe(&mut self, name: Arc<str>, series: &Series, scale: f64) {
        let fresh = &series.metric;
        let Some(known) = self.metrics.get_mut(&name) else {
            let metric = Metric { name: Arc::clone(&name), scale, ..(**fresh).clone() };
            self.metrics.insert(name, Arc::new(metric));
            return;
        };
        let old = &**known;
        let metric = Metric {
            name,
            kind: if old.kind == fresh.kind { old.kind } else { Kind::UpDownCounter },
            unit: if old.unit == Unit::None { &fresh.unit } else { &old.unit }.clone(),
            description: Arc::clone(if old.description.is_empty() {
                &fresh.description
            } else {
                &old.description
            }),
            scale,
        };
        if metric != *old {
            *known = Arc::new(metric);
        }
    }

    fn add(&mut self, series: &'a Series, idle: bool) {
        let (name, _) = self.place_of(series);
        let renamed = name != series.metric.name;
        let key =
            if renamed { key::display(&name, &series.tags).into() } else { series.key.clone() };
        let Some(metric) = self.metrics.get(&name) else { return };
        let sum = self.series.entry(Arc::clone(&key)).or_insert_with(|| {
            let metric = Arc::clone(metric);
            SeriesSum { metric, key, parts: Vec::new(), idle }
        });
        sum.idle &= idle;
        sum.parts.push(series);
    }
}

/// The value of one recorded unit of a series.
fn scale_of(series: &Series) -> f64 {
    let views = series.value.as_timing();
    views.map_or(series.metric.scale, |views| views.lifetime.buckets().scale())
}

/// The sum of one series in progress.
struct SeriesSum<'a> {
    metric: Arc<Metric>,
    key: Arc<str>,
    /// The oldest snapshot's first.
    parts: Vec<&'a Series>,
    /// Hidden in every snapshot.
    idle: bool,
}

impl SeriesSum<'_> {
    fn series(self, windows: bool) -> Option<Series> {
        let Self { metric, key, parts, idle: _ } = self;
        let (created, generation) = parts.iter().map(|it| (it.created, it.generation)).min()?;
        let exemplars = parts.iter().filter_map(|part| part.exemplar.as_ref());
        Some(Series {
            tags: parts.first()?.tags.clone(),
            key,
            created,
            generation,
            on_before: Duration::ZERO,
            dropped: parts.iter().fold(0, |sum, part| sum.wrapping_add(part.dropped)),
            exemplar: exemplars.reduce(|a, b| if b.value > a.value { b } else { a }).cloned(),
            value: sum(&metric, parts.iter().map(|part| &part.value), windows),
            metric,
        })
    }
}

/// The sum of values of one metric, the oldest first.
fn sum<'a>(
    metric: &Metric,
    values: impl Iterator<Item = &'a Value> + Clone,
    windows: bool,
) -> Value {
    let counters = || values.clone().filter_map(Value::as_counter);
    let total = |parts: &mut dyn Iterator<Item = &CounterStats>| {
        parts.fold(0i128, |sum, part| sum.wrapping_add(part.value))
    };
    let net = || {
        views(counters(), windows, |parts| CounterStats { value: i128::from(total(parts) as i64) })
    };
    let timing = || {
        let timings = values.clone().filter_map(Value::as_timing);
        Box::new(views(timings, windows, |parts: &mut dyn Iterator<Item = &TimingStats>| {
            let buckets = parts.map(|part| part.buckets().parts());
            TimingStats::of(Buckets::of_all(buckets, metric.scale))
        }))
    };
    match metric.kind {
        Kind::Counter => {
            let value = wrapped(total(&mut counters().map(|views| &views.lifetime)));
            Value::Counter(Views { lifetime: CounterStats { value }, ..net() })
        }
        Kind::UpDownCounter => Value::UpDownCounter(net()),
        Kind::Timing => Value::Timing(timing()),
        Kind::Histogram => Value::Histogram(timing()),
        Kind::Gauge => {
            let gauges = values.clone().filter_map(Value::as_gauge);
            Value::Gauge(Box::new(views(gauges, windows, |parts| {
                let mut sum = GaugeStats::default();
                parts.for_each(|part: &GaugeStats| sum.absorb(part));
                sum
            })))
        }
    }
}

/// Both views of a sum, each of the same view of every part.
fn views<'a, T: 'a, S>(
    parts: impl Iterator<Item = &'a Views<T>> + Clone,
    windows: bool,
    sum: impl Fn(&mut dyn Iterator<Item = &'a T>) -> S,
) -> Views<S> {
    let window = || sum(&mut parts.clone().filter_map(|views| views.window.as_ref()));
    let window = windows.then(window);
    Views { lifetime: sum(&mut parts.map(|views| &views.lifetime)), window }
}

/// A monotonic total, wrapped at 2^64. A negative one comes from a difference, and is kept.
fn wrapped(sum: i128) -> i128 {
    if sum < 0 { sum } else { i128::from(sum as u64) }
}

impl GaugeStats {
    /// Adds the values of another collector's gauge, which is the newer one.
    fn absorb(&mut self, newer: &Self) {
        let finite = self.finite.saturating_add(newer.finite);
        let sum = self.sum.sum(newer.sum);
        let either = |a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        *self = Self {
            current: newer.current.or(self.current),
            min: either(self.min, newer.min, f64::min),
            max: either(self.max, newer.max, f64::max),
            mean: (finite > 0).then(|| sum.over(finite)),
            count: self.count.saturating_add(newer.count),
            finite,
            sum,
        };
    }
}
