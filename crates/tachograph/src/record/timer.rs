//! Timers: guards that record the time between their start and their end.
//!
//! While recording is off a timer does not read the clock; one that was started while it was off,
//! or ends while it is off, records nothing. Time that runs backwards counts as 0 and as an
//! anomaly.

use std::time::Duration;

use crate::lane::lane::mode;
use crate::lane::shared::Intake;
use crate::lane::trace::Trace;
use crate::record::handle::{Handle, Timing};
use crate::record::operation::Operation;
use crate::record::own::Named;
use crate::record::recorder::Recorder;
use crate::record::this_thread;
use crate::record::traced_timer::Running;
use crate::run::engine::Core;
use crate::series::metric::Kind;
use crate::sync::Arc;
use crate::time::clock::Stamp;

/// Starts timing, where recording is on.
#[inline]
fn stamp(intake: &Intake) -> Stamp {
    if is_on(intake) { intake.clock.stamp() } else { Stamp::Off }
}

/// Whether recording is on; known to be off, without a look, where it is compiled out.
#[inline]
fn is_on(intake: &Intake) -> bool {
    cfg!(feature = "record") && intake.mode() == mode::ON
}

/// Nanoseconds since the start; `None` where nothing was started.
#[inline]
fn elapsed(intake: &Intake, start: Stamp) -> Option<u64> {
    match start {
        _ if !cfg!(feature = "record") => None,
        Stamp::Off => None,
        start => Some(intake.clock.nanos_since(start).unwrap_or_else(|| backwards(intake))),
    }
}

#[cold]
fn backwards(intake: &Intake) -> u64 {
    intake.counts.clock_anomalies.add(1);
    0
}

pub(crate) fn duration(nanos: Option<u64>) -> Duration {
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Implements the look at a timer that runs on, the two ways to end one early, and the drop that
/// records.
macro_rules! endings {
    ($timer:ident $(<$life:lifetime>)?) => {
        impl $(<$life>)? $timer $(<$life>)? {
            /// The time since the start; `None` where recording was off then. Records nothing,
            /// and the timer runs on: one timer can serve nested timings.
            ///
            /// Reads the clock once, as every ending but `discard` does.
            #[inline]
            pub fn elapsed(&self) -> Option<Duration> {
                self.elapsed_ns().map(Duration::from_nanos)
            }

            /// Records now; gives what was recorded, or zero while recording is off.
            #[inline]
            pub fn stop(mut self) -> Duration {
                duration(self.finish())
            }

            /// Ends the timer without recording.
            pub fn discard(mut self) {
                self.start = Stamp::Off;
            }

            #[inline]
            fn finish(&mut self) -> Option<u64> {
                let nanos = self.elapsed_ns()?;
                self.start = Stamp::Off;
                self.record_ns(nanos);
                Some(nanos)
            }
        }

        impl $(<$life>)? Drop for $timer $(<$life>)? {
            #[inline]
            fn drop(&mut self) {
                self.finish();
            }
        }

        impl $(<$life>)? Running for $timer $(<$life>)? {
            #[inline]
            fn finish_traced(&mut self, trace: Option<Trace>) -> Option<u64> {
                let nanos = self.elapsed_ns()?;
                self.start = Stamp::Off;
                self.record_traced(nanos, trace);
                Some(nanos)
            }

            fn cancel(&mut self) {
                self.start = Stamp::Off;
            }
        }
    };
}

/// Implements what `endings` needs for a timer whose `handle` records, where it has one.
macro_rules! by_handle {
    ($timer:ident $(<$life:lifetime>)?) => {
        impl $(<$life>)? $timer $(<$life>)? {
            #[inline]
            fn elapsed_ns(&self) -> Option<u64> {
                elapsed(&self.handle()?.entry.intake, self.start)
            }

            #[inline]
            fn record_ns(&self, nanos: u64) {
                if let Some(handle) = self.handle() {
                    handle.record(Operation::Sample, nanos);
                }
            }

            #[inline]
            fn record_traced(&self, nanos: u64, trace: Option<Trace>) {
                if let Some(handle) = self.handle() {
                    handle.trace_or_current(nanos, trace);
                }
            }
        }
    };
}

/// A running timer that owns its handle; records when it is dropped.
///
/// `Send`: it may be dropped on another thread than it was started on. Threads that start timers
/// of one handle share the count of its owners: one that borrows the handle, or was started by
/// name, costs no more on two threads than on one.
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct Timer {
    /// `None` where it was started while recording was off.
    timing: Option<Timing>,
    start: Stamp,
}

impl Timer {
    /// Starts it with a handle of its own, where recording is on.
    #[inline]
    pub(crate) fn start(timing: &Timing) -> Self {
        let intake = &timing.0.entry.intake;
        if !is_on(intake) {
            return Self { timing: None, start: Stamp::Off };
        }
        Self { timing: Some(timing.clone()), start: intake.clock.stamp() }
    }

    #[inline]
    fn handle(&self) -> Option<&Handle> {
        Some(&self.timing.as_ref()?.0)
    }
}

by_handle!(Timer);
endings!(Timer);

/// A running timer that was started by name; records when it is dropped.
///
/// `Send`: it may be dropped on another thread than it was started on.
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct NamedTimer {
    /// What the starting thread knows the name by; `None` where it was started while recording
    /// was off.
    handle: Option<Arc<Handle>>,
    start: Stamp,
}

impl NamedTimer {
    /// Starts it; while recording is off it registers nothing and reads no clock.
    #[inline]
    pub(crate) fn start(core: &Core, name: &str, tags: &[(&str, &str)]) -> Self {
        if !is_on(&core.intake) {
            return Self { handle: None, start: Stamp::Off };
        }
        match this_thread::handle(core, Named { name, tags, kind: Kind::Timing }) {
            Some(handle) => Self { start: stamp(&core.intake), handle: Some(handle) },
            None => Self { handle: None, start: Stamp::Off },
        }
    }

    #[inline]
    fn handle(&self) -> Option<&Handle> {
        self.handle.as_deref()
    }
}

by_handle!(NamedTimer);
endings!(NamedTimer);

/// A running timer that borrows its handle; records when it is dropped.
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct TimerGuard<'a> {
    timing: &'a Timing,
    start: Stamp,
}

impl<'a> TimerGuard<'a> {
    #[inline]
    pub(crate) fn start(timing: &'a Timing) -> Self {
        let intake = &timing.0.entry.intake;
        Self { timing, start: stamp(intake) }
    }

    #[inline]
    fn handle(&self) -> Option<&Handle> {
        Some(&self.timing.0)
    }
}

by_handle!(TimerGuard<'a>);
endings!(TimerGuard<'a>);

/// A running timer of a [`Recorder`]; records when it is dropped. Not `Send`, as the recorder it
/// borrows is not `Sync`.
#[derive(Debug)]
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct RecorderTimer<'a> {
    recorder: &'a Recorder,
    timing: &'a Timing,
    start: Stamp,
}

impl<'a> RecorderTimer<'a> {
    #[inline]
    pub(crate) fn start(recorder: &'a Recorder, timing: &'a Timing) -> Self {
        let intake = recorder.intake();
        Self { recorder, timing, start: stamp(intake) }
    }

    #[inline]
    fn elapsed_ns(&self) -> Option<u64> {
        elapsed(self.recorder.intake(), self.start)
    }

    #[inline]
    fn record_ns(&self, nanos: u64) {
        self.recorder.record_ns(self.timing, nanos);
    }

    #[inline]
    fn record_traced(&self, nanos: u64, trace: Option<Trace>) {
        match trace.or_else(|| self.recorder.intake().current_trace()) {
            Some(trace) => self.recorder.record_ns_traced(self.timing, nanos, trace),
            None => self.recorder.record_ns(self.timing, nanos),
        }
    }
}

endings!(RecorderTimer<'a>);
