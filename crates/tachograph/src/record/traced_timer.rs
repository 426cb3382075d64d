//! A running timer with the trace that its sample belongs to.

use std::time::Duration;

use crate::lane::trace::Trace;
use crate::record::timer::{NamedTimer, RecorderTimer, Timer, TimerGuard, duration};

/// A timer that can record with a trace; of this crate only.
pub trait Running {
    /// Ends the timer and records with a trace, or with that of the calling thread where there
    /// is none; gives the nanoseconds recorded.
    #[doc(hidden)]
    fn finish_traced(&mut self, trace: Option<Trace>) -> Option<u64>;

    /// Ends the timer.
    #[doc(hidden)]
    fn cancel(&mut self);
}

/// A running timer that records with a trace when it is dropped; see
/// [`Timing::record_traced`](crate::Timing::record_traced).
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct Traced<T: Running> {
    timer: T,
    /// `None`: the one that the thread is in when the timer ends.
    trace: Option<Trace>,
}

impl<T: Running> Traced<T> {
    pub(crate) fn new(timer: T, trace: Option<Trace>) -> Self {
        Self { timer, trace }
    }

    /// Records now; gives what was recorded, or zero while recording is off.
    #[inline]
    pub fn stop(mut self) -> Duration {
        duration(self.timer.finish_traced(self.trace))
    }

    /// Ends the timer without recording.
    pub fn discard(mut self) {
        self.timer.cancel();
    }
}

impl<T: Running> Drop for Traced<T> {
    #[inline]
    fn drop(&mut self) {
        self.timer.finish_traced(self.trace);
    }
}

/// Gives a timer its ways to be traced.
macro_rules! traced {
    ($timer:ident $(<$life:lifetime>)?) => {
        impl $(<$life>)? $timer $(<$life>)? {
            /// Lets the timer record with a trace when it is dropped.
            #[inline]
            pub fn with_trace(self, trace: Trace) -> Traced<Self> {
                Traced::new(self, Some(trace))
            }

            /// Lets the timer record with the trace that the thread which drops it is in then;
            /// see [`Timing::record_in_span`](crate::Timing::record_in_span).
            #[inline]
            pub fn in_span(self) -> Traced<Self> {
                Traced::new(self, None)
            }

            /// Records now with a trace; gives what was recorded, or zero while recording is off.
            #[inline]
            pub fn stop_traced(self, trace: Trace) -> Duration {
                self.with_trace(trace).stop()
            }
        }
    };
}

traced!(Timer);
traced!(NamedTimer);
traced!(TimerGuard<'a>);
traced!(RecorderTimer<'a>);
