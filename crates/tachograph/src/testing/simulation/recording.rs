//! The records of the simulated threads, and their outcomes.

use std::time::Duration;

use crate::lane::lane::mode;
use crate::series::metric::Kind;
use crate::sync::Ordering;
use crate::testing::simulation::handle::{Handle, Held};
use crate::testing::simulation::model::{
    Outcome, Pending, SeriesModel, TAG_VALUES, Tag, Target, tags,
};
use crate::testing::simulation::world::World;

const NAMES: [(&str, Kind); 8] = [
    ("c0", Kind::Counter),
    ("c1", Kind::Counter),
    ("g0", Kind::Gauge),
    ("g1", Kind::Gauge),
    ("h0", Kind::Histogram),
    ("t0", Kind::Timing),
    ("t1", Kind::Timing),
    ("u0", Kind::UpDownCounter),
];

const KINDS: [Kind; 5] =
    [Kind::Counter, Kind::UpDownCounter, Kind::Gauge, Kind::Timing, Kind::Histogram];

/// The way in which a record is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Route {
    Handle(usize),
    Recorder(usize, usize),
    Name(&'static str, Tag, Kind),
}

impl World {
    pub(super) fn any_name(&mut self) -> (&'static str, Tag, Kind) {
        let (name, kind) = NAMES[self.rng.usize(0..NAMES.len())];
        let tag = if self.rng.bool() { 0 } else { self.rng.usize(0..TAG_VALUES.len()) };
        // Occasionally as a different kind than its name has elsewhere.
        let kind = match self.rng.u8(0..20) {
            0 => KINDS[self.rng.usize(0..KINDS.len())],
            1 if kind == Kind::Counter => Kind::UpDownCounter,
            _ => kind,
        };
        (name, tag, kind)
    }

    /// Notes the entry of a series that may be new.
    pub(super) fn adopt(&mut self, target: &Target, kind: Kind, name: &str, tag: Tag) {
        let Target::Series(key) = target else { return };
        if self.model.series.contains_key(key) {
            return;
        }
        let registry = &self.metrics.core().shared.registry;
        let overflow = key.ends_with("[overflow=true]");
        let entry = match overflow {
            true => registry.find(name, &[("overflow", "true")]),
            false => registry.find(name, &tags(tag)),
        };
        let entry = entry.unwrap_or_else(|| panic!("{key} exists"));
        assert_eq!(*entry.key, **key);
        self.model.series.insert(key.clone(), SeriesModel::new(kind, entry));
    }

    pub(super) fn register(&mut self) {
        let (name, tag, kind) = self.any_name();
        let (target, is) = self.model.resolve(name, tag, kind);
        self.say(|| format!("register {name} {tag} as {kind:?}: {target:?}"));
        let tags = tags(tag);
        let tagged = self.metrics.with_tags(&tags);
        let handle = match kind {
            Kind::Counter => Handle::Counter(tagged.register_counter(name)),
            Kind::UpDownCounter => Handle::UpDown(tagged.register_up_down_counter(name)),
            Kind::Gauge => Handle::Gauge(tagged.register_gauge(name)),
            Kind::Timing => Handle::Timing(tagged.register_timing(name)),
            Kind::Histogram => Handle::Histogram(tagged.register_histogram(name)),
        };
        self.adopt(&target, is, name, tag);
        if let Target::Series(key) = &target {
            self.model.series.get_mut(key).expect("adopted").pinned = true;
        }
        self.held.push(Held { target, handle });
    }

    /// One record, a few, or more than a lane has room for.
    pub(super) fn record_some(&mut self) {
        let times = match self.rng.u8(0..10) {
            0 => self.rng.usize(50..200),
            1..4 => self.rng.usize(5..40),
            _ => 1,
        };
        let route = self.any_route();
        self.say(|| format!("record {times} times by {route:?}"));
        for _ in 0..times {
            self.record(route);
        }
    }

    pub(super) fn any_route(&mut self) -> Route {
        let held = (!self.held.is_empty()).then(|| self.rng.usize(0..self.held.len()));
        let recorder =
            (!self.recorders.is_empty()).then(|| self.rng.usize(0..self.recorders.len()));
        match (self.rng.u8(0..3), held, recorder) {
            (0, Some(held), _) => Route::Handle(held),
            (1, Some(held), Some(recorder)) => Route::Recorder(recorder, held),
            _ => {
                let (name, tag, kind) = self.any_name();
                Route::Name(name, tag, kind)
            }
        }
    }

    pub(super) fn record(&mut self, route: Route) {
        if self.mode() == mode::OFF {
            let value = self.value(Kind::Counter);
            return self.do_record(route, value);
        }
        let (target, kind) = self.target(route);
        let value = self.value(kind);
        let before = self.probe(&target);
        self.do_record(route, value);
        self.adopt_named(route, &target);
        let after = self.probe(&target);
        let Target::Series(key) = target else {
            self.model.refused += 1;
            self.model.decrements[1] += u64::from(kind == Kind::UpDownCounter);
            return;
        };
        let outcome = match (after.0 - before.0, after.1 - before.1) {
            (0, 0) => Outcome::Sample,
            (0, 1) => Outcome::InPlace,
            (1, 0) => Outcome::Dropped,
            (dropped, in_place) => panic!("{key}: {dropped} drops and {in_place} in place of one"),
        };
        let monotonic = self.model.series[&key].kind == Kind::Counter;
        if monotonic && matches!(route, Route::Name(_, _, Kind::UpDownCounter)) {
            let dropped = usize::from(outcome == Outcome::Dropped);
            self.model.decrements[dropped] += 1;
        }
        let gauge_add = !matches!(route, Route::Name(..)) && kind == Kind::Gauge && value.1;
        self.note(&key, value.0, gauge_add, outcome);
    }

    /// Like `adopt`, for records by name.
    pub(super) fn adopt_named(&mut self, route: Route, target: &Target) {
        if let Route::Name(name, tag, kind) = route {
            let (_, is) = self.model.resolve(name, tag, kind);
            self.adopt(target, is, name, tag);
        }
    }

    /// The target and kind of a record by handle or by name.
    pub(super) fn target(&mut self, route: Route) -> (Target, Kind) {
        match route {
            Route::Handle(held) | Route::Recorder(_, held) => {
                let held = &self.held[held];
                (held.target.clone(), held.handle.kind())
            }
            Route::Name(name, tag, kind) => (self.model.resolve(name, tag, kind).0, kind),
        }
    }

    /// Enters a record into the model.
    pub(super) fn note(&mut self, key: &str, value: u64, gauge_add: bool, outcome: Outcome) {
        let series = self.model.series.get_mut(key).expect("adopted");
        let mut value = value;
        if series.kind == Kind::Gauge {
            let gauge = &mut series.gauge;
            let mut set = f64::from_bits(value);
            if gauge_add {
                set = if gauge.word.is_nan() { set } else { gauge.word + set };
                value = set.to_bits();
            }
            // Acquire: as every load of `current`.
            let word = series.entry.words.current.load(Ordering::Acquire);
            let taken = word == set;
            assert!(taken || outcome == Outcome::Dropped, "{key}: {word} was set to {set}");
            if taken {
                (gauge.word, gauge.is_set) = (word, true);
                gauge.magnitude += if word.is_finite() { word.abs() } else { 0.0 };
            } else {
                let same = word == gauge.word || (word.is_nan() && gauge.word.is_nan());
                assert!(same, "{key}: a refused value was stored");
            }
        }
        series.note(Pending { value, outcome, trace: None });
    }

    /// A value and, for a gauge's handle, whether it is added.
    pub(super) fn value(&mut self, kind: Kind) -> (u64, bool) {
        let rng = &mut self.rng;
        match kind {
            Kind::Counter | Kind::UpDownCounter => {
                let odd = [0, 2, 1_000, u64::MAX, 1 << 63][rng.usize(0..5)];
                (if rng.u8(0..4) == 0 { odd } else { 1 }, false)
            }
            Kind::Gauge => {
                let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, -0.0, 1e-300];
                let value = match rng.u8(0..16) {
                    0 => odd[rng.usize(0..odd.len())],
                    1..8 => f64::from(rng.i8(-1..2)),
                    _ => rng.f64() * 1e3 - 500.0,
                };
                (value.to_bits(), rng.u8(0..4) == 0)
            }
            Kind::Timing | Kind::Histogram => {
                let odd = [0, 1, u64::MAX, u64::MAX - 1, 1 << 42, 1 << 63];
                let value = match rng.u8(0..16) {
                    0 => odd[rng.usize(0..odd.len())],
                    1..5 => rng.u64(0..10),
                    // Any magnitude, or one that uses many buckets.
                    5..9 => rng.u64(..) >> rng.u32(0..64),
                    _ => rng.u64(0..1 << 20),
                };
                (value, false)
            }
        }
    }

    pub(super) fn do_record(&self, route: Route, (value, add): (u64, bool)) {
        match route {
            Route::Handle(held) => self.held[held].handle.record(value, add),
            Route::Recorder(recorder, held) => {
                self.held[held].handle.record_by(&self.recorders[recorder], value, add);
            }
            Route::Name(name, tag, kind) => {
                let tags = tags(tag);
                let tagged = self.metrics.with_tags(&tags);
                match kind {
                    Kind::Counter if value == 1 => tagged.increment(name),
                    Kind::Counter => tagged.increment_by(name, value),
                    Kind::UpDownCounter => tagged.decrement_by(name, value.wrapping_neg()),
                    Kind::Gauge => tagged.gauge(name, f64::from_bits(value)),
                    Kind::Timing => tagged.timing(name, Duration::from_nanos(value)),
                    Kind::Histogram => tagged.histogram(name, value),
                }
            }
        }
    }

    /// A series' drops, and its records in cells and rows.
    pub(super) fn probe(&self, target: &Target) -> (u64, u64) {
        let Target::Series(key) = target else { return (0, 0) };
        let Some(series) = self.model.series.get(key) else { return (0, 0) };
        let (entry, slot) = (&series.entry, series.entry.slot);
        let lanes = self.metrics.core().shared.lanes();
        let signals = series.entry.signals();
        let in_place = lanes.iter().map(|lane| match entry.kind {
            Kind::Counter | Kind::UpDownCounter => {
                lane.cells.get(slot).map_or(0, |cell| cell.read().calls)
            }
            Kind::Timing | Kind::Histogram => {
                lane.rows.rows().find(|row| row.0 == slot).map_or(0, |row| row.1.count())
            }
            Kind::Gauge => {
                lane.gauges.rows().find(|row| row.0 == slot).map_or(0, |row| row.1.count())
            }
        });
        (entry.dropped(), in_place.fold(signals, u64::wrapping_add))
    }

    /// A timer of a recorder, on a clock that may run backwards.
    pub(super) fn measure(&mut self) {
        let timing = self.held.iter().position(|held| matches!(held.handle, Handle::Timing(_)));
        let (Some(held), Some(_)) = (timing, self.recorders.first()) else { return };
        let (by, back) = (Duration::from_millis(self.rng.u64(0..900)), self.rng.u8(0..3) == 0);
        self.say(|| format!("measure {by:?}, backwards: {back}"));
        let target = self.held[held].target.clone();
        let Handle::Timing(timing) = &self.held[held].handle else { return };
        let (before, start) = (self.probe(&target), self.clock.now());
        let timer = self.recorders[0].start(timing);
        if back {
            self.hand.rewind(by)
        } else {
            self.hand.advance(by)
        }
        let took = timer.stop();
        // Only while it is on does a timer read the clock.
        if self.mode() != mode::ON {
            return assert_eq!(took, Duration::ZERO);
        }
        let end = self.clock.now();
        self.model.anomalies += u64::from(end < start);
        assert_eq!(took, end.saturating_duration_since(start));
        let after = self.probe(&target);
        let Target::Series(key) = target else {
            self.model.refused += 1;
            return;
        };
        let outcome = match (after.0 - before.0, after.1 - before.1) {
            (0, 0) => Outcome::Sample,
            (0, _) => Outcome::InPlace,
            _ => Outcome::Dropped,
        };
        self.note(&key, took.as_nanos() as u64, false, outcome);
    }

    /// A handle of another collector.
    pub(super) fn use_elsewhere(&mut self) {
        let Some(recorder) = self.recorders.first() else { return };
        self.say(|| "a handle of another collector".to_owned());
        recorder.increment(&self.foreign.1);
        self.model.refused += u64::from(self.mode() != mode::OFF);
        let elsewhere = self.foreign.0.get_counter("elsewhere");
        assert_eq!(elsewhere.map(|stats| stats.value), Some(0));
    }
}
