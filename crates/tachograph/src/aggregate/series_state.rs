//! The aggregator's state of one series.

use std::time::{Duration, Instant};

use crate::aggregate::distribution::Distribution;
use crate::aggregate::gauge_state::GaugeState;
use crate::aggregate::window::{self, Accumulate, Step, Windowed};
use crate::lane::cell::CounterReading;
use crate::lane::spill::{Levels, SpillGain};
use crate::lane::trace::Trace;
use crate::read::buckets::Buckets;
use crate::read::exemplar::{Exemplar, Witness, worst};
use crate::read::snapshot::{Series, Value};
use crate::read::stats::{CounterStats, GaugeStats, TimingStats, Views};
use crate::series::metric::{Kind, Metric};
use crate::series::registry::Registry;
use crate::series::series_id::SeriesId;
use crate::sync::{Arc, fault};
use crate::time::start::{PassTime, Start};

#[derive(Debug)]
pub(crate) struct SeriesState {
    pub(crate) entry: Arc<SeriesId>,
    pub(crate) values: Values,
    /// When it was first recorded or registered, or last reset; never later. Shared with other
    /// series that were so at the same time.
    start: Arc<Start>,
    /// The part of the entry's signal count that was folded.
    signals: u64,
    /// The number of samples at a snapshot, and when it was first seen; none before the first look
    /// of an idle timeout and after a reset, which counts as activity.
    seen: Option<Box<(u64, Instant)>>,
    /// Recorded since the start or the last reset.
    recorded: bool,
    /// Whether the series has changed since it was published.
    pub(super) changed: bool,
    /// The series as last shown in a snapshot.
    shown: Option<Arc<Series>>,
    /// Whether it has left since for being idle.
    has_left: bool,
    /// Whether it counts against the limits; otherwise its samples may count elsewhere.
    pub(super) placed: bool,
    /// Whether it was reset or shown. Before that, it keeps its place because the first record of
    /// the thread that created it may still be on its way.
    may_leave: bool,
    /// Whether it was removed while it had handles.
    removed_with_handles: bool,
}

#[derive(Debug)]
pub(crate) enum Values {
    Counter(Windowed<CounterReading>),
    // Boxed, because most series are counters, which are smaller.
    Gauge(Box<GaugeState>),
    Distribution(Box<Windowed<Distribution>>),
}

impl Accumulate for CounterReading {
    fn absorb(&mut self, other: &Self) {
        self.value = self.value.wrapping_add(other.value);
        self.calls = self.calls.wrapping_add(other.calls);
    }

    fn is_empty(&self) -> bool {
        self.calls == 0
    }
}

impl SeriesState {
    pub(crate) fn new(entry: Arc<SeriesId>, start: Arc<Start>) -> Self {
        let values = Values::new(entry.kind);
        Self {
            entry,
            values,
            start,
            signals: 0,
            seen: None,
            recorded: false,
            changed: true,
            shown: None,
            has_left: false,
            placed: true,
            may_leave: false,
            removed_with_handles: false,
        }
    }

    /// Whether the series is one of the collector's own.
    pub(crate) fn is_own(&self) -> bool {
        self.entry.slot == u32::MAX
    }

    /// Whether snapshots and reads show the series.
    pub(crate) fn is_active(&self) -> bool {
        self.placed && self.is_wanted()
    }

    /// Whether they would show it if it has a place.
    pub(crate) fn is_wanted(&self) -> bool {
        self.recorded || self.is_own() || self.entry.is_pinned()
    }

    /// Takes a place that the registry has granted.
    pub(crate) fn enter(&mut self) {
        self.placed = true;
        if std::mem::take(&mut self.removed_with_handles) {
            self.entry.pin();
        }
    }

    /// Gives its place back unless it is still wanted: a series has a place while snapshots show
    /// it. May request one again.
    pub(crate) fn settle_place(&mut self, registry: &Registry) {
        let wanted = self.is_wanted();
        self.may_leave |= wanted && self.placed;
        if self.placed && !wanted && self.may_leave {
            self.placed = false;
            registry.vacate(&self.entry);
        }
    }

    /// Leaves until it is recorded or registered again, with or without handles.
    pub(crate) fn remove(&mut self, start: &Arc<Start>, registry: &Registry) {
        self.reset(start);
        self.removed_with_handles |= self.entry.unpin();
        self.settle_place(registry);
    }

    /// Like `remove`, for an idle series: differences still include what was recorded before.
    pub(crate) fn leave(
        &mut self,
        metric: &Arc<Metric>,
        step: Step,
        start: &Arc<Start>,
        registry: &Registry,
    ) {
        // Its window is over, whatever the others' windows are.
        if let Some(now) = step.now {
            self.values.slide(now + step.width, step.width);
        }
        let left = Arc::new(self.series(metric, step));
        self.remove(start, registry);
        (self.shown, self.has_left) = (Some(left), true);
    }

    /// The series as it was when it left for being idle, if it has not returned.
    pub(crate) fn left(&mut self) -> Option<Arc<Series>> {
        let left = self.shown.as_mut().filter(|_| self.has_left)?;
        let dropped = self.entry.dropped();
        if left.dropped != dropped {
            *left = Arc::new(Series { dropped, ..Series::clone(left) });
        }
        Some(Arc::clone(left))
    }

    /// The number of samples in its values, since the start or the last reset.
    pub(crate) fn count(&self) -> u64 {
        match &self.values {
            Values::Counter(windowed) => window::sum(windowed.lifetime()).calls,
            Values::Gauge(gauge) => gauge.levels.lifetime().map(|levels| levels.count).sum(),
            Values::Distribution(windowed) => windowed.lifetime().map(|d| d.totals.count).sum(),
        }
    }

    /// Whether it has recorded nothing for longer than a timeout, judged by its samples at each
    /// snapshot, so that recording and folding are not involved.
    pub(super) fn is_idle(&mut self, timeout: Duration, now: Instant) -> bool {
        let samples = self.count().wrapping_add(self.entry.dropped());
        let seen = self.seen.get_or_insert_with(|| Box::new((samples, now)));
        if seen.0 != samples {
            **seen = (samples, now);
        }
        now.saturating_duration_since(seen.1) > timeout
    }

    /// Converts its start to wall time again.
    pub(crate) fn convert_start(&mut self, now: PassTime) {
        Arc::make_mut(&mut self.start).at.convert(now);
        self.changed = true;
    }

    /// Adds samples.
    #[inline]
    pub(crate) fn fold(&mut self, values: impl Iterator<Item = u64>, step: Step) {
        self.changed = true;
        let recorded = &mut self.recorded;
        let mut done = || *recorded = true;
        match &mut self.values {
            Values::Distribution(windowed) => {
                let distribution = windowed.current(step.now);
                values.for_each(|value| {
                    fault::point("fold: a sample");
                    distribution.record(value);
                    done();
                });
            }
            Values::Counter(windowed) => values.for_each(|value| {
                fault::point("fold: a sample");
                windowed.current(step.now).absorb(&CounterReading { value, calls: 1 });
                done();
            }),
            Values::Gauge(gauge) => values.for_each(|value| {
                fault::point("fold: a sample");
                gauge.set(f64::from_bits(value), step);
                done();
            }),
        }
    }

    /// Keeps a folded sample's trace, if it is the worst of its step.
    pub(crate) fn witness(&mut self, value: u64, trace: Trace, step: Step) {
        if let Values::Distribution(windowed) = &mut self.values {
            let witness = Witness { value, trace, timestamp: step.wall };
            windowed.current(step.now).witness(&witness);
        }
    }

    pub(crate) fn fold_counter(&mut self, delta: CounterReading, step: Step) {
        self.recorded = true;
        self.changed = true;
        if let Values::Counter(windowed) = &mut self.values {
            windowed.current(step.now).absorb(&delta);
        }
    }

    /// Discards everything that the parent of a fork recorded.
    pub(crate) fn start_over(&mut self, start: &Arc<Start>) {
        self.reset(start);
        self.signals = self.entry.signals();
        self.entry.start_over();
    }

    /// The increments from signal handlers since the last call.
    pub(crate) fn take_signals(&mut self) -> u64 {
        let now = self.entry.signals();
        now.wrapping_sub(std::mem::replace(&mut self.signals, now))
    }

    pub(crate) fn fold_spill(&mut self, delta: &SpillGain, step: Step) {
        self.recorded = true;
        self.changed = true;
        if let Values::Distribution(windowed) = &mut self.values {
            windowed.current(step.now).record_coalesced(delta);
        }
    }

    pub(crate) fn fold_gauge(&mut self, delta: &Levels, step: Step) {
        self.recorded = true;
        self.changed = true;
        if let Values::Gauge(gauge) = &mut self.values {
            gauge.set_in_place(delta, step);
        }
    }

    /// Determines a gauge's current value; `loaded` is the shared word's value before the drain.
    pub(crate) fn settle_gauge(&mut self, loaded: f64) {
        if let Values::Gauge(gauge) = &mut self.values {
            self.changed |= gauge.settle(loaded);
        }
    }

    /// Discards all values. A series without a handle leaves until it is recorded again.
    pub(crate) fn reset(&mut self, start: &Arc<Start>) {
        self.values = Values::new(self.entry.kind);
        if let Values::Gauge(gauge) = &mut self.values {
            gauge.begin_after(self.entry.take_current());
        }
        self.start = Arc::clone(start);
        self.recorded = false;
        (self.seen, self.shown) = (None, None);
        self.may_leave = true;
        self.changed = true;
    }

    /// Sets a counter to 0.
    pub(crate) fn reset_counter(&mut self, start: &Arc<Start>) {
        if let Values::Counter(windowed) = &mut self.values {
            *windowed = Windowed::default();
            self.start = Arc::clone(start);
            (self.seen, self.shown) = (None, None);
            self.changed = true;
        }
    }

    /// The series as snapshots show it: the previous one, unless something has changed.
    pub(crate) fn publish(&mut self, metric: &Arc<Metric>, step: Step) -> Arc<Series> {
        self.has_left = false;
        self.slide(step);
        match &self.shown {
            Some(shown) if !self.changed && shown.dropped == self.entry.dropped() => {
                Arc::clone(shown)
            }
            _ => {
                let series = Arc::new(self.series(metric, step));
                self.shown = Some(Arc::clone(&series));
                self.changed = false;
                series
            }
        }
    }

    /// Closes the steps that have left the window.
    fn slide(&mut self, step: Step) {
        self.changed |= step.now.is_some_and(|now| self.values.slide(now, step.width));
    }

    fn series(&self, metric: &Arc<Metric>, step: Step) -> Series {
        Series {
            metric: Arc::clone(metric),
            tags: self.entry.tags.clone(),
            key: Arc::clone(&self.entry.key),
            created: self.start.at.wall,
            generation: self.start.generation,
            on_before: self.start.on_before,
            dropped: self.entry.dropped(),
            exemplar: self.values.exemplar(metric.scale, step.now.is_some()).map(Box::new),
            value: self.values.value(self.entry.kind, metric.scale, step.now.is_some()),
        }
    }

    /// The statistics of only this series, as of the step.
    pub(crate) fn value(&mut self, metric: &Arc<Metric>, step: Step) -> Value {
        self.slide(step);
        self.values.value(self.entry.kind, metric.scale, step.now.is_some())
    }

    /// The estimated size of any series in bytes.
    pub(crate) fn own_bytes(&self) -> usize {
        size_of::<Self>() + size_of::<SeriesId>() + size_of::<Series>() + self.entry.key.len()
    }

    /// Additional bytes of its values and of their published copies.
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.values {
            Values::Distribution(windowed) => {
                let counts: usize = windowed.lifetime().map(Distribution::bytes).sum();
                let shown = self.shown.as_ref().and_then(|series| series.value.as_timing());
                let views = size_of::<Views<TimingStats>>();
                let shown = shown.map_or(0, |shown| views + TimingStats::bucket_bytes(shown));
                counts + size_of::<Windowed<Distribution>>() + shown
            }
            Values::Gauge(_) => size_of::<GaugeState>() + size_of::<Views<GaugeStats>>(),
            Values::Counter(_) => 0,
        }
    }
}

impl Values {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter | Kind::UpDownCounter => Self::Counter(Windowed::default()),
            Kind::Gauge => Self::Gauge(Box::default()),
            Kind::Timing | Kind::Histogram => Self::Distribution(Box::default()),
        }
    }

    fn slide(&mut self, now: u64, width: u64) -> bool {
        match self {
            Self::Counter(windowed) => windowed.slide(now, width),
            Self::Gauge(gauge) => gauge.levels.slide(now, width),
            Self::Distribution(windowed) => windowed.slide(now, width),
        }
    }

    /// The worst traced sample in the window, or of the lifetime if there are no windows.
    fn exemplar(&self, scale: f64, windows: bool) -> Option<Exemplar> {
        let Self::Distribution(windowed) = self else { return None };
        let closed = Some(windowed.closed()).filter(|_| !windows);
        let parts = closed.into_iter().chain(windowed.window());
        let worst = parts.map(Distribution::worst).fold(None, |a, b| worst(a.as_ref(), b));
        worst.map(|witness| witness.exemplar(scale))
    }

    fn value(&self, kind: Kind, scale: f64, windows: bool) -> Value {
        match self {
            Self::Counter(windowed) => {
                let stats =
                    |total: CounterReading, kind| CounterStats { value: signed(total.value, kind) };
                let net = || stats(window::sum(windowed.window()), Kind::UpDownCounter);
                let views = Views {
                    lifetime: stats(window::sum(windowed.lifetime()), kind),
                    window: windows.then(net),
                };
                if kind == Kind::Counter {
                    Value::Counter(views)
                } else {
                    Value::UpDownCounter(views)
                }
            }
            Self::Gauge(gauge) => {
                let levels = |levels: Levels| levels.stats(gauge.current);
                Value::Gauge(Box::new(Views {
                    lifetime: levels(window::sum(gauge.levels.lifetime())),
                    window: windows.then(|| levels(window::sum(gauge.levels.window()))),
                }))
            }
            Self::Distribution(windowed) => {
                let views = Box::new(distribution_views(windowed, scale, windows));
                if kind == Kind::Timing { Value::Timing(views) } else { Value::Histogram(views) }
            }
        }
    }
}

/// The total as its kind reads it: unsigned for a counter, signed for an up-down counter.
fn signed(value: u64, kind: Kind) -> i128 {
    if kind == Kind::Counter { i128::from(value) } else { i128::from(value.cast_signed()) }
}

/// Both views of a distribution: the window's steps are merged once and used for both.
fn distribution_views(
    windowed: &Windowed<Distribution>,
    scale: f64,
    windows: bool,
) -> Views<TimingStats> {
    let window = Buckets::of_all(windowed.window().map(Distribution::parts), scale);
    let closed = Some(windowed.closed()).filter(|closed| !closed.is_empty());
    let lifetime = closed.map(|closed| Buckets::of_all([window.parts(), closed.parts()], scale));
    let window = TimingStats::of(window);
    // Until something has left the window, both views are the same.
    let lifetime = lifetime.map_or_else(|| window.clone(), TimingStats::of);
    let window = windows.then_some(window);
    Views { lifetime, window }
}
