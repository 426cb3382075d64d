//! The protobuf format: families as delimited messages, with native histograms.

use std::time::SystemTime;

use prost::Message;
use tachograph::{Kind, Series, Snapshot, TimingStats, Value};

use super::escape::INSTEAD_OF_NUL;
use super::family::Family;
use super::form::Schema;
use super::message::{
    Bucket, BucketSpan, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
    Quantile, Summary, Timestamp,
};
use crate::exponential::{Exponential, ZERO_THRESHOLD};
use crate::time::milliseconds;

/// Up to so many empty buckets are written as zeros: a new span takes more room.
const GAP_MAX: u32 = 2;

/// Writes families, one after another.
pub(super) struct Messages<'a> {
    timestamp_ms: Option<i64>,
    out: &'a mut Vec<u8>,
    /// Kept for its memory.
    exponential: Exponential,
}

impl<'a> Messages<'a> {
    pub(super) fn new(timestamp: Option<SystemTime>, out: &'a mut Vec<u8>) -> Self {
        let milliseconds = |time| i64::try_from(milliseconds(time)).unwrap_or(i64::MAX);
        let timestamp_ms = timestamp.map(milliseconds);
        Self { timestamp_ms, out, exponential: Exponential::default() }
    }

    /// Writes a family with all its series.
    pub(super) fn family(&mut self, family: &Family, snapshot: &Snapshot) {
        let is_histogram = family.schema.is_some() || family.edges.is_some();
        let kind = match family.kind() {
            Kind::Counter => MetricType::Counter,
            Kind::UpDownCounter | Kind::Gauge => MetricType::Gauge,
            Kind::Timing | Kind::Histogram if is_histogram => MetricType::Histogram,
            Kind::Timing | Kind::Histogram => MetricType::Summary,
        };
        let series = family.series(snapshot);
        let metric = series.map(|(series, _)| self.metric(family, series)).collect();
        self.push(&MetricFamily {
            name: family.name.clone(),
            help: without_nul(&family.help),
            r#type: kind.into(),
            metric,
            unit: family.names.unit.clone(),
        });
    }

    /// Writes a gauge that is not of the snapshot.
    pub(super) fn own_gauge(&mut self, name: &str, help: &str, value: usize) {
        let gauge = Some(Gauge { value: Some(value as f64) });
        self.push(&MetricFamily {
            name: name.to_owned(),
            help: help.to_owned(),
            r#type: MetricType::Gauge.into(),
            metric: vec![Metric { gauge, timestamp_ms: self.timestamp_ms, ..Metric::default() }],
            unit: String::new(),
        });
    }

    fn push(&mut self, family: &MetricFamily) {
        family.encode_length_delimited(self.out).expect("memory accepts every write");
    }

    fn metric(&mut self, family: &Family, series: &Series) -> Metric {
        let label = family
            .labels
            .tags(series)
            .map(|(label, value)| LabelPair { name: label.to_owned(), value: without_nul(value) });
        let mut metric =
            Metric { label: label.collect(), timestamp_ms: self.timestamp_ms, ..Metric::default() };
        let created_timestamp = Some(timestamp(series.created));
        match &series.value {
            Value::Timing(views) | Value::Histogram(views) => {
                let stats = &views.lifetime;
                if family.edges.is_none() && family.schema.is_none() {
                    metric.summary = Some(Summary { created_timestamp, ..summary(stats) });
                } else {
                    let histogram = self.histogram(family, stats);
                    metric.histogram = Some(Histogram { created_timestamp, ..histogram });
                }
            }
            Value::Counter(views) => {
                let value = views.lifetime.value as f64;
                metric.counter = Some(Counter { value, created_timestamp });
            }
            Value::UpDownCounter(views) => {
                metric.gauge = Some(Gauge { value: Some(views.lifetime.value as f64) });
            }
            Value::Gauge(views) => {
                let value = Some(views.lifetime.current.unwrap_or(f64::NAN));
                metric.gauge = Some(Gauge { value });
            }
        }
        metric
    }

    fn histogram(&mut self, family: &Family, stats: &TimingStats) -> Histogram {
        let mut histogram = match family.schema {
            Some(schema) => self.native(schema, stats),
            None => Histogram::default(),
        };
        if let Some(edges) = &family.edges {
            edges.counts(stats.buckets(), |bound, count| {
                histogram.bucket.push(bucket(bound.value, count));
            });
            histogram.bucket.push(bucket(f64::INFINITY, stats.count));
        }
        histogram.sample_count = stats.count;
        histogram.sample_sum = stats.sum;
        histogram
    }

    fn native(&mut self, schema: Schema, stats: &TimingStats) -> Histogram {
        self.exponential.fill(stats.buckets(), schema.get());
        let buckets = self.exponential.buckets();
        let mut deltas = Deltas::default();
        buckets.iter().for_each(|(index, count)| deltas.push(*index, *count));
        Histogram {
            schema: schema.get(),
            zero_threshold: ZERO_THRESHOLD,
            zero_count: self.exponential.zero_count(),
            positive_span: deltas.spans,
            positive_delta: deltas.deltas,
            ..Histogram::default()
        }
    }
}

/// Buckets as runs of neighbours, and each count less the one before.
#[derive(Default)]
struct Deltas {
    spans: Vec<BucketSpan>,
    deltas: Vec<i64>,
    /// The index after the last bucket.
    next: i32,
    count: u64,
}

impl Deltas {
    fn push(&mut self, index: i32, count: u64) {
        let gap = index - self.next;
        match self.spans.last_mut() {
            Some(span) if gap.cast_unsigned() <= GAP_MAX => {
                span.length += gap.cast_unsigned() + 1;
                (0..gap).for_each(|_| self.delta(0));
            }
            _ => self.spans.push(BucketSpan { offset: gap, length: 1 }),
        }
        self.delta(count);
        self.next = index + 1;
    }

    fn delta(&mut self, count: u64) {
        // Counts of 2^63 and more wrap here, and back where they are added up.
        self.deltas.push(count.wrapping_sub(self.count).cast_signed());
        self.count = count;
    }
}

fn bucket(upper_bound: f64, cumulative_count: u64) -> Bucket {
    Bucket { cumulative_count, upper_bound }
}

fn summary(stats: &TimingStats) -> Summary {
    let quantiles = [
        (0.5, stats.p50),
        (0.9, stats.p90),
        (0.95, stats.p95),
        (0.99, stats.p99),
        (0.999, stats.p999),
    ];
    let quantile = |(quantile, value): (f64, Option<f64>)| Quantile {
        quantile,
        value: value.unwrap_or(f64::NAN),
    };
    Summary {
        sample_count: stats.count,
        sample_sum: stats.sum,
        quantile: quantiles.map(quantile).into(),
        created_timestamp: None,
    }
}

/// To the millisecond, as in OpenMetrics.
fn timestamp(time: SystemTime) -> Timestamp {
    let milliseconds = milliseconds(time);
    Timestamp {
        seconds: (milliseconds / 1_000).cast_signed(),
        nanos: (milliseconds % 1_000) as i32 * 1_000_000,
    }
}

/// The text formats cannot hold it, and labels are to be the same in all formats.
fn without_nul(text: &str) -> String {
    text.replace('\0', INSTEAD_OF_NUL)
}
