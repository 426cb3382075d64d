//! Handles of registered series, for use in hot code.
//!
//! A handle is `Clone + Send + Sync`. Recording through it costs what a
//! [`Recorder`](crate::Recorder) costs, plus a look-up in a thread-local; a thread's first record
//! also adopts or creates a lane.

use std::time::Duration;

use crate::lane::trace::Trace;
use crate::record::handle::Handle;
use crate::record::operation::Operation;
use crate::record::timer::{ByHandle, Timer};
use crate::series::metric::Kind;
use crate::time::stamp::{Stamp, nanos};

/// Implements what the two kinds of counter share.
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
    /// An up-down counter: signed 64 bits, wrapping. Costs the same as a [`Counter`].
    UpDownCounter
}

impl Counter {
    /// Raises the counter to a total that another source has counted, such as the kernel or a
    /// library: adds what `total` exceeds the highest total of any earlier call by.
    ///
    /// Any thread may call it, at any time and with totals in any order: the series then holds the
    /// highest. Resets do not affect what was mirrored before, so afterwards the counter has the
    /// gain since; in the child of a fork it begins with the whole total. While recording is off it
    /// does nothing, and the first call afterwards catches up. Totals of different sources belong
    /// in different series; an overflow series, which several share, only follows the highest of
    /// them. Costs an atomic maximum on a shared word, which x86-64 repeats while other threads
    /// change that, and an addition if there was a gain.
    ///
    /// ```
    /// let metrics = tachograph::MetricsCollector::new();
    /// let packets = metrics.register_counter("nic.packets");
    /// for total in [100, 250, 240] {
    ///     packets.advance_to(total);
    /// }
    /// assert_eq!(metrics.get_counter("nic.packets").map(|packets| packets.value), Some(250));
    /// ```
    #[inline]
    pub fn advance_to(&self, total: u64) {
        let gain = self.0.advance(total);
        if gain > 0 {
            self.increment_by(gain);
        }
    }

    /// Adds 1 from a signal handler: async-signal-safe, one atomic addition to a word that all
    /// threads share.
    ///
    /// Touches no thread-local, takes no lock and allocates nothing, whatever the interrupted
    /// thread was doing. The handle must already exist: do not register one in a handler. In the
    /// child of a fork it counts only after another use of the collector there.
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
/// Costs three stores. Accepts up to 2^64 - 1 nanoseconds, 584 years; longer durations are capped.
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

    /// Records the time from a start to now, and returns now: the start of the next timing.
    ///
    /// Returns no moment while recording is off, and then records nothing; nor does it record where
    /// the start is no moment. Time that runs backwards counts as 0 and as an anomaly, also where
    /// the start is an intended one that has not come yet. Reads the clock once, and twice more if
    /// the start is from the other clock than timers read now.
    #[inline]
    pub fn record_since(&self, start: Stamp) -> Stamp {
        let (now, nanos) = self.0.shared.since(start);
        if let Some(nanos) = nanos {
            self.record_ns(nanos);
        }
        now
    }

    /// Records the time from a start to an end, which must have come; see [`Timing::record_since`]
    /// and [`MetricsCollector::duration_between`](crate::MetricsCollector::duration_between).
    #[inline]
    pub fn record_between(&self, start: Stamp, end: Stamp) {
        if let Some(nanos) = self.0.shared.nanos_between(start, end) {
            self.record_ns(nanos);
        }
    }

    /// Records a duration with the trace that it belongs to.
    ///
    /// The greatest such sample in each step of the window keeps its trace; exports carry it as
    /// [`Series::exemplar`](crate::Series::exemplar). Takes three times the room of a plain record
    /// in the thread's lane, but is otherwise as cheap: no lock, no allocation, no system call.
    /// Under overload the sample is coalesced and its trace dropped, which
    /// `telemetry.exemplars_dropped` counts.
    #[inline]
    pub fn record_traced(&self, duration: Duration, trace: Trace) {
        self.record_ns_traced(nanos(duration), trace);
    }

    /// Like [`Timing::record_traced`], in nanoseconds.
    #[inline]
    pub fn record_ns_traced(&self, nanos: u64, trace: Trace) {
        self.0.trace(nanos, trace);
    }

    /// Records a duration with the trace that the calling thread is in, as returned by the function
    /// passed to [`Builder::current_trace`](crate::Builder::current_trace). Without a trace or
    /// without that function, records only the duration.
    #[inline]
    pub fn record_in_span(&self, duration: Duration) {
        self.0.trace_or_current(nanos(duration), None);
    }

    /// Starts a timer that records when it is dropped.
    ///
    /// `Send`: it may end on another thread. A task that outlives the handle takes a clone of the
    /// handle with it.
    #[inline]
    pub fn start(&self) -> Timer<ByHandle<'_>> {
        Timer::by_handle(&self.0)
    }
}

/// A distribution of plain values, such as sizes. Costs the same as a [`Timing`].
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
/// Setting it costs as much as a timing, plus one shared store. NaN is refused and counted; an
/// infinity is stored but left out of the mean.
#[derive(Clone, Debug)]
pub struct Gauge(pub(crate) Handle);

impl Gauge {
    /// Sets the value. If two threads race, the last one to finish wins.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.record(Operation::Set, value.to_bits());
    }

    /// Adds to the value that was set last, or to 0 if none was set since the last reset.
    ///
    /// Not wait-free, unlike nearly all recording calls: it repeats a compare-and-swap while other
    /// threads change the gauge in between.
    pub fn add(&self, amount: f64) {
        self.0.record(Operation::AddToGauge, amount.to_bits());
    }
}

/// A handle of any kind; sealed.
pub trait AnyHandle: Clone {
    #[doc(hidden)]
    const KIND: Kind;

    #[doc(hidden)]
    fn of(handle: Handle) -> Self;

    #[doc(hidden)]
    fn handle(&self) -> &Handle;
}

macro_rules! any_handle {
    ($($name:ident),*) => {$(
        impl AnyHandle for $name {
            const KIND: Kind = Kind::$name;

            fn of(handle: Handle) -> Self {
                Self(handle)
            }

            #[inline]
            fn handle(&self) -> &Handle {
                &self.0
            }
        }
    )*};
}

any_handle!(Counter, UpDownCounter, Timing, Histogram, Gauge);

/// Either kind of counter; sealed.
pub trait AnyCounter: AnyHandle {}

impl AnyCounter for Counter {}

impl AnyCounter for UpDownCounter {}

/// A timing or a histogram; sealed.
pub trait AnyDistribution: AnyHandle {
    /// The type of a recorded value: a duration, or a plain value.
    type Value;

    /// The value in recorded units.
    #[doc(hidden)]
    fn recorded(value: Self::Value) -> u64;
}

impl AnyDistribution for Timing {
    type Value = Duration;

    #[inline]
    fn recorded(duration: Duration) -> u64 {
        nanos(duration)
    }
}

impl AnyDistribution for Histogram {
    type Value = u64;

    #[inline]
    fn recorded(value: u64) -> u64 {
        value
    }
}
