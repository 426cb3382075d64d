//! Places in the limits: which series leave, which return, and where the samples of a series count
//! if there is no place for its return.

use std::time::{Duration, Instant};

use crate::aggregate::series_state::{SeriesState, Values};
use crate::aggregate::series_table::SeriesTable;
use crate::aggregate::window::Step;
use crate::series::metric::Metric;
use crate::sync::Arc;
use crate::time::start::Start;

impl SeriesTable {
    /// The series in which a series' samples count: itself, unless it has left and there is no
    /// place for its return.
    #[inline]
    pub(super) fn home(&mut self, id: u32) -> u32 {
        if self.states[id as usize].placed { id } else { self.readmit(id) }
    }

    #[cold]
    fn readmit(&mut self, id: u32) -> u32 {
        let other = match self.elsewhere.get(&id).copied() {
            Some(other) => other,
            None if self.enter(id) => return id,
            None => self.registry.overflow_of(&self.states[id as usize].entry).id,
        };
        // It may have been created just now.
        if other as usize >= self.states.len() && !self.knows(other) {
            return id;
        }
        self.elsewhere.insert(id, other);
        if let Values::Gauge(gauge) = &mut self.states[id as usize].values {
            gauge.lent = Some(other);
        }
        #[cfg(test)]
        self.refused.insert(id);
        other
    }

    /// Gives a series a place, if there is one.
    pub(super) fn enter(&mut self, id: u32) -> bool {
        let state = &mut self.states[id as usize];
        if !state.placed && self.registry.readmit(&state.entry) {
            state.enter();
        }
        state.placed
    }

    /// Frees the places of series that are no longer wanted, then gives places to series that were
    /// registered again.
    pub(crate) fn settle_places(&mut self) {
        self.elsewhere.clear();
        self.states.iter_mut().for_each(|state| state.settle_place(&self.registry));
        for place in 0..self.order.len() {
            let id = self.order[place];
            if self.states[id as usize].is_wanted() {
                self.enter(id);
            }
        }
    }

    /// Series that have recorded nothing for longer than a timeout.
    pub(crate) fn idle(&mut self, timeout: Duration, now: Instant) -> Vec<u32> {
        let is_idle = |state: &mut SeriesState| {
            state.is_active() && !state.is_own() && state.is_idle(timeout, now)
        };
        let idle =
            self.states.iter_mut().filter_map(|state| is_idle(state).then_some(state.entry.id));
        idle.collect()
    }

    /// Removes idle series from the snapshots.
    pub(crate) fn leave(
        &mut self,
        idle: &[u32],
        metrics: &[Arc<Metric>],
        step: Step,
        start: Start,
    ) {
        let start = Arc::new(start);
        for &id in idle {
            let state = &mut self.states[id as usize];
            let Some(metric) = metrics.get(state.entry.metric as usize) else { continue };
            let count = state.count();
            state.leave(metric, step, &start, &self.registry);
            self.forgotten = self.forgotten.wrapping_add(count);
        }
    }

    /// Sets overflow gauges to the values of the gauges whose samples they took.
    pub(super) fn lend_gauges(&mut self) {
        for place in 0..self.gauges.len() {
            let lent = match &mut self.states[self.gauges[place] as usize].values {
                Values::Gauge(gauge) => gauge.lent.take(),
                _ => None,
            };
            let value = self.loaded.get(place).copied().filter(|value| !value.is_nan());
            if let (Some(other), Some(value)) = (lent, value) {
                let entry = &self.states[other as usize].entry;
                entry.store_current(value);
                let slot = entry.slot as usize;
                self.loaded.resize(self.loaded.len().max(slot + 1), f64::NAN);
                self.loaded[slot] = value;
            }
        }
    }

    /// Ids of series whose samples counted elsewhere since the last call.
    #[cfg(test)]
    pub(crate) fn take_refused(&mut self) -> std::collections::BTreeSet<u32> {
        std::mem::take(&mut self.refused)
    }

    #[cfg(test)]
    pub(crate) fn has_place(&self, id: u32) -> bool {
        self.states.get(id as usize).is_some_and(|state| state.placed)
    }
}
