//! A collector with everything that happens to it, driven by a seed.

use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;

use crate::series::metric::Kind;
use crate::series::registry::Cardinality;
use crate::sync::fault::Plan;
use crate::testing::simulation::difference::Kept;
use crate::testing::simulation::handle::Held;
use crate::testing::simulation::model::Model;
use crate::testing::simulation::recording::Route;
use crate::{Clock, Counter, MetricsCollector, MockClock, Recorder};

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) loud: bool,
    pub(super) metrics: MetricsCollector,
    pub(super) clock: Clock,
    pub(super) hand: MockClock,
    pub(super) model: Model,
    pub(super) plan: Plan,
    pub(super) recorders: Vec<Recorder>,
    pub(super) held: Vec<Held>,
    /// Snapshots of before, to be compared with later ones.
    pub(super) kept: Vec<Kept>,
    pub(super) foreign: (MetricsCollector, Counter),
    /// The window's width and steps.
    pub(super) window: Option<(Duration, u32)>,
    /// When the collector was made, and the time of its last pass.
    pub(super) epoch: Instant,
    pub(super) now: Instant,
    pub(super) wall: SystemTime,
    /// Whether recording was ever on.
    pub(super) was_on: bool,
    /// When it was made or reset.
    pub(super) started: Instant,
    /// Versions of snapshots that were published, and of those that were made.
    pub(super) published: u64,
    pub(super) made: u64,
}

impl World {
    pub(super) fn new(seed: u64, loud: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (clock, hand) = Clock::mock();
        let limits = Cardinality {
            series_per_metric: rng.usize(1..6),
            series: rng.usize(4..24),
            metrics: rng.usize(5..10),
            distribution_bytes: usize::MAX,
        };
        let windows = rng.u8(0..5) > 0;
        let width = Duration::from_secs(rng.u64(1..4));
        let window = windows.then(|| (width, rng.u32(1..5))).map(|(w, steps)| (w * steps, steps));
        let blocks = rng.usize(2..5);
        let idle_timeout = rng.bool().then(|| Duration::from_secs(rng.u64(1..60)));
        let enabled = rng.u8(0..8) > 0;
        let builder = MetricsCollector::builder()
            .manual()
            .enabled(enabled)
            .clock(clock.clone())
            .lane_blocks(2, blocks)
            .max_lanes(rng.usize(1..24))
            .series_per_metric(limits.series_per_metric)
            .max_series(limits.series)
            .max_metrics(limits.metrics);
        let builder = match window {
            Some((span, steps)) => builder.window(span, steps),
            None => builder.no_window(),
        };
        let builder = match idle_timeout {
            Some(timeout) => builder.idle_timeout(timeout),
            None => builder,
        };
        let foreign = MetricsCollector::builder().manual().max_series(1).max_metrics(1).build();
        let epoch = clock.now();
        Self {
            rng,
            loud,
            metrics: builder.build(),
            model: Model::new(limits, idle_timeout),
            plan: Plan::default(),
            recorders: Vec::new(),
            held: Vec::new(),
            kept: Vec::new(),
            foreign: (foreign.clone(), foreign.register_counter("elsewhere")),
            window,
            epoch,
            now: epoch,
            wall: clock.wall(),
            was_on: enabled,
            started: epoch,
            published: 1,
            made: 1,
            clock,
            hand,
        }
    }

    /// Some steps, then the end, with everything checked.
    pub(super) fn run(mut self) {
        let plan = self.plan.clone();
        let _installed = plan.install();
        for _ in 0..self.rng.u32(10..60) {
            self.step();
        }
        self.end();
    }

    /// As `run`, with one record behind the model's back.
    pub(super) fn run_tampered(mut self) {
        self.metrics.set_enabled(true);
        self.was_on = true;
        self.recorders.push(self.metrics.recorder());
        let hits = self.metrics.register_counter("c0");
        let (target, _) = self.model.resolve("c0", 0, Kind::Counter);
        self.adopt(&target, Kind::Counter, "c0", 0);
        hits.increment();
        self.end();
    }

    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if self.loud {
            super::say(&what());
        }
    }

    pub(super) fn step(&mut self) {
        match self.rng.u32(0..100) {
            0..8 => self.register(),
            8..40 => self.record_some(),
            40..48 => self.record_compound(),
            48..56 => self.open_or_close(),
            56..62 => self.crowd(),
            62..66 => self.move_time(),
            66..70 => self.switch(),
            70..80 => self.pass(),
            80..84 => self.read_all(),
            84..88 => self.compare(),
            88..93 => self.read_one(),
            93 => self.remove(),
            94..96 => self.reset(),
            96 => self.reset_counters(),
            97..99 => self.measure(),
            _ => self.use_elsewhere(),
        }
    }

    pub(super) fn mode(&self) -> u8 {
        self.metrics.core().shared.mode()
    }

    pub(super) fn open_or_close(&mut self) {
        if self.recorders.is_empty() || (self.recorders.len() < 5 && self.rng.bool()) {
            self.say(|| "open a recorder".to_owned());
            self.recorders.push(self.metrics.recorder());
        } else {
            self.say(|| "close a recorder".to_owned());
            let place = self.rng.usize(0..self.recorders.len());
            drop(self.recorders.swap_remove(place));
        }
    }

    /// Many lanes at once, which are surplus afterwards and leave, one a pass.
    pub(super) fn crowd(&mut self) {
        let crowd: Vec<Recorder> =
            (0..self.rng.usize(3..9)).map(|_| self.metrics.recorder()).collect();
        let kept = self.recorders.len();
        self.say(|| format!("a crowd of {}", crowd.len()));
        self.recorders.extend(crowd);
        if !self.held.is_empty() {
            for recorder in kept..self.recorders.len() {
                let held = self.rng.usize(0..self.held.len());
                (0..self.rng.u32(0..20)).for_each(|_| self.record(Route::Recorder(recorder, held)));
            }
        }
        self.recorders.truncate(kept);
    }

    pub(super) fn move_time(&mut self) {
        let by = Duration::from_millis(self.rng.u64(0..9_000));
        // By whole seconds, as limits are, every other time.
        let by = if self.rng.bool() { by } else { Duration::from_secs(by.as_secs()) };
        let how = self.rng.u8(0..8);
        self.say(|| format!("move time by {by:?}: {how}"));
        match how {
            0 => self.hand.rewind(by),
            1 => self.hand.advance_wall(by * 1_000),
            2 => self.hand.advance(by * 100),
            _ => self.hand.advance(by),
        }
    }

    pub(super) fn switch(&mut self) {
        let on = self.rng.u8(0..3) > 0;
        self.say(|| format!("set_enabled({on})"));
        self.metrics.set_enabled(on);
        self.was_on |= on;
    }

    /// A last pass, and the shutdown's report.
    pub(super) fn end(&mut self) {
        self.metrics.set_enabled(true);
        self.was_on = true;
        self.pass();
        self.compare();
        let left = self.recorders.len();
        let report = self.metrics.shutdown(Duration::from_secs(1));
        assert_eq!(report.recorded, report.aggregated + report.dropped);
        assert_eq!(report.recorded, self.model.recorded(), "recorded");
        assert_eq!(report.dropped, self.model.dropped(), "dropped");
        let lanes = self.metrics.core().shared.lanes();
        let owned = lanes.iter().filter(|lane| lane.is_owned()).count();
        let own = usize::from(crate::record::this_thread::has_lane(&self.metrics.core().shared));
        assert!(owned <= left + own, "{owned} lanes of {left} recorders");
        assert!(lanes.iter().all(|lane| !lane.is_retired()), "a retired lane is kept");
        // Recorded too late: a counted drop, each of them.
        (0..5).for_each(|_| self.record_some());
        (0..2).for_each(|_| self.record_compound());
        self.made = self.metrics.snapshot().version();
        self.read_all();
        let again = self.metrics.shutdown(Duration::from_secs(1));
        assert_eq!(again.recorded, self.model.recorded());
        assert_eq!(again.aggregated, report.aggregated);
    }
}
