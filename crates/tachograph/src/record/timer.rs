//! Timers: guards that record the time between their start and their end.
//!
//! While recording is off, a timer does not read the clock. A timer that was started or ends while
//! recording is off records nothing. Time that runs backwards counts as 0 and as an anomaly.

use std::time::Duration;

use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::record::handle::Handle;
use crate::record::operation::Operation;
use crate::record::own::Own;
use crate::sync::Arc;
use crate::time::stamp::Stamp;

/// The destination of a timer's record; sealed.
pub trait Target {
    /// Takes the target out and leaves one that records nothing, or the same one.
    #[doc(hidden)]
    fn take(&mut self) -> Self;

    /// The state of the collector; `None` if the target records nothing.
    #[doc(hidden)]
    fn shared(&self) -> Option<&Shared>;

    #[doc(hidden)]
    fn record_ns(&self, nanos: u64);

    /// Records the time since a start and returns it.
    #[doc(hidden)]
    #[inline]
    fn finish(&self, start: Stamp) -> Option<u64> {
        finish(self, start)
    }

    /// Records with a trace, or else with the calling thread's.
    #[doc(hidden)]
    fn record_traced(&self, nanos: u64, trace: Option<Trace>);
}

#[inline]
fn finish<T: Target + ?Sized>(target: &T, start: Stamp) -> Option<u64> {
    let nanos = target.shared()?.since(start).1?;
    target.record_ns(nanos);
    Some(nanos)
}

/// A running timer; records when it is dropped.
///
/// `Send`, except the timer of a [`Recorder`](crate::Recorder): it may be dropped on a different
/// thread than it was started on.
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct Timer<T: Target> {
    target: T,
    start: Stamp,
}

impl<T: Target> Timer<T> {
    /// The time since the start; `None` if recording was off then, or is off now. Records nothing,
    /// and the timer keeps running, so one timer can serve nested timings.
    ///
    /// Reads the clock once, as every ending except `discard` does.
    #[inline]
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed_ns().map(Duration::from_nanos)
    }

    #[inline]
    fn elapsed_ns(&self) -> Option<u64> {
        if self.start.is_none() {
            return None;
        }
        self.target.shared()?.since(self.start).1
    }

    /// Records now and returns the recorded duration, or zero while recording is off.
    #[inline]
    pub fn stop(mut self) -> Duration {
        let recorded = self.finish();
        self.start = Stamp::default();
        Duration::from_nanos(recorded.unwrap_or(0))
    }

    /// Ends the timer without recording.
    pub fn discard(mut self) {
        self.start = Stamp::default();
    }

    /// Makes the timer record with a trace when it is dropped; see
    /// [`Timing::record_traced`](crate::Timing::record_traced).
    #[inline]
    pub fn with_trace(self, trace: Trace) -> Timer<Traced<T>> {
        self.traced(Some(trace))
    }

    /// Makes the timer record with the trace that the dropping thread is in at that time; see
    /// [`Timing::record_in_span`](crate::Timing::record_in_span).
    #[inline]
    pub fn in_span(self) -> Timer<Traced<T>> {
        self.traced(None)
    }

    /// Records now with a trace and returns the recorded duration, or zero while recording
    /// is off.
    #[inline]
    pub fn stop_traced(self, trace: Trace) -> Duration {
        self.with_trace(trace).stop()
    }

    #[inline]
    fn traced(mut self, trace: Option<Trace>) -> Timer<Traced<T>> {
        let start = std::mem::take(&mut self.start);
        Timer { target: Traced { target: self.target.take(), trace }, start }
    }

    /// Records what has passed; the caller sees to it that this comes once.
    #[inline]
    fn finish(&self) -> Option<u64> {
        if self.start.is_none() { None } else { self.target.finish(self.start) }
    }
}

impl<T: Target> Drop for Timer<T> {
    #[inline]
    fn drop(&mut self) {
        self.finish();
    }
}

/// The target of a timer that was started by name.
#[derive(Debug)]
// `None` if it was started while recording was off. Otherwise the starting thread's own handle:
// threads that shared one reference count would contend for it.
pub struct ByName(Option<Arc<Handle>>);

impl Timer<ByName> {
    /// Starts it if recording is on; otherwise requests no handle and reads no clock.
    #[inline]
    pub(crate) fn by_name(shared: &Shared, handle: impl FnOnce() -> Option<Arc<Handle>>) -> Self {
        let handle = if shared.is_off() { None } else { handle() };
        let start = handle.as_ref().map(|_| shared.clock.stamp()).unwrap_or_default();
        Self { target: ByName(handle), start }
    }
}

impl Target for ByName {
    #[inline]
    fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    #[inline]
    fn shared(&self) -> Option<&Shared> {
        self.0.as_deref().map(|handle| &*handle.shared)
    }

    // Not part of each place that drops such a timer, so that dropping one that was off is inlined.
    #[inline(never)]
    fn finish(&self, start: Stamp) -> Option<u64> {
        finish(self, start)
    }

    #[inline]
    fn record_ns(&self, nanos: u64) {
        if let Some(handle) = &self.0 {
            handle.record(Operation::Sample, nanos);
        }
    }

    #[inline]
    fn record_traced(&self, nanos: u64, trace: Option<Trace>) {
        if let Some(handle) = &self.0 {
            handle.trace_or_current(nanos, trace);
        }
    }
}

/// The target of a timer that borrows a handle.
#[derive(Debug)]
pub struct ByHandle<'a>(&'a Handle);

impl<'a> Timer<ByHandle<'a>> {
    #[inline]
    pub(crate) fn by_handle(handle: &'a Handle) -> Self {
        Self { target: ByHandle(handle), start: handle.shared.now() }
    }
}

impl Target for ByHandle<'_> {
    #[inline]
    fn take(&mut self) -> Self {
        Self(self.0)
    }

    #[inline]
    fn shared(&self) -> Option<&Shared> {
        Some(&self.0.shared)
    }

    #[inline]
    fn record_ns(&self, nanos: u64) {
        self.0.record(Operation::Sample, nanos);
    }

    #[inline]
    fn record_traced(&self, nanos: u64, trace: Option<Trace>) {
        self.0.trace_or_current(nanos, trace);
    }
}

/// The target of a timer that borrows a recorder and a handle.
#[derive(Debug)]
pub struct ByRecorder<'a> {
    own: &'a Own,
    handle: &'a Handle,
}

impl<'a> Timer<ByRecorder<'a>> {
    #[inline]
    pub(crate) fn by_recorder(own: &'a Own, handle: &'a Handle) -> Self {
        Self { target: ByRecorder { own, handle }, start: own.shared().now() }
    }
}

impl Target for ByRecorder<'_> {
    #[inline]
    fn take(&mut self) -> Self {
        Self { ..*self }
    }

    #[inline]
    fn shared(&self) -> Option<&Shared> {
        Some(self.own.shared())
    }

    #[inline]
    fn record_ns(&self, nanos: u64) {
        self.own.perform(self.handle, Operation::Sample, nanos);
    }

    #[inline]
    fn record_traced(&self, nanos: u64, trace: Option<Trace>) {
        match trace.or_else(|| self.own.shared().current_trace()) {
            Some(trace) => self.own.perform_traced(self.handle, nanos, trace),
            None => self.record_ns(nanos),
        }
    }
}

/// Another target, plus the trace of the sample.
#[derive(Debug)]
pub struct Traced<T> {
    target: T,
    /// `None`: the trace that the thread is in when the timer ends.
    trace: Option<Trace>,
}

impl<T: Target> Target for Traced<T> {
    #[inline]
    fn take(&mut self) -> Self {
        Self { target: self.target.take(), trace: self.trace }
    }

    #[inline]
    fn shared(&self) -> Option<&Shared> {
        self.target.shared()
    }

    #[inline]
    fn record_ns(&self, nanos: u64) {
        self.target.record_traced(nanos, self.trace);
    }

    #[inline]
    fn record_traced(&self, nanos: u64, trace: Option<Trace>) {
        self.target.record_traced(nanos, trace);
    }
}
