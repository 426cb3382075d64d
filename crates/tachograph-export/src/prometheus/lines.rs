//! Samples as lines, in the text format and in OpenMetrics.

use std::time::SystemTime;

use tachograph::{Exemplar, Kind, Series, Snapshot, TimingStats, Value, Views};

use super::exemplar::{push_exemplar, within};
use super::family::Family;
use super::number::{push_count, push_float, push_integer, push_seconds};

/// What the two formats of lines do not have in common.
pub(super) struct Dialect {
    /// Appends what stands before a family's samples.
    pub(super) head: fn(&mut String, &Head<'_>),
    /// Whether lines say when a series was created.
    pub(super) created: bool,
    /// Whether buckets have exemplars.
    pub(super) exemplars: bool,
    /// A space and the time of the snapshot, or nothing.
    pub(super) stamp: String,
}

/// What is said of a family.
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
    /// What the lines of a series with several of one name begin with. Kept for its memory.
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

    /// Writes a gauge that is not of the snapshot.
    pub(super) fn own_gauge(&mut self, name: &str, help: &str, value: usize) {
        (self.dialect.head)(self.out, &Head { base: name, name, unit: "", kind: "gauge", help });
        self.push(&[name, " "]);
        self.integer(value as i128);
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
                // A difference of a counter that went back is below 0, which no parser accepts.
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

    /// What the next lines begin with, up to the label that tells them apart.
    fn begin(&mut self, name: &str, suffix: &str, labels: &str) {
        self.start.clear();
        let comma = if labels.is_empty() { "" } else { "," };
        for part in [name, suffix, "{", labels, comma] {
            self.start.push_str(part);
        }
    }

    /// A bucket's line.
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

    /// Begins the only line of a name that a series has.
    fn sole(&mut self, name: &str, suffix: &str, labels: &str) {
        match labels {
            "" => self.push(&[name, suffix, " "]),
            labels => self.push(&[name, suffix, "{", labels, "} "]),
        }
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.out.push_str(part));
    }

    /// A counter's value in its unit: whole, unless it has a scale.
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
        // A copy of nothing is a call too.
        if !self.dialect.stamp.is_empty() {
            self.out.push_str(&self.dialect.stamp);
        }
    }
}
