//! A family: all series of one metric.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use tachograph::{Kind, Metric, Series, TimingStats, Value};

use super::claims::Claims;
use super::text;

/// One metric with its final names.
pub(super) struct Family<'a> {
    /// With unit and `_total`.
    name: String,
    metric: &'a Metric,
    series: Vec<&'a Series>,
    /// The label of each tag key.
    labels: BTreeMap<&'a str, String>,
    renamed_labels: usize,
}

impl<'a> Family<'a> {
    pub(super) fn new(name: &str, series: Vec<&'a Series>, claims: &mut Claims) -> Self {
        let metric = &*series[0].metric;
        let (stem, unit) = stem(name, metric);
        let forms = |stem: &str| forms(&format!("{stem}{unit}"), metric.kind);
        let base = claims.claim(Some(stem.clone()), stem, forms) + &unit;
        let name = if metric.kind == Kind::Counter { base + TOTAL } else { base };
        let (labels, renamed_labels) = labels(&series);
        Self { name, metric, series, labels, renamed_labels }
    }

    pub(super) fn renamed_labels(&self) -> usize {
        self.renamed_labels
    }

    pub(super) fn write(&self, out: &mut String) {
        let kind = match self.metric.kind {
            Kind::Timing | Kind::Histogram => "summary",
            Kind::Counter => "counter",
            Kind::UpDownCounter | Kind::Gauge => "gauge",
        };
        match &*self.metric.description {
            "" => {
                let told = format!("{} {}", self.metric.kind.name(), self.metric.name);
                text::head(out, &self.name, kind, &told);
            }
            told => text::head(out, &self.name, kind, told),
        }
        for series in &self.series {
            self.write_series(series, out);
        }
    }

    fn write_series(&self, series: &Series, out: &mut String) {
        let labels = self.labels_of(series);
        match &series.value {
            Value::Timing(views) | Value::Histogram(views) => {
                self.write_summary(&views.lifetime, &labels, out);
            }
            Value::Counter(views) | Value::UpDownCounter(views) => {
                text::sample(out, &self.name, "", &labels, views.lifetime.value);
            }
            Value::Gauge(views) => {
                let current = text::Float(views.lifetime.current);
                text::sample(out, &self.name, "", &labels, current);
            }
        }
    }

    fn write_summary(&self, stats: &TimingStats, labels: &str, out: &mut String) {
        let quantiles = [
            ("0.5", stats.p50),
            ("0.9", stats.p90),
            ("0.95", stats.p95),
            ("0.99", stats.p99),
            ("0.999", stats.p999),
        ];
        for (quantile, value) in quantiles {
            let comma = if labels.is_empty() { "" } else { "," };
            let labels = format!("{labels}{comma}quantile=\"{quantile}\"");
            text::sample(out, &self.name, "", &labels, text::Float(value));
        }
        text::sample(out, &self.name, "_sum", labels, text::Float(Some(stats.sum)));
        text::sample(out, &self.name, "_count", labels, stats.count);
    }

    fn labels_of(&self, series: &Series) -> String {
        let mut text = String::new();
        for (i, (key, value)) in series.tags.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            // Infallible: memory accepts every write.
            let _ = write!(text, "{comma}{}=\"{}\"", self.labels[key], text::Escaped::label(value));
        }
        text
    }
}

const TOTAL: &str = "_total";

/// A metric's name up to where a suffix would go, and its unit.
fn stem(name: &str, metric: &Metric) -> (String, String) {
    let name = text::sanitized(name, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let unit = match metric.unit.name() {
        "" => String::new(),
        unit => format!("_{}", text::sanitized(unit, |c| c.is_ascii_alphanumeric() || c == '_')),
    };
    let mut stem = &*name;
    if metric.kind == Kind::Counter {
        stem = stem.strip_suffix(TOTAL).unwrap_or(stem);
    }
    stem = stem.strip_suffix(&*unit).unwrap_or(stem);
    (stem.to_owned(), unit)
}

/// Every name that a family has here or in OpenMetrics.
fn forms(base: &str, kind: Kind) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        Kind::Timing | Kind::Histogram => &["", "_sum", "_count", "_bucket", "_created"],
        Kind::Counter => &["", TOTAL, "_created"],
        Kind::UpDownCounter | Kind::Gauge => &[""],
    };
    suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect()
}

/// The label of each tag key, the same in all series of a family, and how many got a suffix.
fn labels<'a>(series: &[&'a Series]) -> (BTreeMap<&'a str, String>, usize) {
    let keys: BTreeSet<&str> =
        series.iter().flat_map(|series| series.tags.iter().map(|(key, _)| key)).collect();
    let mut claims = Claims::default();
    let label = |key| {
        let label = text::sanitized(key, |c| c.is_ascii_alphanumeric() || c == '_');
        let reserved = matches!(&*label, "le" | "quantile") || label.starts_with("__");
        let stem = renameable(&label);
        let wanted = (!reserved).then_some(label);
        (key, claims.claim(wanted, stem, |label| vec![label.to_owned()]))
    };
    let labels = keys.into_iter().map(label).collect();
    (labels, claims.renamed())
}

/// A label that does not become a reserved one by a suffix, as `_` would: `__1`.
fn renameable(label: &str) -> String {
    match label.trim_start_matches('_') {
        "" => "tag".to_owned(),
        rest if label.starts_with("__") => text::sanitized(rest, |_| true),
        _ => label.to_owned(),
    }
}
