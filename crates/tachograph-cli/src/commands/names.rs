//! The names that metrics and tags have in Prometheus.

use std::collections::BTreeMap;

use tachograph::{Kind, Unit};
use tachograph_export::prometheus::{family_name, label_name};
use tachograph_history::Definition;

/// The known metrics.
pub(super) struct Names<'a> {
    by_metric: BTreeMap<&'a str, Vec<&'a Definition>>,
}

/// A metric in Prometheus.
pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    /// Whether the metric is known; else the name is the probable one.
    pub(super) is_known: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new(definitions: &'a [Definition]) -> Self {
        let mut by_metric: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for definition in definitions {
            by_metric.entry(&definition.name).or_default().push(definition);
        }
        Self { by_metric }
    }

    /// The series of a metric.
    pub(super) fn series(&self, metric: &str) -> &[&'a Definition] {
        self.by_metric.get(metric).map_or(&[], Vec::as_slice)
    }

    /// A metric; of an unknown one, with this kind and unit.
    pub(super) fn family(&self, metric: &str, kind: Kind, unit: &Unit) -> Family {
        let known = self.series(metric).first();
        let (kind, unit) =
            known.map_or((kind, unit.clone()), |known| (known.kind, known.unit.clone()));
        let exported = known.map(|it| it.exported_name.clone()).filter(|it| !it.is_empty());
        let name = exported.unwrap_or_else(|| family_name(metric, kind, &unit));
        Family { name, kind, unit, is_known: known.is_some() }
    }

    /// The label of a metric's tag. Keys that differ only in characters that labels cannot have are
    /// numbered, so it is the label that has the tag's value in every series.
    pub(super) fn label(&self, metric: &str, key: &str) -> String {
        let series = self.series(metric);
        let tagged =
            || series.iter().filter_map(|it| Some((it.tags.get(key)?, it.exported_labels())));
        let fits = |label: &str| tagged().all(|(value, labels)| labels.get(label) == Some(value));
        let plain = label_name(key);
        if fits(&plain) {
            return plain;
        }
        let mut labels =
            series.iter().flat_map(|it| it.exported_labels().iter().map(|(label, _)| label));
        labels.find(|label| fits(label)).map_or(plain, str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use tachograph::MetricsCollector;

    use super::*;

    #[test]
    fn labels_are_those_that_the_program_exports_whatever_they_collide_with() {
        let metrics = MetricsCollector::builder().manual().build();
        for place in ["1", "2"] {
            let tags =
                [("local port", place), ("local-port", "x"), ("local_port", "y"), ("le", "3")];
            metrics.with_tags(&tags).increment("packets");
        }
        metrics.run_pass(Instant::now(), SystemTime::now());
        let snapshot = metrics.snapshot();
        let definitions = Definition::all(&snapshot);
        let names = Names::new(&definitions);
        let exported = snapshot.exported_names().metric("packets").expect("it is there");
        for key in ["local port", "local-port", "local_port", "le"] {
            let wanted = exported.label(key).expect("every key has one");
            assert_eq!(names.label("packets", key), wanted, "{key}");
        }
        assert_eq!(names.label("packets", "new key"), "new_key");
        assert_eq!(names.label("unknown", "a.b"), "a_b");
    }

    #[test]
    fn labels_of_unknown_metrics_are_those_that_a_program_would_export() {
        for key in ["1st", "le", "quantile", "__name__", "a.b", "_", "é"] {
            let metrics = MetricsCollector::builder().manual().build();
            metrics.with_tags(&[(key, "x")]).increment("packets");
            metrics.run_pass(Instant::now(), SystemTime::now());
            let snapshot = metrics.snapshot();
            let exported = snapshot.exported_names().metric("packets").expect("it is there");
            let wanted = exported.label(key).expect("every key has one");
            assert_eq!(Names::new(&[]).label("packets", key), wanted, "{key}");
        }
        assert_eq!(label_name("1st"), "_1st");
    }

    #[test]
    fn the_names_of_passes_have_the_programs_prefix() {
        let metrics = MetricsCollector::builder().manual().export_prefix("app").build();
        metrics.run_pass(Instant::now(), SystemTime::now());
        let definitions = Definition::all(&metrics.snapshot());
        let rules = "[[rule]]\nname = \"Late\"\nstatistic = \"stale\"\nlast = \"10s\"\n";
        let rules = tachograph_alert::check(rules, &definitions).expect("a rule");
        let told = |names: &Names<'_>| crate::commands::promql::file(&rules, names);
        let text = told(&Names::new(&definitions));
        assert!(text.contains("absent_over_time(app_telemetry_passes_total[10s])"), "{text}");
        let text = told(&Names::new(&[]));
        assert!(text.contains("absent_over_time(telemetry_passes_total[10s])"), "{text}");
    }
}
