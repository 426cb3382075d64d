//! What a recording thread owns.

use std::time::Duration;

use crate::clock::nanos;
use crate::error::DropReason;
use crate::handle::{Counter, Gauge, Handle, Histogram, Owner, Timing, UpDownCounter};
use crate::intake::Intake;
use crate::kind::Kind;
use crate::lane::mode;
use crate::limits::TIMING_NS_MAX;
use crate::sample::Sample;
use crate::sync::{Arc, Ordering};
use crate::timer::RecorderTimer;
use crate::writer::LaneWriter;

/// A recorder for a loop that owns its thread: records through handles without the thread-local
/// look-up that the handles' own methods make.
///
/// `Send`, so it can move into the loop's thread; not `Sync`, because it is the one writer of its
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
/// No call allocates, locks, makes a system call or loops without a bound. Where the collector
/// has no lane left for it, every sample is a counted drop.
#[derive(Debug)]
pub struct Recorder {
    writer: Option<LaneWriter>,
    intake: Arc<Intake>,
}

impl Recorder {
    pub(crate) fn new(writer: Option<LaneWriter>, intake: Arc<Intake>) -> Self {
        Self { writer, intake }
    }

    /// Adds 1 to a counter.
    #[inline]
    pub fn increment(&self, counter: &Counter) {
        self.own(&counter.0, |handle| self.count_one(handle));
    }

    /// Adds `amount` to a counter; the total wraps at 2^64.
    #[inline]
    pub fn increment_by(&self, counter: &Counter, amount: u64) {
        self.own(&counter.0, |handle| self.count(handle, amount));
    }

    /// Adds `amount`, which may be negative, to a counter that goes both ways.
    #[inline]
    pub fn adjust(&self, counter: &UpDownCounter, amount: i64) {
        self.own(&counter.0, |handle| self.count(handle, amount.cast_unsigned()));
    }

    /// Records a duration given in nanoseconds.
    #[inline]
    pub fn record_ns(&self, timing: &Timing, nanos: u64) {
        self.own(&timing.0, |handle| self.push(handle, nanos));
    }

    /// Records a duration.
    #[inline]
    pub fn record_duration(&self, timing: &Timing, duration: Duration) {
        self.record_ns(timing, nanos(duration));
    }

    /// Records a value of a histogram.
    #[inline]
    pub fn record(&self, histogram: &Histogram, value: u64) {
        self.own(&histogram.0, |handle| self.push(handle, value));
    }

    /// Sets a gauge.
    #[inline]
    pub fn set(&self, gauge: &Gauge, value: f64) {
        self.own(&gauge.0, |handle| self.set_gauge(handle, value));
    }

    /// Starts a timer that records into this recorder when it is dropped.
    #[inline]
    pub fn start<'a>(&'a self, timing: &'a Timing) -> RecorderTimer<'a> {
        RecorderTimer::start(self, timing)
    }

    #[inline]
    pub(crate) fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }

    #[inline]
    pub(crate) fn owner(&self) -> Owner {
        Owner::of(&self.intake)
    }

    /// Runs `act` for a handle of this recorder's collector.
    #[inline]
    fn own(&self, handle: &Handle, act: impl FnOnce(&Handle)) {
        if !cfg!(feature = "record") {
            return;
        }
        if handle.owner == self.owner() {
            act(handle);
        } else {
            self.refuse_foreign();
        }
    }

    #[cold]
    fn refuse_foreign(&self) {
        if self.intake.mode() != mode::OFF {
            self.intake.counts.drop_sample(DropReason::ForeignHandle);
        }
    }

    /// The lane, where recording is on; counts the sample otherwise.
    #[inline]
    fn lane(&self, handle: &Handle) -> Option<&LaneWriter> {
        match &self.writer {
            Some(writer) if writer.lane().mode() == mode::ON => Some(writer),
            _ => {
                self.not_recorded(handle);
                None
            }
        }
    }

    #[cold]
    fn not_recorded(&self, handle: &Handle) {
        match self.intake.mode() {
            mode::OFF => {}
            mode::SHUTDOWN => handle.entry.drop_sample(DropReason::Shutdown),
            _ => handle.entry.drop_sample(DropReason::NoLane),
        }
    }

    #[inline]
    pub(crate) fn count_one(&self, handle: &Handle) {
        let Some(writer) = self.lane(handle) else { return };
        match writer.lane().cells.get(handle.slot) {
            Some(cell) => cell.increment(),
            None => self.count_by_sample(writer, handle, 1),
        }
    }

    #[inline]
    pub(crate) fn count(&self, handle: &Handle, amount: u64) {
        let Some(writer) = self.lane(handle) else { return };
        match writer.lane().cells.get(handle.slot) {
            Some(cell) => cell.add(amount),
            None => self.count_by_sample(writer, handle, amount),
        }
    }

    /// This lane has no cell for the counter yet: the aggregator makes one when it sees the
    /// sample.
    #[cold]
    fn count_by_sample(&self, writer: &LaneWriter, handle: &Handle, amount: u64) {
        if writer.push(Sample { series: handle.id, value: amount }).is_err() {
            handle.overloaded();
        }
    }

    #[inline]
    pub(crate) fn push(&self, handle: &Handle, value: u64) {
        let Some(writer) = self.lane(handle) else { return };
        if writer.push(Sample { series: handle.id, value }).is_err() {
            spill(writer, handle, value);
        }
    }

    #[inline]
    pub(crate) fn set_gauge(&self, handle: &Handle, value: f64) {
        let Some(writer) = self.lane(handle) else { return };
        if value.is_nan() {
            return handle.entry.drop_sample(DropReason::NotANumber);
        }
        push_gauge(writer, handle, value);
        // Release: pairs with the Acquire of the pass, which loads `current` before it drains
        // and so finds the sample that was published above.
        handle.entry.shared.current.store(value, Ordering::Release);
    }

    pub(crate) fn add_to_gauge(&self, handle: &Handle, amount: f64) {
        let Some(writer) = self.lane(handle) else { return };
        let sum = handle.entry.add_to_current(amount);
        if sum.is_nan() {
            return handle.entry.drop_sample(DropReason::NotANumber);
        }
        push_gauge(writer, handle, sum);
    }

    /// Makes the place of a series exist in this lane. Allocates.
    pub(crate) fn prepare(&self, handle: &Handle) {
        if let Some(writer) = &self.writer {
            writer.lane().install(handle.entry.kind, handle.slot);
        }
    }
}

/// The aggregator has not kept up: coalesces a sample in place.
#[cold]
fn spill(writer: &LaneWriter, handle: &Handle, value: u64) {
    if value > TIMING_NS_MAX && handle.entry.kind == Kind::Timing {
        handle.entry.intake.counts.saturated.add(1);
    }
    match writer.lane().rows.get(handle.slot) {
        Some(row) => row.add(value),
        None => handle.overloaded(),
    }
}

#[inline]
fn push_gauge(writer: &LaneWriter, handle: &Handle, value: f64) {
    if writer.push(Sample { series: handle.id, value: value.to_bits() }).is_err() {
        match writer.lane().gauges.get(handle.slot) {
            Some(row) => row.add(value),
            None => handle.overloaded(),
        }
    }
}
