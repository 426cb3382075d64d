//! What a number in frames stands for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tachograph::{Kind, Series, Unit};

/// A series, and the number that frames have for it. A number is never given to another series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// What frames call the series.
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
}

fn is_none(unit: &Unit) -> bool {
    *unit == Unit::None
}

impl Definition {
    pub(crate) fn of(number: u32, series: &Series) -> Self {
        let tags = series.tags.iter();
        Self {
            number,
            key: Arc::clone(&series.key),
            name: Arc::clone(&series.metric.name),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            kind: series.metric.kind,
            unit: series.metric.unit.clone(),
            description: Arc::clone(&series.metric.description),
        }
    }

    /// Bytes that it holds, about.
    pub(crate) fn bytes(&self) -> usize {
        let tags = self.tags.iter().map(|(key, value)| key.len() + value.len() + 64);
        size_of::<Self>() + 2 * self.key.len() + tags.sum::<usize>()
    }
}
