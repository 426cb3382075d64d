//! Recording with this thread's recorders and caches of names.
//!
//! When the thread ends, its lanes are closed; recording after that, from another thread-local's
//! destructor, borrows a lane for the one sample.

use crate::lane::lane::mode;
use crate::lane::sample::CONFLICTING;
use crate::lane::shared::Intake;
use crate::record::handle::Handle;
use crate::record::operation::{Compound, Operation};
use crate::record::own::{self, Ended, Named, Own};
use crate::record::recorder::{Admission, Recorder};
use crate::run::engine::Core;
use crate::series::metric::Kind;
use crate::series::registry::Registry;
use crate::series::warning::DropReason;
use crate::sync::{Arc, ColdPath};

/// Records with this thread's recorder for the handle's collector.
#[inline]
pub(crate) fn record(handle: &Handle, operation: Operation, value: u64) {
    let done = own::with(handle.seat, |own| match own.recorder.admit(handle.gate) {
        Admission::Open(writer) => {
            operation.perform(writer, handle, value);
            true
        }
        Admission::Off => true,
        Admission::Refused => false,
    });
    if done != Some(true) && handle.entry.intake.mode() != mode::OFF {
        record_elsewhere(handle, operation, value);
    }
}

/// The thread has no recorder for the collector yet, or not in the collector's place.
#[cold]
#[inline(never)]
fn record_elsewhere(handle: &Handle, operation: Operation, value: u64) {
    let intake = &handle.entry.intake;
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_sample(DropReason::NoLane);
    };
    match with_own(intake, |own| own.recorder.perform(handle, operation, value)) {
        Found::Done(()) => {}
        Found::Shutdown => handle.entry.drop_sample(DropReason::Shutdown),
        Found::ThreadEnding => ending(intake).perform(handle, operation, value),
    }
}

/// As `record`, for a call that takes more to tell.
pub(crate) fn record_all(handle: &Handle, call: &impl Compound) {
    let done = own::with(handle.seat, |own| match own.recorder.admit(handle.gate) {
        Admission::Open(writer) => {
            call.perform(writer, handle);
            true
        }
        Admission::Off => true,
        Admission::Refused => false,
    });
    if done == Some(true) || handle.entry.intake.mode() == mode::OFF {
        return;
    }
    let (intake, samples) = (&handle.entry.intake, call.samples());
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_samples(DropReason::NoLane, samples);
    };
    match with_own(intake, |own| own.recorder.perform_all(handle, call)) {
        Found::Done(()) => {}
        Found::Shutdown => handle.entry.drop_samples(DropReason::Shutdown, samples),
        Found::ThreadEnding => ending(intake).perform_all(handle, call),
    }
}

/// A recorder for one sample of a thread whose own one is gone.
fn ending(intake: &Arc<Intake>) -> Recorder {
    Recorder::new(Arc::clone(intake))
}

/// What came of looking for this thread's recorder.
enum Found<R> {
    Done(R),
    Shutdown,
    ThreadEnding,
}

/// Runs `act` with what this thread has for a collector, made if need be.
fn with_own<R>(intake: &Arc<Intake>, act: impl FnOnce(&Own) -> R) -> Found<R> {
    intake.resume();
    let known = own::find(intake).filter(|own| !own.recorder.is_to_be_replaced());
    let own = match known {
        Some(own) => Ok(own),
        None if intake.mode() == mode::SHUTDOWN => return Found::Shutdown,
        None => own::make(intake),
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
    core: &Core,
    name: &str,
    tags: &[(&str, &str)],
    value: u64,
    call: impl Fn() -> Call,
) {
    let Call { kind, operation } = call();
    let open = core.intake.open_gate();
    let done = own::with(core.intake.seat(), |own| match own.recorder.admit(open) {
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
        look_up_and_record(core, Named { name, tags, kind }, operation, value);
    }
}

/// The series is new to this thread, or has another kind, or its hint is another one's, or the
/// thread's recorder is not in the collector's place.
#[inline(never)]
fn look_up_and_record(core: &Core, series: Named<'_>, operation: Operation, value: u64) {
    let done = own::find(&core.intake).and_then(|own| {
        own.names.get()?.with(series.name, series.tags, |handle| {
            if handle.kind.fits(series.kind) {
                own.recorder.perform(handle, operation, value);
            } else if handle.id != CONFLICTING {
                refuse(&core.registry, handle, series.kind);
            }
            handle.kind.fits(series.kind) || handle.id != CONFLICTING
        })
    });
    if done != Some(true) {
        resolve_and_record(core, series, operation, value);
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
fn resolve_and_record(core: &Core, series: Named<'_>, operation: Operation, value: u64) {
    let Core { registry, intake, .. } = core;
    let Some(_cold) = ColdPath::enter() else {
        return intake.counts.drop_sample(DropReason::NoLane);
    };
    let Named { name, tags, kind } = series;
    let found = with_own(intake, |own| {
        let handle = own.handle(registry, series);
        if handle.kind.fits(kind) {
            own.recorder.perform(&handle, operation, value);
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
            let handle = Handle::new(registry.resolve(name, tags, kind));
            ending(intake).perform(&handle, operation, value);
        }
    }
}

/// A handle of a timing or histogram by name, for a call that takes more to tell than a value or
/// comes later; `None` from inside a cold path, where an unknown name cannot be asked for.
#[inline(never)]
pub(crate) fn handle(core: &Core, series: Named<'_>) -> Option<Arc<Handle>> {
    let open = core.intake.open_gate();
    let known = own::with(core.intake.seat(), |own| {
        if own.is_of(open) { own.known_to_own(series) } else { None }
    });
    known.flatten().or_else(|| resolve(core, series))
}

#[cold]
#[inline(never)]
fn resolve(core: &Core, series: Named<'_>) -> Option<Arc<Handle>> {
    let Core { registry, intake, .. } = core;
    let Named { name, tags, kind } = series;
    let Some(_cold) = ColdPath::enter() else {
        intake.counts.drop_sample(DropReason::NoLane);
        return None;
    };
    Some(match with_own(intake, |own| own.handle_or_conflict(registry, series)) {
        Found::Done(handle) => handle,
        _ => Arc::new(Handle::new(registry.resolve(name, tags, kind))),
    })
}

/// Whether the calling thread holds a lane of the collector, in its thread-local.
pub(crate) fn has_lane(intake: &Intake) -> bool {
    own::find(intake).is_some_and(|own| own.recorder.lane().is_owned())
}
