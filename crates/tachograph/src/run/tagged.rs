//! Recording and reading by name, with or without tags.

use std::time::Duration;

use crate::lane::trace::Trace;
use crate::read::snapshot::Value;
use crate::read::stats::{CounterStats, GaugeStats, TimingStats};
use crate::record::handles::{AnyHandle, Counter, Gauge, Histogram, Timing, UpDownCounter};
use crate::record::operation::Operation;
use crate::record::own::Named;
use crate::record::this_thread;
use crate::record::timer::{ByName, Timer};
use crate::run::engine::Core;
use crate::series::metric::Kind;
use crate::time::stamp::nanos;

/// A collector with a set of tags; see
/// [`MetricsCollector::with_tags`](crate::MetricsCollector::with_tags).
///
/// The methods are those of the collector. The order of tags makes no difference; if two tags have
/// the same key, the last one wins. A thread's first use of a name and tag set takes a lock and
/// allocates; later ones do neither. A tag set beyond its metric's limit, or text that must be cut,
/// is looked up under the lock each time.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<'a> {
    core: &'a Core,
    tags: &'a [(&'a str, &'a str)],
}

impl<'a> Tagged<'a> {
    #[inline]
    pub(crate) fn new(core: &'a Core, tags: &'a [(&'a str, &'a str)]) -> Self {
        Self { core, tags }
    }

    #[inline]
    fn record(&self, name: &str, value: u64, call: impl Fn() -> (Kind, Operation)) {
        // Checked first, so that a disabled call costs no function call.
        if !self.core.shared.is_off() {
            this_thread::record_by_name(&self.core.shared, name, self.tags, value, call);
        }
    }

    /// Adds 1 to a counter.
    #[inline]
    pub fn increment(&self, name: &str) {
        self.record(name, 1, || (Kind::Counter, Operation::Increment));
    }

    /// Adds `amount` to a counter.
    #[inline]
    pub fn increment_by(&self, name: &str, amount: u64) {
        self.record(name, amount, || (Kind::Counter, Operation::Add));
    }

    /// Subtracts 1 from a counter; see
    /// [`MetricsCollector::decrement`](crate::MetricsCollector::decrement).
    #[inline]
    pub fn decrement(&self, name: &str) {
        self.decrement_by(name, 1);
    }

    /// Subtracts `amount` from a counter; see
    /// [`MetricsCollector::decrement`](crate::MetricsCollector::decrement).
    #[inline]
    pub fn decrement_by(&self, name: &str, amount: u64) {
        self.record(name, amount.wrapping_neg(), || (Kind::UpDownCounter, Operation::Subtract));
    }

    /// Sets a gauge.
    #[inline]
    pub fn gauge(&self, name: &str, value: f64) {
        self.record(name, value.to_bits(), || (Kind::Gauge, Operation::Set));
    }

    /// Records a duration.
    #[inline]
    pub fn timing(&self, name: &str, duration: Duration) {
        self.record(name, nanos(duration), || (Kind::Timing, Operation::Sample));
    }

    /// Records a plain value.
    #[inline]
    pub fn histogram(&self, name: &str, value: u64) {
        self.record(name, value, || (Kind::Histogram, Operation::Sample));
    }

    /// Records a duration with the trace that it belongs to; see [`Timing::record_traced`].
    pub fn timing_traced(&self, name: &str, duration: Duration, trace: Trace) {
        self.trace(name, Kind::Timing, nanos(duration), trace);
    }

    /// Records a plain value with the trace that it belongs to; see [`Timing::record_traced`].
    pub fn histogram_traced(&self, name: &str, value: u64, trace: Trace) {
        self.trace(name, Kind::Histogram, value, trace);
    }

    fn trace(&self, name: &str, kind: Kind, value: u64, trace: Trace) {
        if self.core.shared.is_off() {
            return;
        }
        if let Some(handle) =
            this_thread::handle(&self.core.shared, Named { name, tags: self.tags, kind })
        {
            handle.trace(value, trace);
        }
    }

    /// Starts a timer that records when it is dropped. While recording is off it registers
    /// nothing and reads no clock.
    #[inline]
    pub fn timer(&self, name: &str) -> Timer<ByName> {
        let shared = &self.core.shared;
        let series = Named { name, tags: self.tags, kind: Kind::Timing };
        Timer::by_name(shared, || this_thread::handle(shared, series))
    }

    /// A handle of any kind with these tags.
    pub(crate) fn register<H: AnyHandle>(&self, name: &str) -> H {
        H::of(self.core.handle(name, self.tags, H::KIND))
    }

    /// A handle of any kind with these tags and more.
    pub(crate) fn register_more<H: AnyHandle>(&self, name: &str, more: &[(&str, &str)]) -> H {
        let tags: Vec<_> = self.tags.iter().chain(more).copied().collect();
        Tagged::new(self.core, &tags).register(name)
    }

    /// A handle for a monotonic counter with these tags.
    pub fn register_counter(&self, name: &str) -> Counter {
        self.register(name)
    }

    /// A handle for an up-down counter with these tags.
    pub fn register_up_down_counter(&self, name: &str) -> UpDownCounter {
        self.register(name)
    }

    /// A handle for a timing with these tags.
    pub fn register_timing(&self, name: &str) -> Timing {
        self.register(name)
    }

    /// A handle for a histogram with these tags.
    pub fn register_histogram(&self, name: &str) -> Histogram {
        self.register(name)
    }

    /// A handle for a gauge with these tags.
    pub fn register_gauge(&self, name: &str) -> Gauge {
        self.register(name)
    }

    /// Statistics of a timing or histogram; see
    /// [`MetricsCollector::get_timing`](crate::MetricsCollector::get_timing).
    pub fn get_timing(&self, name: &str) -> Option<TimingStats> {
        self.read(name, |value| Some(value.as_timing()?.lifetime.clone()))
    }

    /// A counter's total; see
    /// [`MetricsCollector::get_timing`](crate::MetricsCollector::get_timing).
    pub fn get_counter(&self, name: &str) -> Option<CounterStats> {
        self.read(name, |value| Some(value.as_counter()?.lifetime))
    }

    /// A gauge's statistics; see
    /// [`MetricsCollector::get_timing`](crate::MetricsCollector::get_timing).
    pub fn get_gauge(&self, name: &str) -> Option<GaugeStats> {
        self.read(name, |value| Some(value.as_gauge()?.lifetime))
    }

    /// Like [`Tagged::get_timing`], for the sliding window; also `None` without windows.
    pub fn get_timing_window(&self, name: &str) -> Option<TimingStats> {
        self.read(name, |value| value.as_timing()?.window.clone())
    }

    /// Like [`Tagged::get_counter`], for the sliding window: its net change.
    pub fn get_counter_window(&self, name: &str) -> Option<CounterStats> {
        self.read(name, |value| value.as_counter()?.window)
    }

    /// Like [`Tagged::get_gauge`], for the sliding window.
    pub fn get_gauge_window(&self, name: &str) -> Option<GaugeStats> {
        self.read(name, |value| value.as_gauge()?.window)
    }

    fn read<T>(&self, name: &str, part: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        part(&self.core.read_one(name, self.tags)?)
    }
}
