//! Recording with this thread's recorders and caches of names.
//!
//! When the thread ends, its lanes are closed; recording after that, from another thread-local's
//! destructor, borrows a lane for the one sample.

use crate::lane::lane::mode;
use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::record::handle::Handle;
use crate::record::operation::{Operation, perform_traced};
use crate::record::own::{self, Ended, Named, Own};
use crate::record::own_lane::{Admission, OwnLane};
use crate::series::metric::Kind;
use crate::series::registry::Registry;
use crate::series::series_id::CONFLICTING;
use crate::series::warning::DropReason;
use crate::sync::{Arc, ColdPath};

/// What recording needs of a collector.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(crate) shared: Arc<Shared>,
    pub(crate) registry: Registry,
}

impl Handle {
    /// Records with this thread's lane.
    #[inline]
    pub(crate) fn record(&self, operation: Operation, value: u64) {
        if cfg!(feature = "record") {
            record(self, operation, value);
        }
    }

    /// Records a value with its trace.
    #[inline]
    pub(crate) fn trace(&self, value: u64, trace: Trace) {
        if cfg!(feature = "record") {
            record_traced(self, value, trace);
        }
    }

    /// Records a value with its trace, or with the one that the calling thread is in.
    pub(crate) fn trace_or_current(&self, value: u64, trace: Option<Trace>) {
        if !cfg!(feature = "record") || self.shared.mode() == mode::OFF {
            return;
        }
        match trace.or_else(|| self.shared.current_trace()) {
            Some(trace) => self.trace(value, trace),
            None => self.record(Operation::Sample, value),
        }
    }
}

/// Records with this thread's lane for the handle's collector.
#[inline]
fn record(handle: &Handle, operation: Operation, value: u64) {
    let done = own::with(handle.seat, |own| match own.lane.admit(handle.gate) {
        Admission::Open(writer) => {
            operation.perform(writer, handle, value);
            true
        }
        Admission::Off => true,
        Admission::Refused => false,
    });
    if done != Some(true) && handle.shared.mode() != mode::OFF {
        record_elsewhere(handle, operation, value);
    }
}

/// The thread has no recorder for the collector yet, or not in the collector's place.
#[cold]
#[inline(never)]
fn record_elsewhere(handle: &Handle, operation: Operation, value: u64) {
    let shared = &handle.shared;
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_sample(DropReason::NoLane);
    };
    match with_own(shared, |own| own.lane.perform(handle, operation, value)) {
        Found::Done(()) => {}
        Found::Shutdown => handle.entry.drop_sample(DropReason::Shutdown),
        Found::ThreadEnding => ending(shared).perform(handle, operation, value),
    }
}

/// As `record`, of a value with its trace.
fn record_traced(handle: &Handle, value: u64, trace: Trace) {
    let done = own::with(handle.seat, |own| match own.lane.admit(handle.gate) {
        Admission::Open(writer) => {
            perform_traced(writer, handle, value, trace);
            true
        }
        Admission::Off => true,
        Admission::Refused => false,
    });
    if done == Some(true) || handle.shared.mode() == mode::OFF {
        return;
    }
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_sample(DropReason::NoLane);
    };
    match with_own(&handle.shared, |own| own.lane.perform_traced(handle, value, trace)) {
        Found::Done(()) => {}
        Found::Shutdown => handle.entry.drop_sample(DropReason::Shutdown),
        Found::ThreadEnding => ending(&handle.shared).perform_traced(handle, value, trace),
    }
}

/// A lane for one sample of a thread whose own one is gone.
fn ending(shared: &Arc<Shared>) -> OwnLane {
    OwnLane::new(Arc::clone(shared))
}

/// What came of looking for this thread's recorder.
enum Found<R> {
    Done(R),
    Shutdown,
    ThreadEnding,
}

/// Runs `act` with what this thread has for a collector, made if need be.
fn with_own<R>(shared: &Arc<Shared>, act: impl FnOnce(&Own) -> R) -> Found<R> {
    shared.resume();
    let known = own::find(shared).filter(|own| !own.lane.is_to_be_replaced());
    let own = match known {
        Some(own) => Ok(own),
        None if shared.mode() == mode::SHUTDOWN => return Found::Shutdown,
        None => own::make(shared),
    };
    match own {
        Ok(own) => Found::Done(act(&own)),
        Err(Ended) => Found::ThreadEnding,
    }
}

/// What is recorded by name: as which kind, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) operation: Operation,
}

/// Records into the series of a name and tags with this thread's recorder; resolves the name at
/// the thread's first use of it. The caller has seen that recording is not off.
///
/// `call` is a function so that each call has a copy of this one, in which it is a constant.
#[inline(never)]
pub(crate) fn record_by_name(
    inlet: &Inlet,
    name: &str,
    tags: &[(&str, &str)],
    value: u64,
    call: impl Fn() -> Call,
) {
    let Call { kind, operation } = call();
    let open = inlet.shared.open_gate();
    let done = own::with(inlet.shared.seat(), |own| match own.lane.admit(open) {
        Admission::Open(writer) => own.names.get().is_some_and(|names| {
            names.with_hinted(name, tags, |handle| {
                let fits = handle.kind.fits(kind);
                if fits {
                    operation.perform(writer, handle, value);
                }
                fits
            })
        }),
        Admission::Off => true,
        Admission::Refused => false,
    });
    if done != Some(true) {
        look_up_and_record(inlet, Named { name, tags, kind }, operation, value);
    }
}

/// The series is new to this thread, or has another kind, or its hint is another one's, or the
/// thread's recorder is not in the collector's place.
#[inline(never)]
fn look_up_and_record(inlet: &Inlet, series: Named<'_>, operation: Operation, value: u64) {
    let done = own::find(&inlet.shared).and_then(|own| {
        own.names.get()?.with(series.name, series.tags, |handle| {
            if handle.kind.fits(series.kind) {
                own.lane.perform(handle, operation, value);
            } else if handle.id != CONFLICTING {
                refuse(&inlet.registry, handle, series.kind);
            }
            handle.kind.fits(series.kind) || handle.id != CONFLICTING
        })
    });
    if done != Some(true) {
        resolve_and_record(inlet, series, operation, value);
    }
}

/// A record of a known series as another kind, from any place that records.
#[cold]
#[inline(never)]
fn refuse(registry: &Registry, handle: &Handle, kind: Kind) {
    match ColdPath::enter() {
        Some(_cold) => registry.conflict(&handle.entry, kind),
        None => registry.count_drop(DropReason::KindConflict),
    }
}

#[cold]
#[inline(never)]
fn resolve_and_record(inlet: &Inlet, series: Named<'_>, operation: Operation, value: u64) {
    let Inlet { registry, shared } = inlet;
    let Some(_cold) = ColdPath::enter() else {
        return shared.tallies.drop_sample(DropReason::NoLane);
    };
    let Named { name, tags, kind } = series;
    let found = with_own(shared, |own| {
        let handle = own.handle(registry, series);
        if handle.kind.fits(kind) {
            own.lane.perform(&handle, operation, value);
        } else {
            registry.conflict(&handle.entry, kind);
        }
    });
    match found {
        Found::Done(()) => {}
        Found::Shutdown => {
            registry.resolve(name, tags, kind).drop_sample(DropReason::Shutdown);
        }
        Found::ThreadEnding => {
            let handle = Handle::new(shared, registry.resolve(name, tags, kind));
            ending(shared).perform(&handle, operation, value);
        }
    }
}

/// A handle of a timing or histogram by name, for a call that takes more to tell than a value or
/// comes later; `None` from inside a cold path, where an unknown name cannot be asked for.
#[inline(never)]
pub(crate) fn handle(inlet: &Inlet, series: Named<'_>) -> Option<Arc<Handle>> {
    let open = inlet.shared.open_gate();
    let known = own::with(inlet.shared.seat(), |own| {
        if own.is_of(open) { own.known_to_own(series) } else { None }
    });
    known.flatten().or_else(|| resolve(inlet, series))
}

#[cold]
#[inline(never)]
fn resolve(inlet: &Inlet, series: Named<'_>) -> Option<Arc<Handle>> {
    let Inlet { registry, shared } = inlet;
    let Named { name, tags, kind } = series;
    let Some(_cold) = ColdPath::enter() else {
        shared.tallies.drop_sample(DropReason::NoLane);
        return None;
    };
    Some(match with_own(shared, |own| own.handle_or_conflict(registry, series)) {
        Found::Done(handle) => handle,
        _ => Arc::new(Handle::new(shared, registry.resolve(name, tags, kind))),
    })
}

/// Whether the calling thread holds a lane of the collector, in its thread-local.
pub(crate) fn has_lane(shared: &Shared) -> bool {
    own::find(shared).is_some_and(|own| own.lane.lane().is_owned())
}
