//! Which series have a place in the limits, as far as that does not depend on the order of lanes.

use std::time::Instant;

use crate::MetricsCollector;
use crate::testing::simulation::model::{Model, OVERFLOW, SeriesModel, Tag, key, metric_of};

impl Model {
    /// Aggregates pending records. The order of lanes determines which of several returning series
    /// find a place. It does not matter for these checks: none finds a place if there is none, and
    /// none is refused if there is one.
    pub(super) fn aggregate(
        &mut self,
        step: u64,
        metrics: &MetricsCollector,
        cells: impl Fn(&str) -> bool,
    ) {
        let refused = metrics.core().locked(|aggregator| aggregator.table.take_refused());
        let keys: Vec<String> = self.series.keys().cloned().collect();
        let mut borrowed = Vec::new();
        for key in &keys {
            let series = self.series.get_mut(key).expect("one of them");
            let items = series.take_pending(step, cells(key));
            if items.is_empty() {
                continue;
            }
            if !refused.contains(&series.entry.id) {
                series.elsewhere = None;
                series.aggregate(items);
                self.admit(key);
                continue;
            }
            assert!(!self.placed.contains(key), "{key} has a place");
            let overflow = format!("{}[overflow=true]", metric_of(key));
            series.elsewhere = Some(overflow.clone());
            borrowed.push((key, overflow, items));
        }
        for (key, overflow, items) in borrowed {
            assert!(self.is_full(metric_of(key)), "{key} was refused, and there are places");
            let lender = std::mem::take(&mut self.series_mut(key).gauge);
            self.adopt_overflow(&overflow, metrics);
            self.series_mut(&overflow).borrow(items, &lender);
            self.series_mut(key).gauge = lender;
        }
    }

    fn series_mut(&mut self, key: &str) -> &mut SeriesModel {
        self.series.get_mut(key).unwrap_or_else(|| panic!("{key} is known"))
    }

    fn adopt_overflow(&mut self, key: &str, metrics: &MetricsCollector) {
        if !self.series.contains_key(key) {
            let name = metric_of(key);
            let entry = metrics.core().shared.registry.find(name, &[("overflow", "true")]);
            let entry = entry.unwrap_or_else(|| panic!("{key} exists"));
            self.series.insert(key.to_owned(), SeriesModel::new(entry.kind, entry));
        }
    }

    /// Gives a series a place, which must be available; an overflow series needs none.
    fn admit(&mut self, key: &str) {
        if self.placed.contains(key) {
            return;
        }
        if !key.ends_with(OVERFLOW) {
            assert!(!self.is_full(metric_of(key)), "{key} was admitted, and there is no place");
            self.placed.insert(key.to_owned());
        }
        // It has its handles again.
        let series = self.series_mut(key);
        series.pinned |= std::mem::take(&mut series.left_with_handles);
    }

    /// Series that were registered again after leaving may have found a place.
    pub(super) fn admit_registered(
        &mut self,
        metrics: &MetricsCollector,
        which: impl Fn(&str) -> bool,
    ) {
        let (found, refused) = self.waiting(metrics, which);
        for key in found {
            if !self.is_full(metric_of(&key)) {
                self.admit(&key);
            }
        }
        // The others may have taken the last places.
        for key in refused {
            assert!(self.is_full(metric_of(&key)), "{key} was refused a place");
        }
    }

    /// Overflow series that returned with nothing but the samples of others.
    fn admit_overflow(&mut self) {
        let visible = self.series.iter().filter(|(_, series)| series.is_visible());
        let overflow = visible.map(|(key, _)| key).filter(|key| key.ends_with(OVERFLOW));
        let overflow: Vec<String> = overflow.cloned().collect();
        overflow.iter().for_each(|key| self.admit(key));
    }

    /// Whether a metric has no place for another series.
    fn is_full(&self, name: &str) -> bool {
        let limits = &self.limits;
        self.placed("") >= limits.series || self.placed(name) >= limits.series_per_metric
    }

    /// Series without a place that were registered again: those that have found one, and those that
    /// have not.
    fn waiting(
        &self,
        metrics: &MetricsCollector,
        which: impl Fn(&str) -> bool,
    ) -> (Vec<String>, Vec<String>) {
        let waiting = self.series.iter().filter(|(key, series)| {
            let away = !key.ends_with(OVERFLOW) && !self.placed.contains(*key);
            which(key) && series.pinned && away
        });
        let id_has_place = |id| metrics.core().locked(|aggregator| aggregator.table.has_place(id));
        let (found, refused): (Vec<_>, Vec<_>) =
            waiting.partition(|(_, series)| id_has_place(series.entry.id));
        let keys = |of: Vec<(&String, _)>| of.into_iter().map(|(key, _)| key.clone()).collect();
        (keys(found), keys(refused))
    }

    /// Takes note of new snapshots, the last one made now.
    pub(super) fn look(&mut self, now: Instant, metrics: &MetricsCollector) {
        for (key, series) in &self.series {
            if series.is_visible() {
                self.fresh.remove(key);
            } else if !self.fresh.contains(key) {
                self.placed.remove(key);
            }
        }
        self.admit_registered(metrics, |_| true);
        self.admit_overflow();
        let idle_timeout = self.idle_timeout;
        for (key, series) in &mut self.series {
            // Without a place it does not appear.
            if self.placed.contains(key) || key.ends_with(OVERFLOW) {
                series.look(now, idle_timeout);
                if series.left.is_some() {
                    self.placed.remove(key);
                }
            }
        }
        // Series that leave make room for the next snapshot. If a panic caused two, this may be it.
        for key in self.waiting(metrics, |_| true).0 {
            self.admit(&key);
            self.series_mut(&key).look(now, idle_timeout);
        }
    }

    /// Removes a series; returns whether it was there.
    pub(super) fn remove(&mut self, name: &str, tag: Tag) -> bool {
        let key = key(name, tag);
        let place = self.placed.contains(&key);
        let Some(series) = self.series.get_mut(&key) else { return false };
        let was_there = place && series.is_visible();
        if was_there {
            series.leave();
            self.placed.remove(&key);
            self.fresh.remove(&key);
        }
        was_there
    }
}
