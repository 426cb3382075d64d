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
    /// The tags under their Prometheus labels; empty if each tag's label is its key.
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
        let labels = tags.clone().map(|(key, value)| (label(key), value.to_owned()));
        let differs = tags.clone().any(|(key, _)| label(key) != key);
        Self {
            number,
            exported_name: exported.full(metric.kind),
            labels: labels.filter(|_| differs).collect(),
            key: Arc::clone(&series.key),
            name: Arc::clone(&metric.name),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            kind: metric.kind,
            unit: metric.unit.clone(),
            description: Arc::clone(&metric.description),
        }
    }

    /// The tags under their Prometheus labels.
    pub fn exported_labels(&self) -> &BTreeMap<String, String> {
        if self.labels.is_empty() { &self.tags } else { &self.labels }
    }

    /// Its approximate size in bytes, with its places in a history's maps.
    pub(crate) fn bytes(&self) -> usize {
        let map = |map: &BTreeMap<String, String>| {
            let texts: usize = map.iter().map(|(key, value)| key.len() + value.len()).sum();
            map.len().div_ceil(NODE) * NODE_BYTES + texts
        };
        let texts = 2 * self.key.len() + self.exported_name.len();
        size_of::<Self>() + PLACES + texts + map(&self.tags) + map(&self.labels)
    }
}

/// The entries of a node of the standard library's maps, and its bytes: it has room for all of
/// them.
const NODE: usize = 11;
const NODE_BYTES: usize = NODE * size_of::<(String, String)>() + 16;

/// The entries of a history's maps for one definition, and the counts beside shared texts.
const PLACES: usize = 128;
