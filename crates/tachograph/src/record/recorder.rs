//! A recorder, for a loop that owns its thread.

use std::time::Instant;

use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::record::handles::{AnyCounter, AnyDistribution, Counter, Gauge, Timing, UpDownCounter};
use crate::record::operation::Operation;
use crate::record::own::Own;
use crate::record::timer::{ByRecorder, Timer};
use crate::sync::Arc;
use crate::time::stamp::Stamp;

/// A recorder for a loop that owns its thread: records through handles without the thread-local
/// look-up that the handles' own methods make.
///
/// `Send`, so it can move into the loop's thread; not `Sync`, because it is the only writer of its
/// lane:
///
/// ```compile_fail
/// let metrics = tachograph::MetricsCollector::new();
/// let recorder = metrics.recorder();
/// std::thread::scope(|scope| {
///     scope.spawn(|| drop(&recorder)); // error: `Recorder` cannot be shared between threads
/// });
/// ```
///
/// No call allocates, locks, makes a system call or loops without a bound. If the collector has no
/// lane left for it, its samples are counted drops until a lane is free. It then takes that lane,
/// at most 100 ms after a pass could know of it, and its records take a slightly longer path.
#[derive(Debug)]
pub struct Recorder(pub(crate) Own);

impl Recorder {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(Own::new(shared))
    }

    /// Adds 1 to a counter of either kind.
    #[inline]
    pub fn increment(&self, counter: &impl AnyCounter) {
        self.0.perform(counter.handle(), Operation::Increment, 1);
    }

    /// Adds `amount` to a counter of either kind; the total wraps at 2^64.
    #[inline]
    pub fn increment_by(&self, counter: &impl AnyCounter, amount: u64) {
        self.0.perform(counter.handle(), Operation::Add, amount);
    }

    /// Raises a counter to a total that another source has counted; see [`Counter::advance_to`].
    #[inline]
    pub fn advance_to(&self, counter: &Counter, total: u64) {
        let gain = counter.0.advance(total);
        if gain > 0 {
            self.increment_by(counter, gain);
        }
    }

    /// Subtracts 1.
    #[inline]
    pub fn decrement(&self, counter: &UpDownCounter) {
        self.decrement_by(counter, 1);
    }

    /// Subtracts `amount`.
    #[inline]
    pub fn decrement_by(&self, counter: &UpDownCounter, amount: u64) {
        self.increment_by(counter, amount.wrapping_neg());
    }

    /// Records a duration of a timing, or a plain value of a histogram.
    #[inline]
    pub fn record<D: AnyDistribution>(&self, distribution: &D, value: D::Value) {
        self.0.perform(distribution.handle(), Operation::Sample, D::recorded(value));
    }

    /// Records a duration given in nanoseconds.
    #[inline]
    pub fn record_ns(&self, timing: &Timing, nanos: u64) {
        self.0.perform(&timing.0, Operation::Sample, nanos);
    }

    /// This moment, for a start or an end; see
    /// [`MetricsCollector::now`](crate::MetricsCollector::now).
    #[inline]
    pub fn now(&self) -> Stamp {
        self.0.shared().now()
    }

    /// An intended start; see [`MetricsCollector::stamp_at`](crate::MetricsCollector::stamp_at).
    pub fn stamp_at(&self, at: Instant) -> Stamp {
        self.0.shared().stamp_at(at)
    }

    /// Records the time from a start to now, and returns now; see [`Timing::record_since`].
    #[inline]
    pub fn record_since(&self, timing: &Timing, start: Stamp) -> Stamp {
        let (now, nanos) = self.0.shared().since(start);
        if let Some(nanos) = nanos {
            self.record_ns(timing, nanos);
        }
        now
    }

    /// Records the time from a start to an end, which must have come; see [`Timing::record_since`]
    /// and [`MetricsCollector::duration_between`](crate::MetricsCollector::duration_between).
    #[inline]
    pub fn record_between(&self, timing: &Timing, start: Stamp, end: Stamp) {
        if let Some(nanos) = self.0.shared().nanos_between(start, end) {
            self.record_ns(timing, nanos);
        }
    }

    /// Records a duration or a plain value with the trace that it belongs to; see
    /// [`Timing::record_traced`].
    #[inline]
    pub fn record_traced<D: AnyDistribution>(
        &self,
        distribution: &D,
        value: D::Value,
        trace: Trace,
    ) {
        self.0.perform_traced(distribution.handle(), D::recorded(value), trace);
    }

    /// Like [`Recorder::record_traced`], for a duration in nanoseconds.
    #[inline]
    pub fn record_ns_traced(&self, timing: &Timing, nanos: u64, trace: Trace) {
        self.0.perform_traced(&timing.0, nanos, trace);
    }

    /// Sets a gauge.
    #[inline]
    pub fn set(&self, gauge: &Gauge, value: f64) {
        self.0.perform(&gauge.0, Operation::Set, value.to_bits());
    }

    /// Adds to a gauge; see [`Gauge::add`].
    pub fn add(&self, gauge: &Gauge, amount: f64) {
        self.0.perform(&gauge.0, Operation::AddToGauge, amount.to_bits());
    }

    /// Starts a timer that records into this recorder when it is dropped. Not `Send`, because the
    /// recorder is not `Sync`.
    #[inline]
    pub fn start<'a>(&'a self, timing: &'a Timing) -> Timer<ByRecorder<'a>> {
        Timer::by_recorder(&self.0, &timing.0)
    }
}
