//! Samples as lines, for the text format and OpenMetrics.

use std::time::SystemTime;

use tachograph::{Exemplar, ExportedNames, Kind, Series, Snapshot, TimingStats, Value, Views};

use super::exemplar::{push_exemplar, within};
use super::family::{Family, constants, push_labels};
use super::number::{push_count, push_float, push_integer, push_seconds};
use super::{RENAMED, RENAMED_HELP};

/// The differences between the two line formats.
pub(super) struct Dialect {
    /// Appends the header of a family.
    pub(super) head: fn(&mut String, &Head<'_>),
    /// Whether lines carry creation times.
    pub(super) created: bool,
    /// Whether buckets carry exemplars.
    pub(super) exemplars: bool,
    /// A space and the snapshot's time, or nothing.
    pub(super) stamp: String,
}

/// The contents of a family's header.
pub(super) struct Head<'a> {
    pub(super) base: &'a str,
    pub(super) name: &'a str,
    pub(super) unit: &'a str,
    pub(super) kind: &'a str,
    pub(super) help: &'a str,
}

/// Writes families, one after another.
pub(super) struct Lines<'a> {
    dialect: &'a Dialect,
    out: &'a mut String,
    /// The common start of the lines of a series. Kept for its allocation.
    start: String,
}

impl<'a> Lines<'a> {
    pub(super) fn new(dialect: &'a Dialect, out: &'a mut String) -> Self {
        Self { dialect, out, start: String::new() }
    }

    /// Writes a family with all its series.
    pub(super) fn family(&mut self, family: &Family, snapshot: &Snapshot) {
        let kind = match family.kind() {
            Kind::Counter => "counter",
            Kind::UpDownCounter | Kind::Gauge => "gauge",
            Kind::Timing | Kind::Histogram if family.edges.is_some() => "histogram",
            Kind::Timing | Kind::Histogram => "summary",
        };
        let (base, unit) = (family.names.base(), family.names.unit());
        let (name, help) = (&*family.name, &*family.help);
        (self.dialect.head)(self.out, &Head { base, name, unit, kind, help });
        for (series, text) in family.series(snapshot) {
            self.series(family, series, text);
        }
    }

    /// Writes the gauge that counts suffixes, which is not part of the snapshot.
    pub(super) fn renamed(&mut self, names: &ExportedNames) {
        let (name, help) = (&*names.prefixed(RENAMED), RENAMED_HELP);
        (self.dialect.head)(self.out, &Head { base: name, name, unit: "", kind: "gauge", help });
        self.start.clear();
        push_labels(&mut self.start, constants(names));
        let labels = std::mem::take(&mut self.start);
        self.sole(name, "", &labels);
        self.integer(names.renamed() as i128);
    }

    fn series(&mut self, family: &Family, series: &Series, text: &str) {
        match &series.value {
            Value::Timing(views) | Value::Histogram(views) => {
                let exemplar =
                    series.exemplar.as_deref().copied().filter(|_| self.dialect.exemplars);
                self.distribution(family, views, exemplar, text);
                if self.dialect.created {
                    self.sole(family.names.base(), "_created", text);
                    self.time(series.created);
                }
            }
            Value::Counter(views) => {
                self.out.push_str(text);
                // The difference of a counter that decreased is negative, which no parser accepts.
                self.count(series, views.lifetime.value.max(0));
                if self.dialect.created {
                    let labels = &text[family.name.len()..];
                    self.push(&[family.names.base(), "_created", labels]);
                    self.time(series.created);
                }
            }
            Value::UpDownCounter(views) => {
                self.out.push_str(text);
                self.count(series, views.lifetime.value);
            }
            Value::Gauge(views) => {
                self.out.push_str(text);
                self.float(views.lifetime.current);
            }
        }
    }

    fn distribution(
        &mut self,
        family: &Family,
        views: &Views<TimingStats>,
        mut exemplar: Option<Exemplar>,
        labels: &str,
    ) {
        let (name, stats) = (&family.name, &views.lifetime);
        match &family.edges {
            Some(edges) => {
                self.begin(name, "_bucket", labels);
                edges.counts(stats.buckets(), |bound, count| {
                    self.bucket(&bound.label, count, within(&mut exemplar, bound.value));
                });
                self.bucket("le=\"+Inf\"} ", stats.count, exemplar);
            }
            None => {
                self.begin(name, "", labels);
                self.quantiles(family.quantiles(views));
            }
        }
        self.sole(name, "_sum", labels);
        self.float(Some(stats.sum));
        self.sole(name, "_count", labels);
        self.integer(stats.count.into());
    }

    fn quantiles(&mut self, stats: &TimingStats) {
        for (label, value) in [
            ("quantile=\"0.5\"} ", stats.p50),
            ("quantile=\"0.9\"} ", stats.p90),
            ("quantile=\"0.95\"} ", stats.p95),
            ("quantile=\"0.99\"} ", stats.p99),
            ("quantile=\"0.999\"} ", stats.p999),
        ] {
            self.push_start(label);
            self.float(value);
        }
    }

    /// Sets the start of the following lines, up to the label that differs.
    fn begin(&mut self, name: &str, suffix: &str, labels: &str) {
        self.start.clear();
        let comma = if labels.is_empty() { "" } else { "," };
        for part in [name, suffix, "{", labels, comma] {
            self.start.push_str(part);
        }
    }

    /// Writes a bucket's line.
    fn bucket(&mut self, label: &str, count: u64, exemplar: Option<Exemplar>) {
        self.push_start(label);
        push_count(self.out, count);
        self.stamp();
        if let Some(exemplar) = exemplar {
            push_exemplar(self.out, &exemplar);
        }
        self.out.push('\n');
    }

    fn push_start(&mut self, label: &str) {
        self.out.push_str(&self.start);
        self.out.push_str(label);
    }

    /// Begins the line of a name that the series uses only once.
    fn sole(&mut self, name: &str, suffix: &str, labels: &str) {
        match labels {
            "" => self.push(&[name, suffix, " "]),
            labels => self.push(&[name, suffix, "{", labels, "} "]),
        }
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.out.push_str(part));
    }

    /// Appends a counter's value in its unit: an integer, or a float if the metric has a scale.
    fn count(&mut self, series: &Series, value: i128) {
        if series.metric.scale == 1.0 {
            self.integer(value);
        } else {
            self.float(Some(series.metric.scaled(value as f64)));
        }
    }

    fn integer(&mut self, value: i128) {
        push_integer(self.out, value);
        self.end();
    }

    fn float(&mut self, value: Option<f64>) {
        push_float(self.out, value);
        self.end();
    }

    fn time(&mut self, time: SystemTime) {
        push_seconds(self.out, time);
        self.end();
    }

    fn end(&mut self) {
        self.stamp();
        self.out.push('\n');
    }

    fn stamp(&mut self) {
        // Even an empty copy costs a call.
        if !self.dialect.stamp.is_empty() {
            self.out.push_str(&self.dialect.stamp);
        }
    }
}
