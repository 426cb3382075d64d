//! One metric with the points of its series.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge,
    Metric, NumberDataPoint, Sum, exemplar,
};
use tachograph::{Series, TimingStats, Value};

use super::attributes::attributes;
use super::settings::{Resolution, Settings, Temporality};
use super::unit;
use crate::exponential::{Exponential, SCALE_MAX, ZERO_THRESHOLD};

/// The times that points cover.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The end time of every point.
    pub(super) now: SystemTime,
    /// The start time of gains.
    pub(super) since: Option<SystemTime>,
}

impl Times {
    /// Start and end of a series' gain or lifetime, in nanoseconds since 1970. The end may precede
    /// the start if the wall clock was set back.
    fn of(self, series: &Series) -> (u64, u64) {
        let start = self.since.map_or(series.created, |since| since.max(series.created));
        let end = nanos(self.now);
        (nanos(start).min(end), end)
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

/// What all points of a metric share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) times: Times,
    /// The replacement for an empty tag key.
    pub(super) keyless: &'a str,
}

/// A metric of at least one series, all of the same kind, and the number of its points; `None` if
/// no series has one.
pub(super) fn metric(
    name: String,
    series: &[&Series],
    context: Context<'_>,
) -> Option<(Metric, usize)> {
    let described = &series[0].metric;
    let (data, points) = match &series[0].value {
        Value::Gauge(_) => gauge(series, context),
        Value::Counter(_) | Value::UpDownCounter(_) => sum(series, context),
        Value::Timing(_) | Value::Histogram(_) => histogram(series, context),
    };
    let metric = Metric {
        name,
        description: described.description.to_string(),
        unit: unit::code(&described.unit).into_owned(),
        data: Some(data),
        metadata: Vec::new(),
    };
    (points > 0).then_some((metric, points))
}

fn gauge(series: &[&Series], context: Context<'_>) -> (Data, usize) {
    let point = |series: &&Series| {
        let current = series.value.as_gauge()?.lifetime.current?;
        // A level has no start time.
        let end = context.times.of(series).1;
        Some(number(series, context.keyless, (0, end), Number::AsDouble(current)))
    };
    let data_points: Vec<_> = series.iter().filter_map(point).collect();
    let points = data_points.len();
    (Data::Gauge(Gauge { data_points }), points)
}

fn sum(series: &[&Series], context: Context<'_>) -> (Data, usize) {
    let Context { settings, times, keyless } = context;
    let is_monotonic = matches!(series[0].value, Value::Counter(_));
    let temporality = if is_monotonic { settings.temporality } else { Temporality::Cumulative };
    let times = if is_monotonic { times } else { Times { since: None, ..times } };
    let point = |series: &&Series| {
        let value = series.value.as_counter()?.lifetime.value;
        // Integers beyond `i64` become floats, rounded.
        let value = match i64::try_from(value) {
            Ok(whole) if series.metric.scale == 1.0 => Number::AsInt(whole),
            _ => Number::AsDouble(series.metric.scaled(value as f64)),
        };
        Some(number(series, keyless, times.of(series), value))
    };
    let data_points: Vec<_> = series.iter().filter_map(point).collect();
    let points = data_points.len();
    let aggregation_temporality = code(temporality);
    (Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic }), points)
}

fn number(
    series: &Series,
    keyless: &str,
    (start_time_unix_nano, time_unix_nano): (u64, u64),
    value: Number,
) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(&series.tags, keyless),
        start_time_unix_nano,
        time_unix_nano,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn code(temporality: Temporality) -> i32 {
    let temporality = match temporality {
        Temporality::Delta => AggregationTemporality::Delta,
        Temporality::Cumulative => AggregationTemporality::Cumulative,
    };
    temporality.into()
}

fn histogram(series: &[&Series], context: Context<'_>) -> (Data, usize) {
    let Context { settings, times, keyless } = context;
    let mut exponential = Exponential::default();
    let point = |series: &&Series| {
        let stats = &series.value.as_timing()?.lifetime;
        fit(&mut exponential, stats, settings.resolution);
        let (start_time_unix_nano, time_unix_nano) = times.of(series);
        Some(ExponentialHistogramDataPoint {
            attributes: attributes(&series.tags, keyless),
            start_time_unix_nano,
            time_unix_nano,
            count: stats.count,
            sum: Some(stats.sum),
            scale: exponential.scale(),
            zero_count: exponential.zero_count(),
            positive: buckets(&exponential),
            exemplars: series.exemplar.as_deref().map(exemplar).into_iter().collect(),
            min: stats.min,
            max: stats.max,
            zero_threshold: ZERO_THRESHOLD,
            ..ExponentialHistogramDataPoint::default()
        })
    };
    let data_points: Vec<_> = series.iter().filter_map(point).collect();
    let points = data_points.len();
    let aggregation_temporality = code(settings.temporality);
    let histogram = ExponentialHistogram { data_points, aggregation_temporality };
    (Data::ExponentialHistogram(histogram), points)
}

/// Buckets a distribution at the requested scale.
fn fit(exponential: &mut Exponential, stats: &TimingStats, resolution: Resolution) {
    match resolution {
        Resolution::Scale(scale) => exponential.fill(stats.buckets(), scale),
        Resolution::MaxBuckets(max) => {
            exponential.fill(stats.buckets(), SCALE_MAX);
            exponential.coarsen_to(max);
        }
    }
}

/// Every bucket from the first to the last non-empty one.
fn buckets(exponential: &Exponential) -> Option<Buckets> {
    let filled = exponential.buckets();
    let (first, last) = (filled.first()?.0, filled.last()?.0);
    let mut bucket_counts = vec![0; (last - first) as usize + 1];
    filled.iter().for_each(|(index, count)| bucket_counts[(index - first) as usize] = *count);
    // OTLP counts from a bucket's lower edge.
    Some(Buckets { offset: first - 1, bucket_counts })
}

fn exemplar(worst: &tachograph::Exemplar) -> Exemplar {
    let span_id = worst.trace.span_id();
    Exemplar {
        time_unix_nano: nanos(worst.timestamp),
        value: Some(exemplar::Value::AsDouble(worst.value)),
        span_id: span_id.map_or_else(Vec::new, |id| id.to_bytes().to_vec()),
        trace_id: worst.trace.trace_id().to_bytes().to_vec(),
        filtered_attributes: Vec::new(),
    }
}
