//! A collector to record into, with checks that everything arrived.

use std::time::{Instant, SystemTime};

use tachograph::{Counter, Gauge, Histogram, MetricsCollector, Recorder, Timing};

use crate::case::{Done, every_record};

/// A collector with a handle of each kind. Each call records a series of its own.
#[derive(Debug)]
pub struct Bed {
    /// The collector.
    pub metrics: MetricsCollector,
    /// Recorded while recording is on for a moment.
    pub warm: Counter,
    pub(crate) counter: Counter,
    pub(crate) gauge: Gauge,
    pub(crate) timing: Timing,
    pub(crate) histogram: Histogram,
    pub(crate) timer: Timing,
}

impl Bed {
    /// Creates the handles of a collector.
    pub fn of(metrics: MetricsCollector) -> Self {
        Self {
            warm: metrics.register_counter("warm"),
            counter: metrics.register_counter("counter.handle"),
            gauge: metrics.register_gauge("gauge.handle"),
            timing: metrics.register_timing("timing.handle"),
            histogram: metrics.register_histogram("histogram.handle"),
            timer: metrics.register_timing("timer.handle"),
            metrics,
        }
    }

    /// A bed whose collector runs passes manually.
    pub fn manual() -> Self {
        Self::of(MetricsCollector::builder().manual().build())
    }

    /// Aggregates and publishes immediately.
    pub fn pass(&self) {
        self.metrics.run_pass(Instant::now(), SystemTime::now());
    }

    /// A recorder, and a handle that is recorded nowhere else.
    pub(crate) fn recorder<H: Clone>(&self, handle: &H) -> (Recorder, H) {
        (self.metrics.recorder(), handle.clone())
    }

    pub(crate) fn counted(&self, name: &str, done: Done) {
        let stats = self.metrics.get_counter(name);
        every_record(stats.map(|stats| stats.value), done.operations);
    }

    /// Checks a timing whose values are the operations' numbers, so the sum is known too.
    pub(crate) fn timed(&self, name: &str, done: Done) {
        let stats = self.metrics.get_timing(name);
        every_record(stats.as_ref().map(|stats| stats.count), done.operations);
        every_record(stats.map(|stats| stats.buckets().sum()), done.sum);
    }

    /// Like `timed`, for durations that are not known beforehand.
    pub(crate) fn ended(&self, name: &str, done: Done) {
        every_record(self.metrics.get_timing(name).map(|stats| stats.count), done.operations);
    }

    /// The percentage of a distribution's samples that were coalesced.
    pub(crate) fn coalesced_of(&self, name: &str) -> Option<f64> {
        let stats = self.metrics.get_timing(name)?;
        Some(100.0 * stats.buckets().coalesced() as f64 / stats.count.max(1) as f64)
    }

    pub(crate) fn set(&self, name: &str, done: Done) {
        let stats = self.metrics.get_gauge(name);
        let current = stats.and_then(|stats| stats.current);
        every_record(stats.map(|stats| stats.count), done.operations);
        assert_eq!(current, cfg!(feature = "record").then_some(0.5));
    }

    /// Asserts that nothing was recorded while recording was off.
    ///
    /// # Panics
    /// If something was.
    pub fn assert_warm_only(&self) {
        self.metrics.set_enabled(true);
        let of = |name| self.metrics.get_counter(name).map(|stats| stats.value);
        assert_eq!(of("telemetry.recorded"), of("warm"));
        self.metrics.set_enabled(false);
    }

    /// The number of samples so far of which only the octave is known.
    ///
    /// # Panics
    /// If recording is off.
    pub fn coalesced(&self) -> u64 {
        let stats = self.metrics.get_counter("telemetry.coalesced").expect("the collector's own");
        stats.value.try_into().expect("it only grows")
    }

    /// The number of samples so far for which there was no room at all.
    pub fn dropped(&self) -> u64 {
        let tags = [("reason", "overload")];
        let stats = self.metrics.with_tags(&tags).get_counter("telemetry.dropped");
        stats.map_or(0, |stats| stats.value.try_into().expect("it only grows"))
    }

    /// Asserts that nothing was coalesced or dropped, that is, the ring was never full.
    ///
    /// # Panics
    /// If it was.
    pub fn assert_never_full(&self) {
        assert_eq!((self.coalesced(), self.dropped()), (0, 0));
    }
}
