//! What a recording thread owns.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::lane::lane::{Gate, Lane, mode};
use crate::lane::shared::Intake;
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::correction::Correction;
use crate::record::handle::{Counter, Gauge, Handle, Histogram, Timing, UpDownCounter};
use crate::record::operation::{Compound, Operation, TracedSample};
use crate::record::timer::RecorderTimer;
use crate::series::warning::DropReason;
use crate::sync::Arc;
use crate::sync::ColdPath;
use crate::time::clock::nanos;

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
/// has no lane left for it, its samples are counted drops until a lane is free: then it takes that
/// one, at most 100 ms after a pass could know of it. Its records go a longer way then.
#[derive(Debug)]
pub struct Recorder {
    writer: LaneWriter,
    intake: Arc<Intake>,
    /// How often lanes had been announced when none was found; `None` where one was.
    refused_at: Cell<Option<usize>>,
    /// In the place of a lane that there was not, or that a fork has left behind.
    late: RefCell<Option<LaneWriter>>,
}

/// What became of a call at the gate of a recorder's lane.
pub(crate) enum Admission<'a> {
    /// Recording is on.
    Open(&'a LaneWriter),
    /// Recording is off.
    Off,
    /// Another collector's lane, none at all, or recording has ended.
    Refused,
}

impl Recorder {
    /// A recorder with a lane of its own, if there is one left.
    pub(crate) fn new(intake: Arc<Intake>) -> Self {
        let announced = intake.announced();
        let writer = intake.acquire();
        Self {
            refused_at: Cell::new(writer.is_none().then_some(announced)),
            writer: writer.unwrap_or_else(LaneWriter::detached),
            intake,
            late: RefCell::new(None),
        }
    }

    /// Adds 1 to a counter.
    #[inline]
    pub fn increment(&self, counter: &Counter) {
        self.perform(&counter.0, Operation::Increment, 1);
    }

    /// Adds `amount` to a counter; the total wraps at 2^64.
    #[inline]
    pub fn increment_by(&self, counter: &Counter, amount: u64) {
        self.perform(&counter.0, Operation::Add, amount);
    }

    /// Adds `amount`, which may be negative, to a counter that goes both ways.
    #[inline]
    pub fn adjust(&self, counter: &UpDownCounter, amount: i64) {
        self.perform(&counter.0, Operation::Add, amount.cast_unsigned());
    }

    /// Records a duration given in nanoseconds.
    #[inline]
    pub fn record_ns(&self, timing: &Timing, nanos: u64) {
        self.perform(&timing.0, Operation::Sample, nanos);
    }

    /// Records a duration.
    #[inline]
    pub fn record_duration(&self, timing: &Timing, duration: Duration) {
        self.record_ns(timing, nanos(duration));
    }

    /// Records a value of a histogram.
    #[inline]
    pub fn record(&self, histogram: &Histogram, value: u64) {
        self.perform(&histogram.0, Operation::Sample, value);
    }

    /// Records a duration, and what a caller at a fixed rate missed while it waited; see
    /// [`Timing::record_corrected`].
    pub fn record_duration_corrected(
        &self,
        timing: &Timing,
        duration: Duration,
        expected_interval: Duration,
    ) {
        self.perform_all(&timing.0, &Correction::new(nanos(duration), nanos(expected_interval)));
    }

    /// Records a value of a histogram, and what a caller at a fixed rate missed below it; see
    /// [`Timing::record_corrected`].
    pub fn record_corrected(&self, histogram: &Histogram, value: u64, expected_interval: u64) {
        self.perform_all(&histogram.0, &Correction::new(value, expected_interval));
    }

    /// Records a duration in nanoseconds with the trace that it belongs to; see
    /// [`Timing::record_traced`].
    #[inline]
    pub fn record_ns_traced(&self, timing: &Timing, nanos: u64, trace: Trace) {
        self.perform_all(&timing.0, &TracedSample { value: nanos, trace });
    }

    /// Records a duration with the trace that it belongs to; see [`Timing::record_traced`].
    #[inline]
    pub fn record_duration_traced(&self, timing: &Timing, duration: Duration, trace: Trace) {
        self.record_ns_traced(timing, nanos(duration), trace);
    }

    /// Records a value of a histogram with the trace that it belongs to; see
    /// [`Timing::record_traced`].
    #[inline]
    pub fn record_traced(&self, histogram: &Histogram, value: u64, trace: Trace) {
        self.perform_all(&histogram.0, &TracedSample { value, trace });
    }

    /// Sets a gauge.
    #[inline]
    pub fn set(&self, gauge: &Gauge, value: f64) {
        self.perform(&gauge.0, Operation::Set, value.to_bits());
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

    /// Shows a handle's gate, as it is while recording is on, at the lane.
    #[inline]
    pub(crate) fn admit(&self, open: Gate) -> Admission<'_> {
        match self.writer.lane().gate() {
            gate if gate == open => Admission::Open(&self.writer),
            gate if gate == open.off() => Admission::Off,
            _ => Admission::Refused,
        }
    }

    #[inline]
    pub(crate) fn perform(&self, handle: &Handle, operation: Operation, value: u64) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.admit(handle.gate) {
            Admission::Open(writer) => operation.perform(writer, handle, value),
            Admission::Off => {}
            Admission::Refused => self.perform_elsewhere(handle, operation, value),
        }
    }

    pub(crate) fn perform_all(&self, handle: &Handle, call: &impl Compound) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.admit(handle.gate) {
            Admission::Open(writer) => call.perform(writer, handle),
            Admission::Off => {}
            Admission::Refused => {
                self.elsewhere(handle, call.samples(), &|writer| call.perform(writer, handle));
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn perform_elsewhere(&self, handle: &Handle, operation: Operation, value: u64) {
        self.elsewhere(handle, 1, &|writer| operation.perform(writer, handle, value));
    }

    /// Records after all, where the lane is shut because this is the child of a fork, or where
    /// there is another lane by now.
    fn elsewhere(&self, handle: &Handle, samples: u64, act: &dyn Fn(&LaneWriter)) {
        self.intake.resume();
        let own = handle.gate == self.intake.open_gate();
        if !own || !self.perform_late(handle.gate, act) {
            self.refuse(handle, samples);
        }
    }

    /// Records in a lane that was found later; says whether there is one that is open.
    fn perform_late(&self, open: Gate, act: &dyn Fn(&LaneWriter)) -> bool {
        // Err: cannot be, nothing in here records.
        let Ok(mut late) = self.late.try_borrow_mut() else { return false };
        if self.intake.mode() == mode::ON && is_left(late.as_ref().unwrap_or(&self.writer)) {
            let found = self.look_again();
            *late = found.or(late.take());
        }
        let open = late.as_ref().filter(|late| late.lane().gate() == open);
        open.map(act).is_some()
    }

    /// A lane, where one was announced since the last look; in the child of a fork, where lanes
    /// were left behind, also a new one.
    fn look_again(&self) -> Option<LaneWriter> {
        let announced = self.intake.announced();
        if self.refused_at.get() == Some(announced) {
            return None;
        }
        let _cold = ColdPath::enter()?;
        let child = self.intake.is_child();
        let found = if child { self.intake.acquire() } else { self.intake.adopt() };
        self.refused_at.set(found.is_none().then_some(announced));
        found
    }

    /// Whether it has no lane, and another one may be had.
    pub(crate) fn is_to_be_replaced(&self) -> bool {
        is_left(&self.writer) && self.refused_at.get() != Some(self.intake.announced())
    }

    pub(crate) fn lane(&self) -> &Lane {
        self.writer.lane()
    }

    /// Counts samples that are not recorded, unless recording is off.
    #[cold]
    #[inline(never)]
    fn refuse(&self, handle: &Handle, samples: u64) {
        match self.intake.mode() {
            mode::OFF => {}
            _ if handle.gate != self.intake.open_gate() => {
                self.intake.counts.drop_samples(DropReason::ForeignHandle, samples);
            }
            mode::SHUTDOWN => handle.entry.drop_samples(DropReason::Shutdown, samples),
            _ => handle.entry.drop_samples(DropReason::NoLane, samples),
        }
    }

    /// Makes the place of a series exist in this lane. Allocates.
    pub(crate) fn prepare(&self, handle: &Handle) {
        self.writer.lane().install(handle.kind, handle.slot);
    }
}

/// Whether a writer's lane is none, or one that a fork has left behind.
fn is_left(writer: &LaneWriter) -> bool {
    [Gate::DETACHED, Gate::ABANDONED].contains(&writer.lane().gate())
}
