//! Definitions: the series behind the numbers in frames.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tachograph::{ExportedNames, Kind, MetricNames, Series, Snapshot, Unit};

/// A series, and its number in frames. A number is never reused for another series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The series' number in frames.
    pub number: u32,
    /// The display key: `name` or `name[k1=v1,k2=v2]`.
    pub key: Arc<str>,
    /// The metric's name.
    pub name: Arc<str>,
    /// The tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How its samples are aggregated.
    pub kind: Kind,
    /// The unit of every value.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unit: Unit,
    /// One sentence for people; may be empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub description: Arc<str>,
    /// The metric's name in Prometheus, including a counter's `_total`; empty if a recording does
    /// not contain it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub exported_name: String,
    /// The tags under their Prometheus labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn is_none(unit: &Unit) -> bool {
    *unit == Unit::None
}

impl Definition {
    /// The definitions of all series of a snapshot, numbered in its order. Rules can be checked
    /// against them.
    pub fn all(snapshot: &Snapshot) -> Vec<Self> {
        let numbered = (0..).zip(snapshot.series());
        numbered.map(|(number, it)| Self::of(number, it, snapshot.exported_names())).collect()
    }

    /// The definition of a snapshot's series, given its exported names.
    pub(crate) fn of(number: u32, series: &Series, names: &ExportedNames) -> Self {
        let metric = &series.metric;
        let own = || Cow::Owned(MetricNames::new(&metric.name, metric.kind, &metric.unit));
        let exported = names.metric(&metric.name).map_or_else(own, Cow::Borrowed);
        let label = |key: &str| exported.label(key).unwrap_or(key).to_owned();
        let tags = series.tags.iter();
        Self {
            number,
            exported_name: exported.full(metric.kind),
            labels: tags.clone().map(|(key, value)| (label(key), value.to_owned())).collect(),
            key: Arc::clone(&series.key),
            name: Arc::clone(&metric.name),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            kind: metric.kind,
            unit: metric.unit.clone(),
            description: Arc::clone(&metric.description),
        }
    }

    /// Its approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let tags = self.tags.iter().chain(&self.labels);
        let tags = tags.map(|(key, value)| key.len() + value.len() + 64);
        size_of::<Self>() + 2 * self.key.len() + self.exported_name.len() + tags.sum::<usize>()
    }
}
