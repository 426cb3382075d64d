//! The metrics of a program, with their names in Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use tachograph::{Kind, Snapshot, Unit};

/// A metric of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name as it is recorded, such as `event.processing.duration`.
    pub name: String,
    /// The kind, which determines how samples are aggregated.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// One sentence for people; may be empty.
    pub description: String,
    /// The exported name, such as `event_processing_duration_seconds`.
    pub exported: String,
    /// The tag keys of all its series, as Prometheus labels.
    pub labels: BTreeSet<String>,
    /// Whether it has a series without tags.
    pub has_untagged: bool,
}

impl Metric {
    /// All metrics of a snapshot, sorted by name. The snapshot may be one parsed from `/snapshot`.
    pub fn all(snapshot: &Snapshot) -> Vec<Self> {
        let mut metrics = BTreeMap::<&str, Self>::new();
        for series in snapshot.series() {
            let name = &*series.metric.name;
            // Always `Some`: a snapshot has the exported names of all its metrics and tag keys.
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

    /// `up`, which Prometheus records for every target.
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

    /// Whether it is about the collector or the endpoint, not about the program.
    pub(crate) fn is_of_telemetry(&self) -> bool {
        ["telemetry.", "metrics."].iter().any(|prefix| self.name.starts_with(prefix))
    }

    /// The part of the exported name that recording rules are named after.
    pub(crate) fn stem(&self) -> &str {
        self.exported.strip_suffix("_total").unwrap_or(&self.exported)
    }
}

/// An exported label after scraping: Prometheus renames labels that collide with those of the
/// target.
fn scraped(label: &str) -> String {
    let is_taken = ["job", "instance"].contains(&label);
    if is_taken { format!("exported_{label}") } else { label.to_owned() }
}
