//! What a program records, with the names that Prometheus has for it.

use std::collections::{BTreeMap, BTreeSet};

use tachograph::{Kind, Snapshot, Unit};

/// A metric of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name as it is recorded, such as `event.processing.duration`.
    pub name: String,
    /// How its samples are aggregated.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// One sentence for people; may be empty.
    pub description: String,
    /// The exported name, such as `event_processing_duration_seconds`.
    pub exported: String,
    /// The label in Prometheus of every tag key that one of its series has.
    pub labels: BTreeSet<String>,
    /// Whether it has a series without tags.
    pub has_untagged: bool,
}

impl Metric {
    /// Every metric of a snapshot, by name. A snapshot read from an endpoint's `/snapshot` will do.
    pub fn all(snapshot: &Snapshot) -> Vec<Self> {
        let mut metrics = BTreeMap::<&str, Self>::new();
        for series in snapshot.series() {
            let name = &*series.metric.name;
            // There are names of every metric and of each of its tag keys.
            let Some(names) = snapshot.exported_names().metric(name) else { continue };
            let metric = metrics.entry(name).or_insert_with(|| Self {
                name: name.to_owned(),
                kind: series.metric.kind,
                unit: series.metric.unit.clone(),
                description: series.metric.description.to_string(),
                exported: names.full(series.metric.kind),
                labels: BTreeSet::new(),
                has_untagged: false,
            });
            let labels = series.tags.iter().filter_map(|(key, _)| names.label(key));
            metric.labels.extend(labels.map(scraped));
            metric.has_untagged |= series.tags.is_empty();
        }
        metrics.into_values().collect()
    }

    /// `up`, which Prometheus itself records of every target.
    pub(crate) fn up() -> Self {
        Self {
            name: "up".to_owned(),
            kind: Kind::Gauge,
            unit: Unit::None,
            description: String::new(),
            exported: "up".to_owned(),
            labels: BTreeSet::new(),
            has_untagged: true,
        }
    }

    pub(crate) fn is_distribution(&self) -> bool {
        matches!(self.kind, Kind::Timing | Kind::Histogram)
    }

    /// It tells of the collector or the endpoint, not of the program.
    pub(crate) fn is_of_telemetry(&self) -> bool {
        ["telemetry.", "metrics."].iter().any(|prefix| self.name.starts_with(prefix))
    }

    /// What names of recording rules are made of.
    pub(crate) fn stem(&self) -> &str {
        self.exported.strip_suffix("_total").unwrap_or(&self.exported)
    }
}

/// What Prometheus makes of an exported label: two have the names of labels that targets get.
fn scraped(label: &str) -> String {
    let is_taken = ["job", "instance"].contains(&label);
    if is_taken { format!("exported_{label}") } else { label.to_owned() }
}
