//! One metric with the points of its series.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use tachograph::{Series, TimingStats, Value};

use super::attributes::Attributes;
use super::message::{Data, Exemplar, ExemplarValue, Metric};
use super::point::{
    AggregationTemporality, Buckets, ExponentialHistogram, ExponentialHistogramDataPoint,
    ExponentialHistogramFields, Gauge, Number, NumberDataPoint, NumberFields, Sum,
};
use super::settings::{Resolution, Settings, Temporality};
use super::unit;
use crate::exponential::{Exponential, SCALE_MAX, ZERO_THRESHOLD};

/// The time that points are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The end of every point's.
    pub(super) now: SystemTime,
    /// The start of gains.
    pub(super) since: Option<SystemTime>,
}

impl Times {
    /// Start and end of a series' gain or lifetime, in nanoseconds since 1970. A wall clock that
    /// was set back may have the end before the start.
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

/// What all points of a metric have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) times: Times,
    /// The stand-in for an empty key of a tag.
    pub(super) keyless: &'a str,
}

/// A metric of at least one series, all of one kind; `None` where no series has a point.
pub(super) fn metric<'a>(
    name: Cow<'a, str>,
    series: &[&'a Series],
    context: Context<'a>,
) -> Option<Metric<'a>> {
    let told = &series[0].metric;
    let data = match &series[0].value {
        Value::Gauge(_) => Data::Gauge(Gauge { data_points: gauges(series, context) }),
        Value::Counter(_) | Value::UpDownCounter(_) => sum(series, context),
        Value::Timing(_) | Value::Histogram(_) => histogram(series, context),
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
    /// How many data points it has.
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
        // A level has no start.
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
        // Floats hold what integers of 64 bits with a sign do not, rounded.
        let value = i64::try_from(value).map_or(Number::AsDouble(value as f64), Number::AsInt);
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

fn histogram<'a>(series: &[&'a Series], context: Context<'a>) -> Data<'a> {
    let Context { settings, times, keyless } = context;
    let temporality = match settings.temporality {
        Temporality::Delta => AggregationTemporality::Delta,
        Temporality::Cumulative => AggregationTemporality::Cumulative,
    };
    let mut exponential = Exponential::default();
    let point = |series: &&'a Series| {
        let stats = &series.value.as_timing()?.lifetime;
        fit(&mut exponential, stats, settings.resolution);
        let exemplars = series.exemplar.as_deref().map(exemplar).into_iter().collect();
        let told = distribution(stats, times.of(series), &exponential, exemplars);
        Some(ExponentialHistogramDataPoint {
            attributes: Attributes::new(&series.tags, keyless),
            told,
        })
    };
    let data_points = series.iter().filter_map(point).collect();
    let aggregation_temporality = temporality.into();
    Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
}

/// Puts a distribution into buckets at the scale that is asked for.
fn fit(exponential: &mut Exponential, stats: &TimingStats, resolution: Resolution) {
    match resolution {
        Resolution::Scale(scale) => exponential.fill(stats.buckets(), scale),
        Resolution::MaxBuckets(max) => {
            exponential.fill(stats.buckets(), SCALE_MAX);
            exponential.coarsen_to(max);
        }
    }
}

fn distribution(
    stats: &TimingStats,
    (start, end): (u64, u64),
    exponential: &Exponential,
    exemplars: Vec<Exemplar>,
) -> ExponentialHistogramFields {
    ExponentialHistogramFields {
        start_time_unix_nano: start,
        time_unix_nano: end,
        count: stats.count,
        sum: Some(stats.sum),
        scale: exponential.scale(),
        zero_count: exponential.zero_count(),
        positive: dense(exponential),
        exemplars,
        min: stats.min,
        max: stats.max,
        zero_threshold: ZERO_THRESHOLD,
    }
}

fn exemplar(worst: &tachograph::Exemplar) -> Exemplar {
    let span_id = worst.trace.span_id();
    Exemplar {
        time_unix_nano: nanos(worst.timestamp),
        value: Some(ExemplarValue::AsDouble(worst.value)),
        span_id: span_id.map_or_else(Vec::new, |id| id.to_bytes().into()),
        trace_id: worst.trace.trace_id().to_bytes().into(),
    }
}

/// Every bucket from the first with samples to the last.
fn dense(exponential: &Exponential) -> Option<Buckets> {
    let buckets = exponential.buckets();
    let (first, last) = (buckets.first()?.0, buckets.last()?.0);
    let place = |index: i32| (index - first).unsigned_abs() as usize;
    let mut bucket_counts = vec![0; place(last) + 1];
    for (index, count) in buckets {
        bucket_counts[place(*index)] = *count;
    }
    // OTLP counts from a bucket's lower edge.
    Some(Buckets { offset: first - 1, bucket_counts })
}
