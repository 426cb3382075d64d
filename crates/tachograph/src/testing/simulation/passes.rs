//! Operations that make a pass: reading, resetting, manual passes; with faults, and the checks
//! afterwards.

use crate::series::metric::Kind;
use crate::sync::fault::POINTS;
use crate::testing::simulation::check::{self, Window};
use crate::testing::simulation::model::tags;
use crate::testing::simulation::world::World;
use crate::{CounterStats, GaugeStats, Snapshot, TimingStats};

pub(super) enum Read {
    Counter(CounterStats),
    Timing(TimingStats),
    Gauge(GaugeStats),
}

impl World {
    pub(super) fn window(&self) -> Window {
        let Some((span, steps)) = self.window else { return Window { now: 0, steps: None } };
        let step = (self.now - self.epoch).as_nanos() / (span / steps).as_nanos();
        Window { now: step as u64, steps: Some(u64::from(steps)) }
    }

    /// Makes a pass through `act`, occasionally with a panic in the middle.
    pub(super) fn with_fault<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> (R, bool) {
        let panics = self.plan.panics();
        if self.rng.u8(0..4) == 0 {
            let (point, nth) = (POINTS[self.rng.usize(0..POINTS.len())], self.rng.u64(1..8));
            let nth = if self.rng.bool() { 1 } else { nth };
            self.say(|| format!("fault: {point}, passage {nth}"));
            self.plan.panic_at(point, nth);
        }
        let result = act(self);
        self.plan.disarm();
        (result, self.plan.panics() > panics)
    }

    /// Completes a pass with a fault, at the same time.
    pub(super) fn recover(&mut self) {
        self.metrics.run_pass(self.now, self.wall);
        self.model.pass(self.window().now, &self.metrics);
        self.reconcile();
    }

    /// Removes from the model what a panic has turned into drops.
    pub(super) fn reconcile(&mut self) {
        let snapshot = self.metrics.get_all_metrics();
        let step = self.window().now;
        let mut lost = Vec::new();
        for (key, series) in &mut self.model.series {
            let dropped = series.entry.dropped();
            if dropped != series.dropped {
                assert_eq!(dropped, series.dropped + 1, "one sample for one panic");
                series.dropped = dropped;
                lost.push(series.elsewhere.as_ref().unwrap_or(key).clone());
            }
        }
        for key in lost {
            let series = self.model.series.get_mut(&key).expect("it has the samples");
            series.forget_lost(&snapshot, step);
        }
        self.metrics.run_pass(self.now, self.wall);
        self.model.look(self.now, &self.metrics);
    }

    pub(super) fn pass(&mut self) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        self.say(|| format!("run_pass at {:?}", now - self.epoch));
        self.model.anomalies += u64::from(now < self.now);
        (self.now, self.wall) = (self.now.max(now), wall);
        let (_, faulty) = self.with_fault(|world| world.metrics.run_pass(now, wall));
        if faulty {
            self.recover();
        }
        self.model.pass(self.window().now, &self.metrics);
        self.check_published();
    }

    /// Checks the published snapshot, directly after a pass.
    pub(super) fn check_published(&mut self) {
        let snapshot = self.metrics.snapshot();
        assert!(snapshot.version() >= self.published, "versions grow");
        assert!(snapshot.version() > self.made, "versions grow");
        self.check(&snapshot);
        self.published = snapshot.version();
        self.made = self.made.max(self.published);
    }

    pub(super) fn check(&mut self, snapshot: &Snapshot) {
        self.model.look(self.now, &self.metrics);
        check::snapshot(&self.model, snapshot, self.window());
        let told = |name: &str| check::total(snapshot, name);
        assert_eq!(told("telemetry.panics"), i128::from(self.plan.panics()));
        assert_eq!(snapshot.uptime(), self.now - self.started);
        assert_eq!(snapshot.timestamp(), self.wall);
        assert_eq!(snapshot.window_span(), self.window.map(|(span, _)| span));
    }

    pub(super) fn read_all(&mut self) {
        self.say(|| "get_all_metrics".to_owned());
        let (snapshot, faulty) = self.with_fault(|world| world.metrics.get_all_metrics());
        // The read was repeated: it is complete, except for what the panic has turned into drops.
        assert!(snapshot.version() > self.made, "versions grow");
        self.made = snapshot.version();
        self.model.pass(self.window().now, &self.metrics);
        if faulty {
            self.reconcile();
            self.check_published();
        }
        self.check(&snapshot);
    }

    pub(super) fn read_one(&mut self) {
        let (name, tag, kind) = self.any_name();
        self.say(|| format!("get {name} {tag} as {kind:?}"));
        let tags = tags(tag);
        let (read, faulty) = self.with_fault(|world| {
            let tagged = world.metrics.with_tags(&tags);
            let counter = || tagged.get_counter(name).map(Read::Counter);
            let timing = || tagged.get_timing(name).map(Read::Timing);
            match kind {
                Kind::Counter | Kind::UpDownCounter => counter(),
                Kind::Timing | Kind::Histogram => timing(),
                Kind::Gauge => tagged.get_gauge(name).map(Read::Gauge),
            }
        });
        if !self.was_on || self.model.find(name, tag).is_none() {
            assert!(read.is_none(), "{name} {tag} is not there");
            assert!(!faulty, "no pass was made");
            return;
        }
        let step = self.window().now;
        self.model.read_one(name, tag, step, &self.metrics);
        if faulty {
            // The model does not track what else was read before the panic, so read all of it now.
            self.recover();
            self.check_published();
        }
        let series = self.model.find(name, tag).expect("found above");
        let shown = self.model.known(&series.entry.key).is_some_and(|seen| !seen.hidden);
        let fits = match kind {
            Kind::Timing | Kind::Histogram => {
                matches!(series.kind, Kind::Timing | Kind::Histogram)
            }
            kind => series.kind.fits(kind),
        };
        let key = &*series.entry.key;
        match read {
            None => assert!(!fits || !shown, "{key} is there"),
            Some(_) if !fits => panic!("{key} is no {kind:?}"),
            Some(Read::Counter(stats)) => check::counter(&series.items, &stats, series.kind, key),
            Some(Read::Timing(stats)) => {
                check::distribution(&series.items, &stats, key);
            }
            Some(Read::Gauge(stats)) => check::gauge(series, &series.items, &stats, key),
        }
    }

    pub(super) fn reset(&mut self) {
        self.say(|| "reset".to_owned());
        let ((), faulty) = self.with_fault(|world| world.metrics.reset());
        self.model.pass(self.window().now, &self.metrics);
        if faulty {
            self.note_drops();
        }
        self.model.reset();
        self.started = self.now;
        self.check_published_by_reset();
    }

    pub(super) fn remove(&mut self) {
        let (name, tag, _) = self.any_name();
        self.say(|| format!("remove {name} {tag}"));
        let removed = self.metrics.remove(name, &tags(tag));
        if self.model.find(name, tag).is_none() {
            return assert!(!removed, "{name} {tag} is not there");
        }
        self.model.pass(self.window().now, &self.metrics);
        assert_eq!(removed, self.model.remove(name, tag), "{name} {tag} is there");
        self.check_published_by_reset();
    }

    pub(super) fn reset_counters(&mut self) {
        self.say(|| "reset_counters".to_owned());
        let ((), faulty) = self.with_fault(|world| world.metrics.reset_counters());
        self.model.pass(self.window().now, &self.metrics);
        if faulty {
            // What remains shows which value was lost; counters lose none.
            let counters = self.model.series.values_mut();
            for series in counters.filter(|series| series.kind.is_counter()) {
                series.dropped = series.entry.dropped();
            }
            self.reconcile();
        }
        self.model.reset_counters();
        self.check_published_by_reset();
    }

    pub(super) fn check_published_by_reset(&mut self) {
        let snapshot = self.metrics.snapshot();
        assert!(snapshot.version() > self.made, "versions grow");
        (self.published, self.made) = (snapshot.version(), snapshot.version());
        self.check(&snapshot);
    }

    /// Notes drops that a panic has made of samples whose values are discarded anyway.
    pub(super) fn note_drops(&mut self) {
        for series in self.model.series.values_mut() {
            series.dropped = series.entry.dropped();
        }
    }
}
