//! A collector whose rules are evaluated once a second of its own time.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::time::{Duration, Instant, SystemTime};

use tachograph::MetricsCollector;
use tachograph_alert::{Engine, State, Transition, parse};
use tachograph_history::{History, Settings};

/// A collector, its history and an engine, one second per step.
pub(crate) struct World {
    pub(crate) metrics: MetricsCollector,
    history: History,
    pub(crate) engine: Engine,
    began: (Instant, SystemTime),
    pub(crate) seconds: u64,
}

pub(crate) const EPOCH_MS: u64 = 1_700_000_000_000;

impl World {
    pub(crate) fn new(rules: &str) -> Self {
        let rules = parse(rules).expect("right rules");
        Self {
            metrics: MetricsCollector::builder().manual().build(),
            history: History::new(Settings::default()),
            engine: Engine::new(rules, Duration::from_secs(1)),
            began: (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_millis(EPOCH_MS)),
            seconds: 0,
        }
    }

    pub(crate) fn second(&mut self) -> Vec<Transition> {
        self.seconds += 1;
        let now = Duration::from_secs(self.seconds);
        self.metrics.run_pass(self.began.0 + now, self.began.1 + now);
        let (frame, new) = self.history.record(&self.metrics.snapshot()).expect("newer");
        self.engine.frame(&frame, &new)
    }

    /// The state and value of the first rule's only alert.
    pub(crate) fn alert(&self) -> (State, Option<f64>) {
        let status = self.engine.statuses().next().expect("a rule");
        assert_eq!(status.problem, None);
        (status.alerts[0].state, status.alerts[0].value)
    }
}
