//! Places in the limits: which series leave, which return, and where the samples of a series count
//! if there is no place for its return.

use std::time::Instant;

use crate::aggregate::idle::IdleWatch;
use crate::aggregate::series_table::SeriesTable;
use crate::aggregate::window::Step;
use crate::series::metric::{Kind, Metric};
use crate::sync::Arc;
use crate::time::start::Start;

impl SeriesTable {
    /// The series in which a series' samples count: itself, unless it has left and there is no
    /// place for its return.
    #[inline]
    pub(super) fn home(&mut self, id: u32) -> u32 {
        if self.states[id as usize].is_placed() { id } else { self.readmit(id) }
    }

    #[cold]
    fn readmit(&mut self, id: u32) -> u32 {
        let other = match self.states[id as usize].elsewhere() {
            Some(other) => other,
            None if self.enter(id) => return id,
            None => self.registry.overflow_of(&self.states[id as usize].entry).id,
        };
        // It may have been created just now.
        if other as usize >= self.states.len() && !self.knows(other) {
            return id;
        }
        let state = &mut self.states[id as usize];
        state.go_elsewhere(other);
        if state.entry.kind == Kind::Gauge {
            state.lend(other);
        }
        #[cfg(test)]
        self.refused.insert(id);
        other
    }

    /// Gives a series a place, if there is one.
    pub(super) fn enter(&mut self, id: u32) -> bool {
        let state = &mut self.states[id as usize];
        if !state.is_placed() && self.registry.readmit(&state.entry) {
            state.enter();
        }
        state.is_placed()
    }

    /// Frees the places of series that are no longer wanted, then gives places to series that were
    /// registered again.
    pub(crate) fn settle_places(&mut self) {
        self.states.iter_mut().for_each(|state| state.settle_place(&self.registry));
        for place in 0..self.order.len() {
            let id = self.order[place];
            if self.states[id as usize].is_wanted() {
                self.enter(id);
            }
        }
    }

    /// Series that have recorded nothing for longer than the timeout.
    pub(crate) fn idle(&self, watch: &mut IdleWatch, now: Instant) -> Vec<u32> {
        if !watch.is_on() {
            return Vec::new();
        }
        let active = self.states.iter().filter(|state| state.is_active() && !state.is_own());
        let idle = active.filter(|state| watch.is_idle(state.entry.id, state.samples(), now));
        idle.map(|state| state.entry.id).collect()
    }

    /// Removes idle series from the snapshots.
    pub(crate) fn leave(
        &mut self,
        idle: &[u32],
        watch: &mut IdleWatch,
        metrics: &[Arc<Metric>],
        step: Step,
        start: Start,
    ) {
        for &id in idle {
            let state = &mut self.states[id as usize];
            let Some(metric) = metrics.get(state.entry.metric as usize) else { continue };
            let count = state.count();
            state.leave(metric, step, start, &self.registry);
            self.forgotten = self.forgotten.wrapping_add(count);
            watch.forget_one(id);
        }
    }

    /// Sets overflow gauges to the values of the gauges whose samples they took.
    pub(super) fn lend_gauges(&mut self) {
        for place in 0..self.gauges.len() {
            let lent = self.states[self.gauges[place] as usize].take_lent();
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
        self.states.get(id as usize).is_some_and(|state| state.is_placed())
    }
}
