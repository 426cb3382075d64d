//! Definitions: the series behind the numbers in frames.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tachograph::{ExportedNames, Kind, MetricNames, Series, Snapshot, Tags, Unit};

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
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
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
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub labels: Tags,
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
        let labels: Vec<_> = series.tags.iter().map(|(key, value)| (label(key), value)).collect();
        let differs = series.tags.iter().zip(&labels).any(|((key, _), (label, _))| key != label);
        Self {
            number,
            exported_name: exported.full(metric.kind),
            labels: if differs { Tags::new(&labels) } else { Tags::default() },
            key: Arc::clone(&series.key),
            name: Arc::clone(&metric.name),
            tags: series.tags.clone(),
            kind: metric.kind,
            unit: metric.unit.clone(),
            description: Arc::clone(&metric.description),
        }
    }

    /// The tags under their Prometheus labels.
    pub fn exported_labels(&self) -> &Tags {
        if self.labels.is_empty() { &self.tags } else { &self.labels }
    }

    /// Its approximate size in bytes, with its places in a history's maps.
    pub(crate) fn bytes(&self) -> usize {
        let text = |of: &Tags| of.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        let texts = self.key.len() + self.exported_name.len();
        size_of::<Self>() + PLACES + texts + text(&self.tags) + text(&self.labels)
    }
}

/// The entries of a history's maps for one definition, and the counts beside shared texts.
const PLACES: usize = 128;
