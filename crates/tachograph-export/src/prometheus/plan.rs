//! What all formats share: which series make up which family, and what everything is called.

use std::collections::BTreeMap;
use std::sync::Arc;

use tachograph::{ExportedNames, Series, Snapshot};

use super::choices::Choices;
use super::family::{Family, Moved};
use super::spelled::Spelled;

/// The families of a snapshot. Serves for later ones too, as long as no series comes or goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) families: Vec<Family>,
    /// What protobuf says of each family; none before it is asked for.
    pub(super) spelled: Vec<Spelled>,
    /// What everything is called.
    pub(super) names: Arc<ExportedNames>,
    /// How many series the snapshot has.
    series: usize,
}

impl Plan {
    pub(super) fn new(snapshot: &Snapshot, choices: &Choices) -> Self {
        let names = Arc::clone(snapshot.exported_names());
        let family =
            |(name, all): (&str, Vec<_>)| Some(Family::new(&all, choices, names.metric(name)?));
        let families = by_name(snapshot).into_iter().filter_map(family).collect();
        Self { families, spelled: Vec::new(), names, series: snapshot.series().len() }
    }

    /// Whether the snapshot may have the same series: it has as many, by the same names.
    pub(super) fn may_fit(&self, snapshot: &Snapshot) -> bool {
        let names = snapshot.exported_names();
        let same = Arc::ptr_eq(&self.names, names) || self.names == *names;
        same && self.series == snapshot.series().len()
    }

    /// Spells all families, unless that has been done.
    pub(super) fn spell(&mut self, snapshot: &Snapshot) -> Result<(), Moved> {
        if self.spelled.is_empty() {
            let spelled = self.families.iter().map(|family| Spelled::new(family, snapshot));
            self.spelled = spelled.collect::<Result<_, _>>()?;
        }
        Ok(())
    }
}

/// The series of each metric with their places, in the order of the metrics' names.
fn by_name(snapshot: &Snapshot) -> BTreeMap<&str, Vec<(usize, &Arc<Series>)>> {
    let mut metrics = BTreeMap::<_, Vec<_>>::new();
    for (place, series) in snapshot.series().iter().enumerate() {
        metrics.entry(&*series.metric.name).or_default().push((place, series));
    }
    metrics
}
