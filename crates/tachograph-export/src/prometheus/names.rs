//! What metrics and tags are called in Prometheus's formats.

use std::collections::{BTreeMap, BTreeSet};

use tachograph::{Kind, Metric, Series, Unit};

use super::claims::Claims;

pub(super) const TOTAL: &str = "_total";

/// The names of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// With the unit, without `_total`: what OpenMetrics calls the family.
    pub(super) base: String,
    /// The unit as it ends the base; may be empty.
    pub(super) unit: String,
}

impl Names {
    /// The names of a metric for which nothing is taken yet.
    pub(super) fn new(name: &str, kind: Kind, unit: &Unit) -> Self {
        let (stem, unit) = stem(name, kind, unit);
        Self { base: with_unit(&stem, &unit), unit }
    }

    /// The names of a metric among others.
    pub(super) fn claimed(metric: &Metric, claims: &mut Claims) -> Self {
        let (stem, unit) = stem(&metric.name, metric.kind, &metric.unit);
        let forms = |stem: &str| forms(&with_unit(stem, &unit), metric.kind);
        let stem = claims.claim(Some(stem.clone()), stem, forms);
        Self { base: with_unit(&stem, &unit), unit }
    }

    /// What the text format and protobuf call the family.
    pub(super) fn full(&self, kind: Kind) -> String {
        let total = if kind == Kind::Counter { TOTAL } else { "" };
        format!("{}{total}", self.base)
    }
}

/// A metric's name up to where a suffix would go, and its unit.
fn stem(name: &str, kind: Kind, unit: &Unit) -> (String, String) {
    let name = sanitized(name, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let unit = match unit.name() {
        "" => String::new(),
        unit => sanitized(unit, |c| c.is_ascii_alphanumeric() || c == '_'),
    };
    let mut stem = &*name;
    if kind == Kind::Counter {
        stem = stem.strip_suffix(TOTAL).unwrap_or(stem);
    }
    stem = stem.strip_suffix(&*with_unit("", &unit)).unwrap_or(stem);
    (stem.to_owned(), unit)
}

fn with_unit(stem: &str, unit: &str) -> String {
    if unit.is_empty() { stem.to_owned() } else { format!("{stem}_{unit}") }
}

/// Every name that a family has in the text format or in OpenMetrics.
fn forms(base: &str, kind: Kind) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        Kind::Timing | Kind::Histogram => &["", "_sum", "_count", "_bucket", "_created"],
        Kind::Counter => &["", TOTAL, "_created"],
        Kind::UpDownCounter | Kind::Gauge => &[""],
    };
    suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect()
}

/// The label of each tag key, the same in all series of a family.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    by_key: BTreeMap<String, String>,
    renamed: usize,
}

impl Labels {
    pub(super) fn of<'a>(series: impl Iterator<Item = &'a Series>) -> Self {
        let keys: BTreeSet<_> =
            series.flat_map(|series| series.tags.iter().map(|(key, _)| key)).collect();
        let mut claims = Claims::default();
        let by_key = keys.into_iter().map(|key| (key.to_owned(), label(key, &mut claims)));
        Self { by_key: by_key.collect(), renamed: claims.renamed() }
    }

    /// How many got a suffix.
    pub(super) fn renamed(&self) -> usize {
        self.renamed
    }

    /// Label and value of each tag.
    pub(super) fn tags<'a>(
        &'a self,
        series: &'a Series,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        series.tags.iter().filter_map(|(key, value)| Some((&**self.by_key.get(key)?, value)))
    }
}

fn label(key: &str, claims: &mut Claims) -> String {
    let label = sanitized(key, |c| c.is_ascii_alphanumeric() || c == '_');
    let reserved = matches!(&*label, "le" | "quantile") || label.starts_with("__");
    let stem = renameable(&label);
    let wanted = (!reserved).then_some(label);
    claims.claim(wanted, stem, |label| vec![label.to_owned()])
}

/// A label that does not become a reserved one by a suffix, as `_` would: `__1`.
fn renameable(label: &str) -> String {
    match label.trim_start_matches('_') {
        "" => "tag".to_owned(),
        rest if label.starts_with("__") => sanitized(rest, |_| true),
        _ => label.to_owned(),
    }
}

/// A name in which every character but the allowed ones is `_`, and that starts with no digit.
fn sanitized(name: &str, allowed: impl Fn(char) -> bool) -> String {
    let lead =
        if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { "_" } else { "" };
    let rest = name.chars().map(|c| if allowed(c) { c } else { '_' });
    lead.chars().chain(rest).collect()
}
