//! Handles of registered series: what hot code holds.
//!
//! A handle is `Clone + Send + Sync`. Recording through it costs a look-up in a thread-local and
//! what a [`Recorder`] costs; a thread's first record also takes over or makes a lane.

use std::time::Duration;

use crate::lane::lane::{Gate, mode};
use crate::lane::sample;
use crate::lane::trace::Trace;
use crate::record::correction::Correction;
use crate::record::operation::{Compound, Operation, TracedSample};
use crate::record::this_thread;
use crate::record::timer::{Timer, TimerGuard};
use crate::series::metric::Kind;
use crate::series::series_id::Entry;
use crate::series::warning::DropReason;
use crate::sync::Arc;
use crate::time::clock::nanos;

/// What every handle is: the entry, with what the hot path reads of it beside the pointer, so
/// that a cold record touches no line of the entry.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    pub(crate) entry: Arc<Entry>,
    /// The gate of its collector's lanes while recording is on.
    pub(crate) gate: Gate,
    pub(crate) id: u32,
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
    /// The collector's place in every thread's table.
    pub(crate) seat: u8,
}

impl Handle {
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        let (gate, seat) = (entry.intake.open_gate(), entry.intake.seat());
        Self { gate, id: entry.id, slot: entry.slot, kind: entry.kind, seat, entry }
    }

    /// Records with this thread's recorder.
    #[inline]
    pub(crate) fn record(&self, operation: Operation, value: u64) {
        if cfg!(feature = "record") {
            this_thread::record(self, operation, value);
        }
    }

    /// Counts a sample that the lane has no place for.
    #[cold]
    #[inline(never)]
    pub(crate) fn overloaded(&self) {
        self.overloaded_by(1);
    }

    /// As `overloaded`, for several.
    pub(crate) fn overloaded_by(&self, samples: u64) {
        let reason = match self.id {
            sample::CONFLICTING => DropReason::KindConflict,
            sample::BEYOND_LIMIT => DropReason::SeriesLimit,
            _ => DropReason::Overload,
        };
        self.entry.drop_samples(reason, samples);
    }

    /// Counts one without touching a lane.
    fn signal(&self) {
        let entry = &self.entry;
        match entry.intake.mode() {
            mode::OFF => {}
            mode::SHUTDOWN => entry.drop_sample(DropReason::Shutdown),
            // A refused handle is of no series.
            _ if self.slot == u32::MAX => self.overloaded(),
            _ => entry.signal(),
        }
    }

    /// As `record`, for a call that takes more to tell.
    #[inline]
    fn record_all(&self, call: &impl Compound) {
        if cfg!(feature = "record") {
            this_thread::record_all(self, call);
        }
    }

    /// Records a value and what is missing below it.
    fn correct(&self, value: u64, expected_interval: u64) {
        self.record_all(&Correction::new(value, expected_interval));
    }

    /// Records a value with its trace.
    #[inline]
    pub(crate) fn trace(&self, value: u64, trace: Trace) {
        self.record_all(&TracedSample { value, trace });
    }

    /// Records a value with its trace, or with the one that the calling thread is in.
    pub(crate) fn trace_or_current(&self, value: u64, trace: Option<Trace>) {
        let intake = &self.entry.intake;
        if !cfg!(feature = "record") || intake.mode() == mode::OFF {
            return;
        }
        match trace.or_else(|| intake.current_trace()) {
            Some(trace) => self.trace(value, trace),
            None => self.record(Operation::Sample, value),
        }
    }
}

/// Implements what the two kinds of counter have in common.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub(crate) Handle);

        impl $name {
            /// Adds 1.
            #[inline]
            pub fn increment(&self) {
                self.0.record(Operation::Increment, 1);
            }

            /// Adds `amount`; the total wraps at 2^64.
            #[inline]
            pub fn increment_by(&self, amount: u64) {
                self.0.record(Operation::Add, amount);
            }
        }
    };
}

counter! {
    /// A monotonic counter: unsigned 64 bits, wrapping.
    ///
    /// Costs one load and one store on a word that only the calling thread writes.
    Counter
}

counter! {
    /// A counter that goes both ways: signed 64 bits, wrapping. Costs what a [`Counter`] costs.
    UpDownCounter
}

impl Counter {
    /// Adds 1 from a signal handler: async-signal-safe, one atomic addition to a word that all
    /// threads share.
    ///
    /// Touches no thread-local, takes no lock and allocates nothing, whatever the interrupted
    /// thread was doing. The handle has to exist before: registering one is not for a handler. In
    /// the child of a fork it counts from the collector's first other use there on.
    pub fn increment_from_signal(&self) {
        if cfg!(feature = "record") {
            self.0.signal();
        }
    }
}

impl UpDownCounter {
    /// Subtracts 1.
    #[inline]
    pub fn decrement(&self) {
        self.decrement_by(1);
    }

    /// Subtracts `amount`.
    #[inline]
    pub fn decrement_by(&self, amount: u64) {
        self.increment_by(amount.wrapping_neg());
    }
}

/// A distribution of durations: recorded in nanoseconds, reported in seconds.
///
/// Costs three stores. Takes up to 2^64 - 1 nanoseconds, 584 years; longer ones count as that.
#[derive(Clone, Debug)]
pub struct Timing(pub(crate) Handle);

impl Timing {
    /// Records a duration.
    #[inline]
    pub fn record(&self, duration: Duration) {
        self.record_ns(nanos(duration));
    }

    /// Records a duration given in nanoseconds.
    #[inline]
    pub fn record_ns(&self, nanos: u64) {
        self.0.record(Operation::Sample, nanos);
    }

    /// Records a duration, and the samples that a caller at a fixed rate missed while it waited:
    /// the duration less one `expected_interval`, less two, and so on, down to one interval.
    ///
    /// Corrects for coordinated omission as HdrHistogram does; an interval of zero corrects
    /// nothing. Each added sample counts as recorded. The 1,024 greatest are recorded one by one;
    /// the rest, and what the lane has no room for, are coalesced in place: their count,
    /// sum, minimum and maximum are exact, each is known to 3.2 %. So it is as bounded as any other
    /// record, at up to 2,000 times the cost. An interval below 1/2^32 of the duration counts as that.
    pub fn record_corrected(&self, duration: Duration, expected_interval: Duration) {
        self.0.correct(nanos(duration), nanos(expected_interval));
    }

    /// Records a duration with the trace that it belongs to.
    ///
    /// The greatest such sample of each step of the window keeps its trace, as the
    /// [`Series::exemplar`](crate::Series::exemplar) that exports carry. Takes three times the
    /// room of a plain record in the thread's lane, and as little time otherwise: no lock, no
    /// allocation, no system call. Under overload the sample is coalesced and its trace dropped,
    /// which `telemetry.exemplars_dropped` counts.
    #[inline]
    pub fn record_traced(&self, duration: Duration, trace: Trace) {
        self.record_ns_traced(nanos(duration), trace);
    }

    /// As [`Timing::record_traced`], in nanoseconds.
    #[inline]
    pub fn record_ns_traced(&self, nanos: u64, trace: Trace) {
        self.0.trace(nanos, trace);
    }

    /// Records a duration with the trace that the calling thread is in, by what
    /// [`Builder::current_trace`](crate::Builder::current_trace) was given; outside a trace, or
    /// without that, it records the duration alone.
    #[inline]
    pub fn record_in_span(&self, duration: Duration) {
        self.0.trace_or_current(nanos(duration), None);
    }

    /// Starts a timer that records when it is dropped.
    #[inline]
    pub fn start(&self) -> TimerGuard<'_> {
        TimerGuard::start(self)
    }

    /// Starts a timer that owns what it needs, for a task that may move between threads; costs
    /// two reference counts more than [`Timing::start`].
    #[inline]
    pub fn start_owned(&self) -> Timer {
        Timer::start(self)
    }
}

/// A distribution of plain values, such as sizes. Costs what a [`Timing`] costs.
#[derive(Clone, Debug)]
pub struct Histogram(pub(crate) Handle);

impl Histogram {
    /// Records a value.
    #[inline]
    pub fn record(&self, value: u64) {
        self.0.record(Operation::Sample, value);
    }

    /// Records a value with the trace that it belongs to; see [`Timing::record_traced`].
    #[inline]
    pub fn record_traced(&self, value: u64, trace: Trace) {
        self.0.trace(value, trace);
    }

    /// Records a value with the trace that the calling thread is in; see
    /// [`Timing::record_in_span`].
    #[inline]
    pub fn record_in_span(&self, value: u64) {
        self.0.trace_or_current(value, None);
    }

    /// Records a value, and what a caller at a fixed rate missed below it; see
    /// [`Timing::record_corrected`].
    pub fn record_corrected(&self, value: u64, expected_interval: u64) {
        self.0.correct(value, expected_interval);
    }
}

/// A value that goes up and down.
///
/// Setting it costs what a timing costs, and one shared store. NaN is refused and counted; an
/// infinity is stored and left out of the mean.
#[derive(Clone, Debug)]
pub struct Gauge(pub(crate) Handle);

impl Gauge {
    /// Sets the value. Where two threads race, the last to finish wins.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.record(Operation::Set, value.to_bits());
    }

    /// Adds to the value that was set last, or to 0 where none was since the last reset.
    ///
    /// The one recording call that is not wait-free: it repeats a compare-and-swap while other
    /// threads change the gauge in between.
    pub fn add(&self, amount: f64) {
        self.0.record(Operation::Adjust, amount.to_bits());
    }
}
