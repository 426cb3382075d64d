//! A collector whose time is made by hand, and the history of it.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tachograph::MetricsCollector;
use tachograph_history::{Definition, Frame, History, Settings};

pub(crate) struct Recorded {
    pub(crate) metrics: MetricsCollector,
    pub(crate) history: History,
    began: (Instant, SystemTime),
    now: Duration,
}

impl Recorded {
    pub(crate) fn new(settings: Settings) -> Self {
        Self::of(MetricsCollector::builder().manual().build(), settings)
    }

    /// Of a collector that is driven by hand.
    pub(crate) fn of(metrics: MetricsCollector, settings: Settings) -> Self {
        // Whole milliseconds, as frames have them.
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let began = (Instant::now(), wall);
        Self { metrics, history: History::new(settings), began, now: Duration::ZERO }
    }

    pub(crate) fn start(&self) -> SystemTime {
        self.began.1
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.began.1 + self.now
    }

    /// The frame of the next second.
    pub(crate) fn second(&mut self) -> (Arc<Frame>, Vec<Arc<Definition>>) {
        self.after(Duration::from_secs(1))
    }

    /// The frame of so much time.
    pub(crate) fn after(&mut self, time: Duration) -> (Arc<Frame>, Vec<Arc<Definition>>) {
        self.pass(time);
        self.history.record(&self.metrics.snapshot()).expect("a newer snapshot")
    }

    /// The pass after so much time.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.metrics.run_pass(self.began.0 + self.now, self.now());
    }

    pub(crate) fn number(&self, key: &str) -> u32 {
        self.history.number(key).expect("it was recorded")
    }
}
