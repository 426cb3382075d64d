//! Totals that a reset of the collector does not set back.

use std::collections::HashMap;
use std::sync::Arc;

use tachograph::Series;

/// The totals of a metric's series at the last observation.
#[derive(Debug, Default)]
pub(crate) struct Totals(HashMap<Arc<str>, Total>);

#[derive(Clone, Copy, Debug)]
struct Total {
    /// What was counted before the last reset that was seen.
    before: i128,
    value: i128,
    generation: u64,
}

impl Totals {
    /// The series with their totals. Those that are gone are forgotten.
    pub(crate) fn observe<'a>(
        &mut self,
        all: impl Iterator<Item = &'a Series>,
    ) -> Vec<(&'a Series, i128)> {
        let old = std::mem::take(&mut self.0);
        let counters = all.filter_map(|series| Some((series, series.value.as_counter()?)));
        let observe = |(series, views): (&'a Series, &tachograph::Views<_>)| {
            let counter: &tachograph::CounterStats = &views.lifetime;
            let (value, generation) = (counter.value, series.generation);
            let before = match old.get(&series.key) {
                Some(total) if total.generation == generation => total.before,
                Some(total) => total.before.saturating_add(total.value),
                None => 0,
            };
            self.0.insert(Arc::clone(&series.key), Total { before, value, generation });
            (series, before.saturating_add(value))
        };
        counters.map(observe).collect()
    }
}
