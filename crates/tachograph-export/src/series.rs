//! One series as JSON, with its statistics under their well-known names.

use std::time::Duration;

use serde::Serialize;
use tachograph::{
    Buckets, CounterStats, GaugeStats, Kind, Metric, Series, Snapshot, SpanId, TimingStats,
    TraceId, Value, Views,
};

use crate::json::Options;
use crate::time::rfc3339;

/// The durations that rates are divided by.
#[derive(Clone, Copy)]
pub(crate) struct Spans<'a>(&'a Snapshot);

impl<'a> Spans<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        Self(snapshot)
    }

    fn window_of(self, series: &Series) -> Duration {
        self.0.window_elapsed_of(series)
    }
}

/// A series: its lifetime statistics as flat fields, its description, and the window.
#[derive(Serialize)]
pub(crate) struct Entry<'a, T> {
    #[serde(flatten)]
    lifetime: T,
    kind: Kind,
    unit: &'a str,
    dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exemplar: Option<Exemplar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<T>,
}

impl<'a, T> Entry<'a, T> {
    fn new<S>(
        series: &'a Series,
        views: &'a Views<S>,
        spans: Spans<'_>,
        fields: impl Fn(&'a S, Duration) -> T,
    ) -> Self {
        Self {
            lifetime: fields(&views.lifetime, spans.0.uptime()),
            kind: series.metric.kind,
            unit: series.metric.unit.name(),
            dropped: series.dropped,
            exemplar: series.exemplar.as_deref().map(Exemplar::new),
            window: views.window.as_ref().map(|stats| fields(stats, spans.window_of(series))),
        }
    }
}

/// The worst traced sample.
#[derive(Serialize)]
struct Exemplar {
    value: f64,
    trace_id: TraceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<SpanId>,
    timestamp: String,
}

impl Exemplar {
    fn new(exemplar: &tachograph::Exemplar) -> Self {
        Self {
            value: exemplar.value,
            trace_id: exemplar.trace.trace_id(),
            span_id: exemplar.trace.span_id(),
            timestamp: rfc3339(exemplar.timestamp),
        }
    }
}

/// The entry of a timing or histogram.
pub(crate) fn timing<'a>(
    series: &'a Series,
    spans: Spans<'_>,
    options: Options,
) -> Option<Entry<'a, Timing>> {
    let views = series.value.as_timing()?;
    Some(Entry::new(series, views, spans, |stats, over| Timing::new(stats, over, options)))
}

/// The entry of a counter or up-down counter.
pub(crate) fn counter<'a>(
    series: &'a Series,
    spans: Spans<'_>,
    _: Options,
) -> Option<Entry<'a, Counter>> {
    let views = series.value.as_counter()?;
    Some(Entry::new(series, views, spans, |stats, over| Counter::new(&series.metric, stats, over)))
}

/// The entry of a gauge.
pub(crate) fn gauge<'a>(
    series: &'a Series,
    spans: Spans<'_>,
    _: Options,
) -> Option<Entry<'a, Gauge>> {
    let Value::Gauge(views) = &series.value else { return None };
    Some(Entry::new(series, views, spans, |stats, _| Gauge::new(stats)))
}

#[derive(Serialize)]
pub(crate) struct Timing {
    count: u64,
    sum: f64,
    mean: f64,
    min: f64,
    max: f64,
    p50: f64,
    p90: f64,
    p95: f64,
    p99: f64,
    p999: f64,
    rate: f64,
    quantile_error: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    buckets: Option<Vec<Bucket>>,
}

impl Timing {
    fn new(stats: &TimingStats, over: Duration, options: Options) -> Self {
        Self {
            count: stats.count,
            sum: stats.sum,
            mean: or_zero(stats.mean),
            min: or_zero(stats.min),
            max: or_zero(stats.max),
            p50: or_zero(stats.p50),
            p90: or_zero(stats.p90),
            p95: or_zero(stats.p95),
            p99: or_zero(stats.p99),
            p999: or_zero(stats.p999),
            rate: stats.rate(over),
            quantile_error: stats.error(),
            buckets: options.buckets.then(|| Bucket::all(stats.buckets())),
        }
    }
}

#[derive(Serialize)]
struct Bucket {
    low: f64,
    high: f64,
    count: u64,
}

impl Bucket {
    fn all(buckets: &Buckets) -> Vec<Self> {
        let bucket = |bucket: tachograph::Bucket| Self {
            low: buckets.scaled(bucket.low),
            high: buckets.scaled(bucket.high),
            count: bucket.count,
        };
        buckets.iter().map(bucket).collect()
    }
}

#[derive(Serialize)]
pub(crate) struct Counter {
    value: Number,
    rate: f64,
}

impl Counter {
    fn new(metric: &Metric, stats: &CounterStats, over: Duration) -> Self {
        Self { value: Number::new(metric, stats.value), rate: metric.scaled(stats.rate(over)) }
    }
}

/// A counter's value: an integer, or a float if the metric has a scale. Most JSON libraries refuse
/// integers of more than 64 bits, so none is written.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Positive(u64),
    Negative(i64),
    Scaled(f64),
}

impl Number {
    /// The value, or the nearest one that fits: only a window's change can be out of range.
    fn new(metric: &Metric, value: i128) -> Self {
        if metric.scale != 1.0 {
            return Self::Scaled(metric.scaled(value as f64));
        }
        match u64::try_from(value) {
            Ok(value) => Self::Positive(value),
            Err(_) if value > 0 => Self::Positive(u64::MAX),
            Err(_) => Self::Negative(i64::try_from(value).unwrap_or(i64::MIN)),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Gauge {
    current: f64,
    min: f64,
    max: f64,
    mean: f64,
    count: u64,
}

impl Gauge {
    fn new(stats: &GaugeStats) -> Self {
        Self {
            current: or_zero(stats.current),
            min: or_zero(stats.min),
            max: or_zero(stats.max),
            mean: or_zero(stats.mean),
            count: stats.count,
        }
    }
}

fn or_zero(statistic: Option<f64>) -> f64 {
    statistic.unwrap_or(0.0)
}
