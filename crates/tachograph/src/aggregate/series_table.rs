//! The aggregator's states of all series.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::time::Instant;

use crate::aggregate::overload_warning::OverloadWarning;
use crate::aggregate::series_state::SeriesState;
use crate::aggregate::window::Step;
use crate::drops::drop_reason::DropReason;
use crate::lane::batch::{Batch, TracedSample};
use crate::lane::cell::CounterReading;
use crate::lane::reader::LaneReader;
use crate::lane::sample::Sample;
use crate::lane::spill::{Levels, SpillGain};
use crate::prometheus_names::naming::Naming;
use crate::read::snapshot::{Series, Value};
use crate::series::metric::{Kind, Metric};
use crate::series::registry::Registry;
use crate::series::series_id::{BEYOND_LIMIT, CONFLICTING, SeriesId};
use crate::series::warning::Warning;
use crate::sync::{Arc, Ordering, fault};
use crate::time::start::{PassTime, Start};

#[derive(Debug)]
pub(crate) struct SeriesTable {
    pub(super) registry: Arc<Registry>,
    /// By id.
    pub(super) states: Vec<SeriesState>,
    /// Ids in the order of their keys.
    pub(super) order: Vec<u32>,
    /// Ids by slot, for each kind of lane table.
    counters: Vec<u32>,
    distributions: Vec<u32>,
    pub(super) gauges: Vec<u32>,
    /// The gauges' current values loaded before the drain, in the order of `gauges`.
    pub(super) loaded: Vec<f64>,
    /// Series that have no state yet, in the order of their ids.
    fresh: VecDeque<Arc<SeriesId>>,
    /// When new series were last looked for, and the time before that.
    looks: Option<[Start; 2]>,
    /// Ids of series that no snapshot has shown yet.
    unnamed: Vec<u32>,
    /// By id: the series that takes the samples of one that found no place, until the next snapshot.
    pub(super) elsewhere: HashMap<u32, u32>,
    /// Samples in values that were reset.
    pub(super) forgotten: u64,
    /// Samples that were read from a lane and became counted drops.
    pub(super) lost: u64,
    /// The signal handlers' count when the child of a fork started over.
    signals_before: u64,
    pub(crate) coalesced: u64,
    overload_warning: OverloadWarning,
    /// Ids of series whose samples counted elsewhere; the simulation takes them.
    #[cfg(test)]
    pub(super) refused: std::collections::BTreeSet<u32>,
}

/// The estimated size of the series in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bytes {
    pub(crate) all: usize,
    /// The part used by the values of timings and histograms, and by their copies in the last
    /// snapshot.
    pub(crate) distributions: usize,
}

impl SeriesTable {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            states: Vec::new(),
            order: Vec::new(),
            counters: Vec::new(),
            distributions: Vec::new(),
            gauges: Vec::new(),
            loaded: Vec::new(),
            fresh: VecDeque::new(),
            looks: None,
            unnamed: Vec::new(),
            elsewhere: HashMap::new(),
            forgotten: 0,
            lost: 0,
            signals_before: 0,
            coalesced: 0,
            overload_warning: OverloadWarning::default(),
            #[cfg(test)]
            refused: std::collections::BTreeSet::new(),
        }
    }

    /// Adds the series that were registered since the last call.
    pub(crate) fn refresh(&mut self, now: Start) {
        let start = self.look(now);
        self.registry.take_new(&mut self.fresh);
        // After a panic, too, fewer ids are in order than there are states.
        if self.fresh.is_empty() && self.order.len() == self.states.len() {
            return;
        }
        // Grows by a quarter: states are large, and doubling would leave up to half of them unused.
        let spare = self.states.capacity() - self.states.len();
        if spare < self.fresh.len() {
            self.states.reserve_exact(self.fresh.len().max(self.states.len() / 4));
        }
        let start = Arc::new(start);
        while !self.fresh.is_empty() {
            fault::point("refresh: a series");
            let Some(entry) = self.fresh.pop_front() else { break };
            let by_slot = match entry.kind {
                Kind::Counter | Kind::UpDownCounter => &mut self.counters,
                Kind::Timing | Kind::Histogram => &mut self.distributions,
                Kind::Gauge => &mut self.gauges,
            };
            // The collector's own series have no slot; those of others are numbered by kind.
            if entry.slot != u32::MAX {
                by_slot.push(entry.id);
            }
            self.unnamed.push(entry.id);
            self.states.push(SeriesState::new(entry, Arc::clone(&start)));
        }
        fault::point("refresh: before sorting");
        let states = &self.states;
        self.order.extend(self.order.len() as u32..states.len() as u32);
        self.order.sort_by(|&a, &b| {
            let key = |id: u32| &states[id as usize].entry.key;
            key(a).cmp(key(b))
        });
    }

    /// The start of series found now: the time of the previous look, after which they were
    /// registered.
    fn look(&mut self, now: Start) -> Start {
        let [before, last] = self.looks.unwrap_or([now; 2]);
        // A second look at the same time may find series registered since: they still started
        // before `now`.
        let moved = last.at.monotonic < now.at.monotonic;
        let start = if moved { last.at } else { before.at };
        let start = Start { at: start, ..now };
        self.looks = Some([start, now]);
        start
    }

    /// Folds the rest of a batch; calls `recorded` with the series of each sample.
    pub(crate) fn fold(
        &mut self,
        batch: &mut Batch,
        step: Step,
        mut recorded: impl FnMut(&SeriesId),
    ) {
        let mut rest = batch.rest();
        while let Some(series) = rest.series() {
            if series as usize >= self.states.len() && !self.knows(series) {
                rest.run(series).for_each(|_| self.refuse(series));
                continue;
            }
            let home = self.home(series);
            let mut values = rest.run(series);
            let first = values.next();
            // From here on there is a sample in hand: a panic makes that one a drop.
            recorded(&self.states[series as usize].entry);
            self.states[home as usize].fold(first.into_iter().chain(values), step);
        }
        drop(rest);
        for &TracedSample { sample, trace, .. } in &batch.traced {
            if (sample.series as usize) < self.states.len() {
                let home = self.home(sample.series);
                self.states[home as usize].witness(sample.value, trace, step);
            }
        }
        batch.clear();
    }

    /// Counts a sample whose folding panicked.
    pub(crate) fn drop_sample(&mut self, sample: Sample) {
        match self.states.get(sample.series as usize) {
            Some(state) => state.entry.drop_sample(DropReason::Panicked),
            None => self.registry.tallies.drop_sample(DropReason::Panicked),
        }
        self.lost += 1;
    }

    /// Looks for a series that this table has not seen: it is either new or refused.
    #[cold]
    pub(super) fn knows(&mut self, series: u32) -> bool {
        if ![CONFLICTING, BEYOND_LIMIT].contains(&series) {
            // It can only be found after a first look.
            if let Some([_, last]) = self.looks {
                self.refresh(last);
            }
        }
        (series as usize) < self.states.len()
    }

    /// Counts a sample of a refused series.
    fn refuse(&mut self, series: u32) {
        self.lost += 1;
        self.registry.tallies.drop_sample(match series {
            CONFLICTING => DropReason::KindConflict,
            _ => DropReason::SeriesLimit,
        });
    }

    /// Folds the gains of one lane's cells and rows.
    pub(crate) fn fold_lane(&mut self, reader: &mut LaneReader, step: Step) {
        // A series that is not known yet keeps its gain.
        self.fold_cells(reader, 0..self.counters.len() as u32, step);
        self.fold_spills(reader, 0..self.distributions.len() as u32, step);
        self.fold_gauges(reader, 0..self.gauges.len() as u32, step);
    }

    /// Folds the gains of one series' cells and rows in every lane.
    pub(crate) fn fold_series(&mut self, id: u32, readers: &mut [LaneReader], step: Step) {
        let Some(entry) = self.states.get(id as usize).map(|state| Arc::clone(&state.entry)) else {
            return;
        };
        for reader in readers {
            let only = entry.slot..entry.slot.saturating_add(1);
            match entry.kind {
                Kind::Counter | Kind::UpDownCounter => self.fold_cells(reader, only, step),
                Kind::Timing | Kind::Histogram => self.fold_spills(reader, only, step),
                Kind::Gauge => self.fold_gauges(reader, only, step),
            }
        }
        if entry.kind.is_counter() {
            self.fold_signals_of(id, step);
        }
        if entry.kind == Kind::Gauge
            && let Some(&loaded) = self.loaded.get(entry.slot as usize)
        {
            self.states[id as usize].settle_gauge(loaded);
        }
    }

    /// Folds the increments from signal handlers.
    pub(crate) fn fold_signals(&mut self, step: Step) {
        for place in 0..self.counters.len() {
            self.fold_signals_of(self.counters[place], step);
        }
    }

    fn fold_signals_of(&mut self, id: u32, step: Step) {
        let gained = self.states[id as usize].take_signals();
        if gained > 0 {
            let home = self.home(id);
            let gained = CounterReading { value: gained, calls: gained };
            self.states[home as usize].fold_counter(gained, step);
        }
    }

    /// Folds the gains of some of a lane's cells.
    fn fold_cells(&mut self, reader: &mut LaneReader, slots: Range<u32>, step: Step) {
        reader.counter_gains(slots, |slot, gain| {
            let Some(&id) = self.counters.get(slot as usize) else { return };
            let home = self.home(id);
            fault::point("fold: a cell");
            self.states[home as usize].fold_counter(gain, step);
        });
    }

    /// Folds the gains of some of a lane's spill rows.
    fn fold_spills(&mut self, reader: &mut LaneReader, slots: Range<u32>, step: Step) {
        let fold = |slot: u32, gain: &SpillGain| {
            let Some(&id) = self.distributions.get(slot as usize) else { return };
            let home = self.home(id);
            fault::point("fold: a spill row");
            self.states[home as usize].fold_spill(gain, step);
            self.count_coalesced(home, gain.count());
        };
        reader.spill_gains(slots, fold);
    }

    /// Like `fold_spills`, for gauges.
    fn fold_gauges(&mut self, reader: &mut LaneReader, slots: Range<u32>, step: Step) {
        let fold = |slot: u32, gain: &Levels| {
            let Some(&id) = self.gauges.get(slot as usize) else { return };
            let home = self.home(id);
            fault::point("fold: a gauge row");
            self.states[home as usize].fold_gauge(gain, step);
            self.count_coalesced(home, gain.count);
        };
        reader.gauge_gains(slots, fold);
    }

    /// Warns of overload, if a warning is due.
    pub(crate) fn warn_of_overload(&mut self, now: Instant) {
        let Some((samples, worst, of_worst)) = self.overload_warning.take(now) else { return };
        if let Some(state) = self.states.get(worst as usize) {
            let worst = Arc::clone(&state.entry.key);
            self.registry.warn(Warning::Coalesced { samples, worst, of_worst });
        }
    }

    fn count_coalesced(&mut self, id: u32, samples: u64) {
        self.overload_warning.note(id, samples);
        self.coalesced += samples;
    }

    /// Samples that are, or were before a reset, in the values of series.
    pub(crate) fn aggregated(&self) -> u64 {
        let states = self.states.iter().filter(|state| !state.is_own());
        states.map(SeriesState::count).fold(self.forgotten, u64::wrapping_add)
    }

    /// The increments from signal handlers.
    pub(crate) fn signals(&self) -> u64 {
        self.all_signals().wrapping_sub(self.signals_before)
    }

    fn all_signals(&self) -> u64 {
        let entries = self.counters.iter().map(|&id| &self.states[id as usize].entry);
        entries.map(|entry| entry.signals()).fold(0, u64::wrapping_add)
    }

    /// Loads the gauges' current values. Called before the drain, so that each value's sample is
    /// drained too.
    pub(crate) fn load_gauges(&mut self) {
        let states = &self.states;
        self.loaded.clear();
        // Acquire: pairs with the Release in `Recorder::set_gauge`; the sample is published.
        let current = |&id: &u32| states[id as usize].entry.words.current.load(Ordering::Acquire);
        self.loaded.extend(self.gauges.iter().map(current));
    }

    /// Like `load_gauges`, for one series.
    pub(crate) fn load_gauge(&mut self, id: u32) {
        let Some(entry) = self.states.get(id as usize).map(|state| &state.entry) else { return };
        if entry.kind == Kind::Gauge && entry.slot != u32::MAX {
            self.loaded.resize(self.loaded.len().max(entry.slot as usize + 1), f64::NAN);
            // Acquire: as in `load_gauges`.
            self.loaded[entry.slot as usize] = entry.words.current.load(Ordering::Acquire);
        }
    }

    pub(crate) fn settle_gauges(&mut self) {
        self.lend_gauges();
        // A gauge registered after the load has no loaded value.
        let loaded = self.loaded.iter().copied().chain(std::iter::repeat(f64::NAN));
        for (&id, loaded) in self.gauges.iter().zip(loaded) {
            fault::point("settle: a gauge");
            self.states[id as usize].settle_gauge(loaded);
        }
    }

    /// Names the series that are about to enter a snapshot for the first time.
    pub(crate) fn name_new(&mut self, metrics: &[Arc<Metric>], naming: &mut Naming) {
        let Self { unnamed, states, .. } = self;
        if unnamed.is_empty() {
            return;
        }
        // Sorted by key, so that a collector's names do not depend on which thread came first.
        unnamed.sort_by(|&a, &b| states[a as usize].entry.key.cmp(&states[b as usize].entry.key));
        unnamed.retain(|&id| {
            let state = &states[id as usize];
            let metric = metrics.get(state.entry.metric as usize).filter(|_| state.is_active());
            metric.inspect(|metric| naming.name(metric, &state.entry.tags)).is_none()
        });
    }

    /// Every active series as snapshots show it, and those that have left for being idle, each list
    /// sorted by key.
    pub(crate) fn publish(
        &mut self,
        metrics: &[Arc<Metric>],
        step: Step,
    ) -> (Vec<Arc<Series>>, Vec<Arc<Series>>) {
        let (mut series, mut idle) = (Vec::with_capacity(self.order.len()), Vec::new());
        for &id in &self.order {
            let state = &mut self.states[id as usize];
            if state.is_active()
                && let Some(info) = metrics.get(state.entry.metric as usize)
            {
                fault::point("build: a series");
                series.push(state.publish(info, step));
            } else {
                idle.extend(state.left());
            }
        }
        (series, idle)
    }

    /// The statistics of one active series.
    pub(crate) fn value(&mut self, id: u32, metrics: &[Arc<Metric>], step: Step) -> Option<Value> {
        let wanted = self.states.get(id as usize).is_some_and(SeriesState::is_wanted);
        if !wanted || !self.enter(id) {
            return None;
        }
        let state = self.states.get_mut(id as usize)?;
        Some(state.value(metrics.get(state.entry.metric as usize)?, step))
    }

    /// A series' state, for telemetry that the aggregator records itself.
    pub(crate) fn state(&mut self, id: u32) -> Option<&mut SeriesState> {
        self.states.get_mut(id as usize)
    }

    /// Whether a series is the collector's own, or takes samples of other series.
    pub(crate) fn is_of_all(&self, id: u32) -> bool {
        let state = self.states.get(id as usize);
        state.is_some_and(|state| state.is_own() || state.entry.tags.is_overflow())
    }

    pub(crate) fn touch_all(&mut self) {
        self.states.iter_mut().for_each(|state| state.changed = true);
    }

    /// Discards all values except the collector's own.
    pub(crate) fn reset(&mut self, start: Start) {
        let start = Arc::new(start);
        let mut forgotten = self.forgotten;
        for state in self.others() {
            forgotten = forgotten.wrapping_add(state.count());
            state.reset(&start);
        }
        self.forgotten = forgotten;
    }

    /// Removes one series from the snapshots; returns whether it was there and not the collector's
    /// own.
    pub(crate) fn remove(&mut self, id: u32, start: Start) -> bool {
        let state = self.states.get_mut(id as usize);
        let Some(state) = state.filter(|state| state.is_active() && !state.is_own()) else {
            return false;
        };
        self.forgotten = self.forgotten.wrapping_add(state.count());
        state.remove(&Arc::new(start), &self.registry);
        self.elsewhere.remove(&id);
        true
    }

    /// Discards all values, drops and counts, including the collector's own.
    pub(crate) fn start_over(&mut self, start: Start) {
        let start = Arc::new(start);
        self.states.iter_mut().for_each(|state| state.start_over(&start));
        (self.forgotten, self.lost, self.coalesced) = (0, 0, 0);
        self.overload_warning = OverloadWarning::default();
        self.signals_before = self.all_signals();
    }

    /// Sets every counter except the collector's own to 0.
    pub(crate) fn reset_counters(&mut self, start: Start) {
        let start = Arc::new(start);
        let mut forgotten = self.forgotten;
        for state in self.others().filter(|state| state.entry.kind.is_counter()) {
            forgotten = forgotten.wrapping_add(state.count());
            state.reset_counter(&start);
        }
        self.forgotten = forgotten;
    }

    /// Converts every start to wall time again, because the clock was set.
    pub(crate) fn convert_starts(&mut self, now: PassTime) {
        self.states.iter_mut().for_each(|state| state.convert_start(now));
        self.looks.iter_mut().flatten().for_each(|look| look.at.convert(now));
    }

    fn others(&mut self) -> impl Iterator<Item = &mut SeriesState> {
        self.states.iter_mut().filter(|state| !state.is_own())
    }

    /// The number of series that snapshots show.
    pub(crate) fn active(&self) -> usize {
        self.states.iter().filter(|state| state.is_active()).count()
    }

    pub(crate) fn bytes(&self) -> Bytes {
        let mut bytes = Bytes::default();
        for state in &self.states {
            let heap = state.heap_bytes();
            bytes.all += state.own_bytes() + heap;
            bytes.distributions += if state.entry.kind.is_distribution() { heap } else { 0 };
        }
        bytes
    }
}
