//! The protobuf format: length-delimited families with native histograms.

use std::time::SystemTime;

use prost::encoding::message;
use prost::{Message, encode_length_delimiter};
use tachograph::{ExportedNames, Kind, Series, Snapshot, TimingStats, Value, Views};

use super::escape::{INSTEAD_OF_NUL, label_value};
use super::family::{Family, constants, labels};
use super::message::{
    Counter, Gauge, LabelPair, METRIC, Metric, MetricFamily, MetricType, Quantile, Summary,
    Timestamp,
};
use super::{RENAMED, RENAMED_HELP};
use crate::exponential::Exponential;
use crate::time::milliseconds;

/// Writes families, one after another. Its fields are kept for their allocations.
pub(super) struct Messages<'a> {
    names: &'a ExportedNames,
    out: &'a mut Vec<u8>,
    /// The family being written: its length must come first.
    body: Vec<u8>,
    metric: Metric,
    exponential: Exponential,
}

impl<'a> Messages<'a> {
    pub(super) fn new(
        timestamp: Option<SystemTime>,
        names: &'a ExportedNames,
        out: &'a mut Vec<u8>,
    ) -> Self {
        let milliseconds = |time| i64::try_from(milliseconds(time)).unwrap_or(i64::MAX);
        let metric = Metric { timestamp_ms: timestamp.map(milliseconds), ..Metric::default() };
        Self { names, out, body: Vec::new(), metric, exponential: Exponential::default() }
    }

    /// Writes a family with all its series.
    pub(super) fn family(&mut self, family: &Family, snapshot: &Snapshot) {
        let head = MetricFamily {
            name: family.name.clone(),
            help: family.help.replace('\0', INSTEAD_OF_NUL),
            r#type: metric_type(family).into(),
            unit: family.names.unit().to_owned(),
        };
        append(&head, &mut self.body);
        for (series, _) in family.series(snapshot) {
            self.take_on(family, series);
            self.metric.label.extend(constants(self.names).map(pair));
            self.metric.label.extend(labels(&family.names, series).map(pair));
            self.metric();
        }
        self.end();
    }

    /// Writes the gauge that counts suffixes, which is not part of the snapshot.
    pub(super) fn renamed(&mut self) {
        let head = MetricFamily {
            name: self.names.prefixed(RENAMED),
            help: RENAMED_HELP.to_owned(),
            r#type: MetricType::Gauge.into(),
            unit: String::new(),
        };
        append(&head, &mut self.body);
        self.forget();
        self.metric.label.extend(constants(self.names).map(pair));
        self.metric.gauge = Some(Gauge { value: Some(self.names.renamed() as f64) });
        self.metric();
        self.end();
    }

    fn metric(&mut self) {
        message::encode(METRIC, &self.metric, &mut self.body);
    }

    fn end(&mut self) {
        encode_length_delimiter(self.body.len(), self.out).expect(GROWS);
        self.out.append(&mut self.body);
    }

    /// Copies the values of a series into the metric.
    fn take_on(&mut self, family: &Family, series: &Series) {
        let created = Timestamp::new(series.created);
        match &series.value {
            Value::Timing(views) | Value::Histogram(views) if family.is_histogram() => {
                self.histogram(family, series, &views.lifetime, created);
            }
            Value::Timing(views) | Value::Histogram(views) => {
                self.summary(family, views, created);
            }
            Value::Counter(views) => {
                self.forget();
                let value = series.metric.scaled(views.lifetime.value.max(0) as f64);
                self.metric.counter = Some(Counter { value, created_timestamp: Some(created) });
            }
            Value::UpDownCounter(views) => {
                self.gauge(series.metric.scaled(views.lifetime.value as f64))
            }
            Value::Gauge(views) => self.gauge(views.lifetime.current.unwrap_or(f64::NAN)),
        }
    }

    fn gauge(&mut self, value: f64) {
        self.forget();
        self.metric.gauge = Some(Gauge { value: Some(value) });
    }

    fn histogram(
        &mut self,
        family: &Family,
        series: &Series,
        stats: &TimingStats,
        created: Timestamp,
    ) {
        let mut histogram = self.metric.histogram.take().unwrap_or_default();
        self.forget();
        histogram.start(stats, created);
        let exemplar = series.exemplar.as_deref().copied();
        if let Some(schema) = family.schema {
            self.exponential.fill(stats.buckets(), schema.get());
            histogram.native(schema, &self.exponential, exemplar);
        }
        if let Some(edges) = &family.edges {
            histogram.classic(edges, stats, exemplar);
        }
        self.metric.histogram = Some(histogram);
    }

    fn summary(&mut self, family: &Family, views: &Views<TimingStats>, created: Timestamp) {
        let mut quantile = self.metric.summary.take().unwrap_or_default().quantile;
        self.forget();
        quantile.clear();
        let stats = family.quantiles(views);
        quantile.extend(
            [
                (0.5, stats.p50),
                (0.9, stats.p90),
                (0.95, stats.p95),
                (0.99, stats.p99),
                (0.999, stats.p999),
            ]
            .map(|(quantile, value)| Quantile { quantile, value: value.unwrap_or(f64::NAN) }),
        );
        self.metric.summary = Some(Summary {
            sample_count: views.lifetime.count,
            sample_sum: views.lifetime.sum,
            quantile,
            created_timestamp: Some(created),
        });
    }

    /// Clears the previous metric's values; only its time still applies.
    fn forget(&mut self) {
        let mut label = std::mem::take(&mut self.metric.label);
        label.clear();
        let timestamp_ms = self.metric.timestamp_ms;
        self.metric = Metric { label, timestamp_ms, ..Metric::default() };
    }
}

fn pair((label, value): (&str, &str)) -> LabelPair {
    LabelPair { name: label.to_owned(), value: label_value(value).into_owned() }
}

fn metric_type(family: &Family) -> MetricType {
    match family.kind() {
        Kind::Counter => MetricType::Counter,
        Kind::UpDownCounter | Kind::Gauge => MetricType::Gauge,
        Kind::Timing | Kind::Histogram if family.is_histogram() => MetricType::Histogram,
        Kind::Timing | Kind::Histogram => MetricType::Summary,
    }
}

const GROWS: &str = "memory accepts every write";

fn append(message: &impl Message, to: &mut Vec<u8>) {
    message.encode(to).expect(GROWS);
}
