//! Handles of registered series: what hot code holds.
//!
//! A handle is `Clone + Send + Sync`. Recording through it costs a look-up in a thread-local and
//! what a [`Recorder`](crate::Recorder) costs; a thread's first record also takes over or makes a
//! lane.

use std::ops::Deref;
use std::time::Duration;

use crate::lane::trace::Trace;
use crate::record::handle::Handle;
use crate::record::operation::Operation;
use crate::record::timer::{ByHandle, Timer};
use crate::time::clock::nanos;

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
    ///
    /// `Send`: it may end on another thread. A task that outlives the handle takes a clone of that
    /// with it.
    #[inline]
    pub fn start(&self) -> Timer<ByHandle<'_>> {
        Timer::by_handle(&self.0)
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
        self.0.record(Operation::AddToGauge, amount.to_bits());
    }
}

/// Either kind of counter; of this crate only.
pub trait AnyCounter {
    #[doc(hidden)]
    fn handle(&self) -> &Handle;
}

impl AnyCounter for Counter {
    #[inline]
    fn handle(&self) -> &Handle {
        &self.0
    }
}

impl AnyCounter for UpDownCounter {
    #[inline]
    fn handle(&self) -> &Handle {
        &self.0
    }
}

/// What leads to one, as a static handle does.
impl<T: Deref<Target: AnyCounter>> AnyCounter for T {
    #[inline]
    fn handle(&self) -> &Handle {
        (**self).handle()
    }
}

/// A timing or a histogram; of this crate only.
pub trait AnyDistribution {
    /// What is recorded: a duration, or a plain value.
    type Value;

    #[doc(hidden)]
    fn handle(&self) -> &Handle;

    /// The value in recorded units.
    #[doc(hidden)]
    fn recorded(value: Self::Value) -> u64;
}

impl AnyDistribution for Timing {
    type Value = Duration;

    #[inline]
    fn handle(&self) -> &Handle {
        &self.0
    }

    #[inline]
    fn recorded(duration: Duration) -> u64 {
        nanos(duration)
    }
}

impl AnyDistribution for Histogram {
    type Value = u64;

    #[inline]
    fn handle(&self) -> &Handle {
        &self.0
    }

    #[inline]
    fn recorded(value: u64) -> u64 {
        value
    }
}

/// What leads to one, as a static handle does.
impl<T: Deref<Target: AnyDistribution>> AnyDistribution for T {
    type Value = <T::Target as AnyDistribution>::Value;

    #[inline]
    fn handle(&self) -> &Handle {
        (**self).handle()
    }

    #[inline]
    fn recorded(value: Self::Value) -> u64 {
        T::Target::recorded(value)
    }
}
