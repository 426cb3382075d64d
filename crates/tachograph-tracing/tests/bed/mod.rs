//! A collector on a mock clock, and a subscriber that records into it.

#![allow(dead_code, reason = "each test uses its part")]

use std::time::Duration;

use tachograph::{Clock, MetricsCollector, MockClock, TimingStats};
use tachograph_tracing::{BUSY, EVENTS, IDLE, TachographLayer};
use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, registry};

pub(crate) struct Bed {
    pub(crate) collector: MetricsCollector,
    hand: MockClock,
    dispatch: Dispatch,
}

/// A layer that wants all spans and events, and does nothing with them.
pub(crate) struct Sees;

impl<S: Subscriber> Layer<S> for Sees {}

/// Count, sum, least and greatest of some milliseconds, each.
pub(crate) type Times = [(u64, f64, Option<f64>, Option<f64>); 2];

/// Those of the given times busy and idle.
pub(crate) fn times(busy: &[u64], idle: &[u64]) -> Times {
    [busy, idle].map(|all| {
        let seconds = |ms: u64| ms as f64 / 1e3;
        let bound = |ms: Option<&u64>| ms.map(|&ms| seconds(ms));
        let sum = seconds(all.iter().sum());
        (all.len() as u64, sum, bound(all.iter().min()), bound(all.iter().max()))
    })
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::with(|layer| layer)
    }

    pub(crate) fn with(change: impl FnOnce(TachographLayer) -> TachographLayer) -> Self {
        let (clock, hand) = Clock::mock();
        let collector = MetricsCollector::builder().manual().clock(clock).build();
        let layer = change(TachographLayer::new(collector.clone()));
        Self { collector, hand, dispatch: Dispatch::new(registry().with(layer)) }
    }

    /// Runs with the subscriber as this thread's.
    pub(crate) fn run<T>(&self, act: impl FnOnce() -> T) -> T {
        dispatcher::with_default(&self.dispatch, act)
    }

    pub(crate) fn pass_ms(&self, ms: u64) {
        self.hand.advance(Duration::from_millis(ms));
    }

    fn stats(&self, metric: &str, span: &str) -> Option<TimingStats> {
        self.collector.with_tags(&[("span", span), ("target", "test")]).get_timing(metric)
    }

    /// What the spans of a name, without fields, were: busy and idle.
    pub(crate) fn spans(&self, name: &str) -> Times {
        [BUSY, IDLE].map(|metric| {
            let stats = self.stats(metric, name).expect("some span of the name is closed");
            (stats.count, stats.sum, stats.min, stats.max)
        })
    }

    pub(crate) fn has_spans(&self, name: &str) -> bool {
        [BUSY, IDLE].iter().any(|metric| self.stats(metric, name).is_some())
    }

    pub(crate) fn events(&self, level: &str) -> Option<i128> {
        let tags = [("level", level), ("target", "test")];
        self.collector.with_tags(&tags).get_counter(EVENTS).map(|stats| stats.value)
    }

    /// The number of spans with these tags.
    pub(crate) fn tagged(&self, tags: &[(&str, &str)]) -> Option<u64> {
        self.collector.with_tags(tags).get_timing(BUSY).map(|stats| stats.count)
    }
}
