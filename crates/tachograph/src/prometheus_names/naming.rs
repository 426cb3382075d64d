//! Assigns names to metrics and tag keys that enter snapshots.

use std::sync::Arc;

use crate::prometheus_names::claims::Claims;
use crate::prometheus_names::exported_names::{
    ConstantLabel, ExportedNames, MetricNames, is_allowed, sanitized,
};
use crate::prometheus_names::labels::{as_label, claim_label};
use crate::series::metric::{Kind, Metric, Unit};
use crate::series::tags::Tags;

/// The family that reports the number of suffixes, which exporters write themselves.
const RENAMED: &str = "telemetry_prometheus_renamed";

/// The names assigned so far, and which ones are still free.
#[derive(Debug)]
pub(crate) struct Naming {
    /// Shared with the snapshots that carry them.
    names: Arc<ExportedNames>,
    claims: Claims,
}

impl Default for Naming {
    fn default() -> Self {
        Self::new("", &Tags::default())
    }
}

impl Naming {
    /// Names that begin with a prefix, and constant labels. A prefix needs no separator at its end.
    pub(crate) fn new(prefix: &str, labels: &Tags) -> Self {
        let prefix = prefix.trim_end_matches(|c: char| !c.is_alphanumeric());
        let mut names = ExportedNames { prefix: prefix.into(), ..ExportedNames::default() };
        for (key, value) in labels.iter() {
            let taken = names.constants.iter().map(|constant| &constant.label);
            let label = claim_label(key, None, taken);
            names.renamed += usize::from(label != as_label(key));
            names.constants.push(ConstantLabel { key: key.into(), label, value: value.into() });
        }
        let mut claims = Claims::default();
        claims.take(&names.prefixed(RENAMED));
        Self { names: Arc::new(names), claims }
    }

    pub(crate) fn names(&self) -> &Arc<ExportedNames> {
        &self.names
    }

    /// Names a metric and the tag keys of one of its series, unless they have names already.
    pub(crate) fn name(&mut self, metric: &Metric, tags: &Tags) {
        if self.names.metric(&metric.name).is_none() {
            let natural = self.names.natural(&metric.name, metric.kind, &metric.unit);
            self.claim(&metric.name, &natural, Some(natural.stem()));
        }
        tags.iter().for_each(|(key, _)| self.label(&metric.name, key, None));
    }

    /// Adopts names from another collector. A name that is not valid, or is taken here, gets the
    /// next suffix, and one with another prefix gets the one from here; whatever has a name here
    /// keeps it.
    pub(crate) fn adopt(&mut self, others: &ExportedNames, fits: impl Fn(&str, Kind) -> bool) {
        for (metric, names) in &others.metrics {
            if !fits(metric, names.kind) {
                continue;
            }
            if self.names.metric(metric).is_none() {
                let unit = Unit::Other(names.unit.as_str().into());
                let natural = self.names.natural(metric, names.kind, &unit);
                let is_valid = others.prefix == self.names.prefix
                    && sanitized(names.stem(), |c| is_allowed(c, true)) == names.stem()
                    && natural.with_stem(names.stem()).base == names.base;
                let wanted = if is_valid { names.stem() } else { natural.stem() };
                self.claim(metric, &natural, Some(wanted));
            }
            for (key, label) in &names.labels {
                self.label(metric, key, Some(label));
            }
        }
    }

    /// Gives a metric the wanted stem, or the next suffix to its own.
    fn claim(&mut self, metric: &Arc<str>, natural: &MetricNames, wanted: Option<&str>) {
        let forms = |stem: &str| natural.with_stem(stem).forms();
        let stem = self.claims.claim(wanted, natural.stem(), forms);
        let names = Arc::make_mut(&mut self.names);
        names.renamed += usize::from(stem != natural.stem());
        names.metrics.insert(Arc::clone(metric), natural.with_stem(&stem));
    }

    /// Gives a metric's tag key the wanted label, or else its own, unless it has one already.
    fn label(&mut self, metric: &str, key: &str, wanted: Option<&str>) {
        if self.names.metric(metric).is_none_or(|names| names.label(key).is_some()) {
            return;
        }
        let names = Arc::make_mut(&mut self.names);
        let Some(of_metric) = names.metrics.get_mut(metric) else { return };
        let constants = names.constants.iter().map(|constant| &constant.label);
        let label = claim_label(key, wanted, constants.chain(of_metric.labels.values()));
        names.renamed += usize::from(label != as_label(key));
        of_metric.labels.insert(key.into(), label);
    }
}

impl ExportedNames {
    /// The names of a metric if no other metric collides with it.
    fn natural(&self, name: &str, kind: Kind, unit: &Unit) -> MetricNames {
        let names = MetricNames::new(name, kind, unit);
        names.with_stem(&self.prefixed(names.stem()))
    }

    /// The constant labels as they were given.
    pub(crate) fn constant_tags(&self) -> Tags {
        let pair = |constant: &ConstantLabel| (constant.key.clone(), constant.value.clone());
        Tags::new(&self.constants.iter().map(pair).collect::<Vec<_>>())
    }
}
