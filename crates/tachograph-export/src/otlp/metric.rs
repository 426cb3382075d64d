//! One metric with the points of its series.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use tachograph::{Series, Value};

use super::attributes::Attributes;
use super::fits::Fit;
use super::message::{Data, Exemplar, ExemplarValue, Metric};
use super::point::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint,
    ExponentialHistogramFields, Gauge, Number, NumberDataPoint, NumberFields, Sum,
};
use super::settings::{Settings, Temporality};
use super::unit;
use crate::exponential::ZERO_THRESHOLD;

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

/// A metric of at least one series, all of the same kind; `None` if no series has a point.
pub(super) fn metric<'a>(
    name: Cow<'a, str>,
    series: &[&'a Series],
    context: Context<'a>,
    fits: &mut impl Iterator<Item = Fit<'a>>,
) -> Option<Metric<'a>> {
    let told = &series[0].metric;
    let data = match &series[0].value {
        Value::Gauge(_) => Data::Gauge(Gauge { data_points: gauges(series, context) }),
        Value::Counter(_) | Value::UpDownCounter(_) => sum(series, context),
        Value::Timing(_) | Value::Histogram(_) => histogram(series, context, fits),
    };
    let metric = Metric {
        name,
        description: &told.description,
        unit: unit::code(&told.unit),
        data: Some(data),
    };
    (metric.points() > 0).then_some(metric)
}

impl Metric<'_> {
    /// The number of data points.
    pub(super) fn points(&self) -> usize {
        match &self.data {
            None => 0,
            Some(Data::Gauge(gauge)) => gauge.data_points.len(),
            Some(Data::Sum(sum)) => sum.data_points.len(),
            Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        }
    }
}

fn gauges<'a>(series: &[&'a Series], context: Context<'a>) -> Vec<NumberDataPoint<'a>> {
    let point = |series: &&'a Series| {
        let current = series.value.as_gauge()?.lifetime.current?;
        // A level has no start time.
        let end = context.times.of(series).1;
        Some(number(series, context.keyless, (0, end), Number::AsDouble(current)))
    };
    series.iter().filter_map(point).collect()
}

fn sum<'a>(series: &[&'a Series], context: Context<'a>) -> Data<'a> {
    let Context { settings, times, keyless } = context;
    let is_monotonic = matches!(series[0].value, Value::Counter(_));
    let temporality = match settings.temporality {
        Temporality::Delta if is_monotonic => AggregationTemporality::Delta,
        _ => AggregationTemporality::Cumulative,
    };
    let times = if is_monotonic { times } else { Times { since: None, ..times } };
    let point = |series: &&'a Series| {
        let value = series.value.as_counter()?.lifetime.value;
        // Integers beyond `i64` become floats, rounded.
        let value = match i64::try_from(value) {
            Ok(whole) if series.metric.scale == 1.0 => Number::AsInt(whole),
            _ => Number::AsDouble(series.metric.scaled(value as f64)),
        };
        Some(number(series, keyless, times.of(series), value))
    };
    let data_points = series.iter().filter_map(point).collect();
    Data::Sum(Sum { data_points, aggregation_temporality: temporality.into(), is_monotonic })
}

fn number<'a>(
    series: &'a Series,
    keyless: &'a str,
    (start, end): (u64, u64),
    value: Number,
) -> NumberDataPoint<'a> {
    NumberDataPoint {
        attributes: Attributes::new(&series.tags, keyless),
        told: NumberFields { start_time_unix_nano: start, time_unix_nano: end, value: Some(value) },
    }
}

fn histogram<'a>(
    series: &[&'a Series],
    context: Context<'a>,
    fits: &mut impl Iterator<Item = Fit<'a>>,
) -> Data<'a> {
    let Context { settings, times, keyless } = context;
    let temporality = match settings.temporality {
        Temporality::Delta => AggregationTemporality::Delta,
        Temporality::Cumulative => AggregationTemporality::Cumulative,
    };
    let point = |(series, fit): (&&'a Series, Fit<'a>)| {
        let stats = &series.value.as_timing()?.lifetime;
        let (start, end) = times.of(series);
        let told = ExponentialHistogramFields {
            start_time_unix_nano: start,
            time_unix_nano: end,
            count: stats.count,
            sum: Some(stats.sum),
            scale: fit.scale,
            zero_count: fit.zero_count,
            positive: fit.positive,
            exemplars: series.exemplar.as_deref().map(exemplar),
            min: stats.min,
            max: stats.max,
            zero_threshold: ZERO_THRESHOLD,
        };
        let attributes = Attributes::new(&series.tags, keyless);
        Some(ExponentialHistogramDataPoint { attributes, told })
    };
    let data_points = series.iter().zip(fits).filter_map(point).collect();
    let aggregation_temporality = temporality.into();
    Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
}

fn exemplar(worst: &tachograph::Exemplar) -> Exemplar {
    let span_id = worst.trace.span_id();
    Exemplar {
        time_unix_nano: nanos(worst.timestamp),
        value: Some(ExemplarValue::AsDouble(worst.value)),
        span_id: span_id.map(|id| id.to_bytes()),
        trace_id: worst.trace.trace_id().to_bytes(),
    }
}
