//! Exported names: metric names and tag keys in formats that allow fewer characters than a
//! collector.
//!
//! A name is assigned when its metric or tag key first enters a snapshot, and is kept for the
//! collector's life, whatever else appears, is hidden or goes: no series is ever exported under
//! another one's name. Snapshots carry the names, and all formats share them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::series::metric::{Kind, Unit};

/// The suffix of a counter's name.
const TOTAL: &str = "_total";

/// The exported name of every metric of a collector, or of a merge of collectors.
///
/// Names of metrics that have left the snapshots are kept, so that nothing else gets them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedNames {
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(super) prefix: Arc<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) constants: Vec<ConstantLabel>,
    pub(super) metrics: BTreeMap<Arc<str>, MetricNames>,
    pub(super) renamed: usize,
}

/// A label that exports add to every series; see
/// [`Builder::export_label`](crate::Builder::export_label).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstantLabel {
    /// The key as it was given.
    pub key: Arc<str>,
    /// The key in Prometheus's grammar.
    pub label: String,
    /// The value; never empty.
    pub value: Arc<str>,
}

impl ExportedNames {
    /// The names of a metric; every metric in the snapshot has some.
    pub fn metric(&self, name: &str) -> Option<&MetricNames> {
        self.metrics.get(name)
    }

    /// What exported names begin with, as it was given; see
    /// [`Builder::export_prefix`](crate::Builder::export_prefix). May be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A name in Prometheus's grammar, with the prefix before it.
    pub fn prefixed(&self, name: &str) -> String {
        match &*self.prefix {
            "" => name.to_owned(),
            prefix => format!("{}_{name}", sanitized(prefix, |c| is_allowed(c, true))),
        }
    }

    /// The labels of every series besides its tags, sorted by key.
    pub fn constants(&self) -> &[ConstantLabel] {
        &self.constants
    }

    /// The number of metrics and tag keys that got a numeric suffix because their name was taken or
    /// reserved.
    pub fn renamed(&self) -> usize {
        self.renamed
    }
}

/// The exported names of one metric and its tag keys, in Prometheus's grammar, which all other
/// formats allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricNames {
    pub(super) kind: Kind,
    pub(super) base: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) unit: String,
    /// By tag key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<Arc<str>, String>,
}

impl MetricNames {
    /// The names of a metric if no other metric collides with it. A timing's unit is always
    /// seconds.
    pub fn new(name: &str, kind: Kind, unit: &Unit) -> Self {
        let unit = if kind == Kind::Timing { &Unit::Seconds } else { unit };
        let unit = exported_unit(unit);
        let name = sanitized(name, |c| is_allowed(c, true));
        let mut stem = &*name;
        if kind == Kind::Counter {
            stem = stem.strip_suffix(TOTAL).unwrap_or(stem);
        }
        stem = stem.strip_suffix(&*with_unit("", &unit)).unwrap_or(stem);
        let stem = if stem.is_empty() { "metric" } else { stem };
        Self { kind, base: with_unit(stem, &unit), unit, labels: BTreeMap::new() }
    }

    /// The name with the unit, but without a counter's `_total`: OpenMetrics's family name.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The name of a kind's samples: the base, plus `_total` for a counter.
    pub fn full(&self, kind: Kind) -> String {
        let total = if kind == Kind::Counter { TOTAL } else { "" };
        format!("{}{total}", self.base)
    }

    /// The unit at the end of the base; may be empty. A unit that the metric is given later is not
    /// in it.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The label of a tag key; every key in the snapshot's series has one.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    /// The base without its unit: suffixes are added here.
    pub(super) fn stem(&self) -> &str {
        self.base.strip_suffix(&*with_unit("", &self.unit)).unwrap_or(&self.base)
    }

    /// The same names with another stem.
    pub(super) fn with_stem(&self, stem: &str) -> Self {
        Self { base: with_unit(stem, &self.unit), ..self.clone() }
    }

    /// Every name that a family has in any of the formats.
    pub(super) fn forms(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            Kind::Timing | Kind::Histogram => &["", "_sum", "_count", "_bucket", "_created"],
            Kind::Counter => &["", TOTAL, "_created"],
            Kind::UpDownCounter | Kind::Gauge => &[""],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.base)).collect()
    }
}

/// A unit in the form that ends a name; empty if there is none.
fn exported_unit(unit: &Unit) -> String {
    match unit.name() {
        "" => String::new(),
        unit => sanitized(unit, |c| is_allowed(c, false)),
    }
}

fn with_unit(stem: &str, unit: &str) -> String {
    if unit.is_empty() { stem.to_owned() } else { format!("{stem}_{unit}") }
}

pub(super) fn is_allowed(c: char, colons: bool) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':')
}

/// A name with every character that is not allowed replaced by `_`, and no leading digit.
pub(super) fn sanitized(name: &str, allowed: impl Fn(char) -> bool) -> String {
    let lead =
        if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { "_" } else { "" };
    let rest = name.chars().map(|c| if allowed(c) { c } else { '_' });
    lead.chars().chain(rest).collect()
}
