//! Fault 7: a clock that goes backwards, stands still or jumps.

use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tachograph::{ByName, Clock, MetricsCollector, MockClock, Timer};

use crate::{SANITIZED, count, exact};

const SEEDS: u64 = if SANITIZED { 50 } else { 1_000 };
const STEPS: usize = 60;

/// A collector on a mock clock, and what it must come to.
struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
    /// The clock, in nanoseconds since its start.
    now: u64,
    /// Timers that are running, and when each was started.
    running: Vec<(Timer<ByName>, u64)>,
    last_pass: u64,
    recorded: (u64, u128),
    anomalies: i128,
}

impl Driven {
    fn new() -> Self {
        let (clock, mock) = Clock::mock();
        let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
        metrics.register_timing("t");
        Self {
            metrics,
            clock,
            mock,
            now: 0,
            running: Vec::new(),
            last_pass: 0,
            recorded: (0, 0),
            anomalies: 0,
        }
    }

    fn forward(&mut self, nanos: u64) {
        self.mock.advance(Duration::from_nanos(nanos));
        self.now += nanos;
    }

    fn backward(&mut self, nanos: u64) {
        self.mock.rewind(Duration::from_nanos(nanos));
        self.now = self.now.saturating_sub(nanos);
    }

    fn start(&mut self) {
        let timer = self.metrics.timer("t");
        self.running.push((timer, self.now));
    }

    /// Ends a timer: what has passed, or nothing and an anomaly.
    fn stop(&mut self, which: usize) {
        let (timer, started) = self.running.swap_remove(which);
        let elapsed = self.now.saturating_sub(started);
        self.anomalies += i128::from(self.now < started);
        assert_eq!(timer.stop(), Duration::from_nanos(elapsed));
        self.recorded = (self.recorded.0 + 1, self.recorded.1 + u128::from(elapsed));
    }

    /// A pass: time that has run backwards stands still and is counted.
    fn pass(&mut self, wall: SystemTime) {
        self.metrics.run_pass(self.clock.now(), wall);
        self.anomalies += i128::from(self.now < self.last_pass);
        self.last_pass = self.last_pass.max(self.now);
        let snapshot = self.metrics.snapshot();
        assert_eq!(snapshot.uptime(), Duration::from_nanos(self.last_pass));
        assert_eq!(snapshot.timestamp(), wall);
        let series = snapshot.find("t", &[]).and_then(|series| series.value.as_timing().cloned());
        let views = series.expect("registered");
        let window = views.window.expect("windows are on");
        assert!(window.count <= views.lifetime.count);
        assert_eq!(exact(Some(views.lifetime)), self.recorded);
    }

    fn step(&mut self, random: &mut Rng) {
        const DAY_NS: u64 = 86_400_000_000_000;
        match random.u64(..10) {
            0 => self.forward(1 + random.u64(..1_000)),
            1 => self.forward(random.u64(..20_000_000_000)),
            2 => self.forward(random.u64(..DAY_NS)),
            3 => self.backward(random.u64(..1_000)),
            4 => self.backward(random.u64(..DAY_NS)),
            5 | 6 => self.start(),
            7 | 8 if !self.running.is_empty() => {
                self.stop(random.u64(..self.running.len() as u64) as usize);
            }
            9 => {
                // Wall-clock time jumps as it likes, even before 1970.
                let days = Duration::from_nanos(random.u64(..40_000 * DAY_NS / 1_000) * 1_000);
                let wall = SystemTime::UNIX_EPOCH + days - Duration::from_secs(86_400 * 10_000);
                self.pass(wall);
            }
            // Frozen.
            _ => {}
        }
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "tells the seed where an assertion fails")]
fn fault_7_clocks_that_jump_freeze_and_run_backwards_lose_no_sample_and_are_counted() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let (mut random, mut driven) = (Rng::with_seed(seed), Driven::new());
        (0..STEPS).for_each(|_| driven.step(&mut random));
        while !driven.running.is_empty() {
            driven.stop(0);
        }
        driven.pass(SystemTime::UNIX_EPOCH);
        assert_eq!(count(&driven.metrics, "telemetry.clock.anomalies"), driven.anomalies);
        assert_eq!(count(&driven.metrics, "telemetry.aggregated"), driven.recorded.0.into());
    }
}
