//! This thread's recorders, one a collector, and its cache of names.
//!
//! The first collector that a thread records into has the fast place; a program that has several
//! pays a short search for the others. When the thread ends, its lanes are closed; recording
//! after that, from another thread-local's destructor, borrows a lane for the one sample.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use crate::core::Core;
use crate::error::DropReason;
use crate::fork;
use crate::handle::Handle;
use crate::intake::Intake;
use crate::kind::Kind;
#[cfg(unix)]
use crate::lane::Lane;
use crate::lane::{Gate, mode};
use crate::names::NameCache;
use crate::operation::{Compound, Operation};
use crate::recorder::{Admission, Recorder};
use crate::registry::Registry;
use crate::sample::CONFLICTING;
use crate::sync::{Arc, thread_local};

/// A series as a caller names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) tags: &'a [(&'a str, &'a str)],
    /// What it is recorded as.
    pub(crate) kind: Kind,
}

/// A thread's recorder for one collector.
struct Own {
    recorder: Recorder,
    /// Made at the first use by name: it is large, and would spread what a record by handle reads
    /// over many lines.
    names: OnceCell<Box<NameCache>>,
    /// The open gate of the collector's lanes.
    gate: Gate,
}

impl Own {
    /// The handle of a name that this thread has used, whatever its kind.
    fn known(&self, name: &str, tags: &[(&str, &str)]) -> Option<Handle> {
        self.names.get()?.with(name, tags, Handle::clone)
    }

    /// The handle of a name: known, or asked for and remembered. Allocates, and takes a lock.
    fn handle(&self, registry: &Registry, Named { name, tags, kind }: Named<'_>) -> Handle {
        // What was refused as one kind may be right as another.
        let good = |handle: &Handle| handle.id != CONFLICTING || handle.kind.fits(kind);
        self.known(name, tags).filter(good).unwrap_or_else(|| {
            let handle = Handle::new(registry.resolve(name, tags, kind));
            self.recorder.prepare(&handle);
            let names = self.names.get_or_init(Box::default);
            names.insert(name, tags, handle.clone(), registry.cached_names_max());
            handle
        })
    }

    /// The handle of a timing or histogram that this thread has used by name as that kind.
    fn known_to_own(&self, Named { name, tags, kind }: Named<'_>) -> Option<Arc<Handle>> {
        let known = self.names.get()?.owned(name, tags);
        known.filter(|handle| handle.kind.fits(kind))
    }

    /// As `handle`, to be owned, and where the series has another kind, a handle that counts as a
    /// conflict what it records.
    fn handle_or_conflict(&self, registry: &Registry, series: Named<'_>) -> Arc<Handle> {
        if let Some(known) = self.known_to_own(series) {
            return known;
        }
        let handle = self.handle(registry, series);
        if handle.kind.fits(series.kind) {
            return Arc::new(handle);
        }
        registry.warn_of_conflict(&handle.entry, series.kind);
        let refused = || Handle::new(registry.conflicting(series.kind));
        self.names.get_or_init(Box::default).conflicting(series.kind, refused)
    }
}

struct Local {
    first: OnceCell<Own>,
    others: RefCell<Vec<Rc<Own>>>,
}

impl Local {
    const fn new() -> Self {
        Self { first: OnceCell::new(), others: RefCell::new(Vec::new()) }
    }
}

#[cfg(not(tachograph_loom))]
thread_local! {
    static LOCAL: Local = const { Local::new() };
    static IN_COLD_PATH: Cell<bool> = const { Cell::new(false) };
}

#[cfg(tachograph_loom)]
thread_local! {
    static LOCAL: Local = Local::new();
    static IN_COLD_PATH: Cell<bool> = Cell::new(false);
}

/// Held while this thread is in a cold path, which allocates and may hold a lock.
///
/// An allocator that counts itself records in the middle of it. A sample that needs a cold path
/// in turn is dropped and counted then, instead of entering twice; one that does not is recorded
/// as ever.
#[derive(Debug)]
pub(crate) struct ColdPath {
    was_inside: bool,
}

impl ColdPath {
    /// Enters, on recording's way; `None` from inside a cold path.
    pub(crate) fn enter() -> Option<Self> {
        let path = Self::enter_again();
        (!path.was_inside).then_some(path)
    }

    /// Enters, or goes one level deeper.
    pub(crate) fn enter_again() -> Self {
        // Err: cannot be, the cell has no destructor. Not inside, then, as far as is known.
        let was_inside = IN_COLD_PATH.try_with(|inside| inside.replace(true)).unwrap_or(false);
        Self { was_inside }
    }
}

impl Drop for ColdPath {
    fn drop(&mut self) {
        let _ = IN_COLD_PATH.try_with(|inside| inside.set(self.was_inside));
    }
}

/// Records with this thread's recorder for the handle's collector.
#[inline]
pub(crate) fn record(handle: &Handle, operation: Operation, value: u64) {
    let done = LOCAL.try_with(|local| {
        let Some(own) = local.first.get() else { return false };
        match own.recorder.admit(handle.gate) {
            Admission::Open(writer) => operation.perform(writer, handle, value),
            Admission::Off => {}
            Admission::Refused => return false,
        }
        true
    });
    if !matches!(done, Ok(true)) && handle.entry.intake.mode() != mode::OFF {
        record_elsewhere(handle, operation, value);
    }
}

/// The thread has no recorder for the collector yet, or not in the fast place.
#[cold]
#[inline(never)]
fn record_elsewhere(handle: &Handle, operation: Operation, value: u64) {
    let intake = &handle.entry.intake;
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_sample(DropReason::NoLane);
    };
    match with_own(intake, |own| own.recorder.perform(handle, operation, value)) {
        Found::Done(()) => {}
        Found::None(reason) => handle.entry.drop_sample(reason),
        Found::ThreadEnding => ending(intake).perform(handle, operation, value),
    }
}

/// As `record`, for a call that takes more to tell.
pub(crate) fn record_all(handle: &Handle, call: &impl Compound) {
    let done = LOCAL.try_with(|local| {
        let own = local.first.get().filter(|own| own.gate == handle.gate);
        own.map(|own| own.recorder.perform_all(handle, call))
    });
    if matches!(done, Ok(Some(()))) || handle.entry.intake.mode() == mode::OFF {
        return;
    }
    let (intake, samples) = (&handle.entry.intake, call.samples());
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_samples(DropReason::NoLane, samples);
    };
    match with_own(intake, |own| own.recorder.perform_all(handle, call)) {
        Found::Done(()) => {}
        Found::None(reason) => handle.entry.drop_samples(reason, samples),
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
    None(DropReason),
    ThreadEnding,
}

/// Runs `act` with what this thread has for a collector, made if need be.
fn with_own<R>(intake: &Arc<Intake>, act: impl FnOnce(&Own) -> R) -> Found<R> {
    fork::resume(intake);
    let gate = intake.open_gate();
    LOCAL
        .try_with(|local| {
            if let Some(own) = local.first.get().filter(|own| own.gate == gate) {
                return Found::Done(act(own));
            }
            if intake.mode() == mode::SHUTDOWN {
                return Found::None(DropReason::Shutdown);
            }
            match local.find_or_make(intake, gate) {
                Some(own) => Found::Done(act(&own)),
                None => match local.first.get() {
                    Some(own) => Found::Done(act(own)),
                    None => Found::None(DropReason::NoLane),
                },
            }
        })
        .unwrap_or(Found::ThreadEnding)
}

impl Local {
    /// What the thread has for a collector; `None` where it went to the fast place.
    fn find_or_make(&self, intake: &Arc<Intake>, gate: Gate) -> Option<Rc<Own>> {
        let mut others = self.others.borrow_mut();
        if let Some(own) = others.iter().find(|own| own.gate == gate) {
            return Some(Rc::clone(own));
        }
        let recorder = Recorder::new(Arc::clone(intake));
        let own = Own { recorder, names: OnceCell::new(), gate };
        let own = match self.first.get() {
            Some(_) => own,
            None => return self.first.set(own).err().map(Rc::new),
        };
        // Collectors that were shut down will not record again.
        others.retain(|own| own.recorder.intake().mode() != mode::SHUTDOWN);
        let own = Rc::new(own);
        others.push(Rc::clone(&own));
        Some(own)
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
    let done = LOCAL.try_with(|local| {
        let Some(own) = local.first.get() else { return false };
        match own.recorder.admit(open) {
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
        }
    });
    if !matches!(done, Ok(true)) {
        look_up_and_record(core, Named { name, tags, kind }, operation, value);
    }
}

/// The series is new to this thread, or has another kind, or its hint is another one's, or the
/// thread's recorder is not in the fast place.
#[inline(never)]
fn look_up_and_record(core: &Core, series: Named<'_>, operation: Operation, value: u64) {
    let open = core.intake.open_gate();
    let done = LOCAL.try_with(|local| {
        let own = local.first.get().filter(|own| own.gate == open)?;
        own.names.get()?.with(series.name, series.tags, |handle| {
            if handle.kind.fits(series.kind) {
                own.recorder.perform(handle, operation, value);
            } else if handle.id != CONFLICTING {
                refuse(&core.registry, handle, series.kind);
            }
            handle.kind.fits(series.kind) || handle.id != CONFLICTING
        })
    });
    if !matches!(done, Ok(Some(true))) {
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
        Found::None(reason) => registry.resolve(name, tags, kind).drop_sample(reason),
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
    let fast = LOCAL
        .try_with(|local| local.first.get().filter(|own| own.gate == open)?.known_to_own(series));
    match fast {
        Ok(Some(handle)) => Some(handle),
        _ => resolve(core, series),
    }
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

/// Calls `act` with each lane of the collector that the calling thread holds in its thread-local.
#[cfg(unix)]
pub(crate) fn own_lanes(intake: &Intake, act: impl Fn(&Lane)) {
    let gate = intake.open_gate();
    let _ = LOCAL.try_with(|local| {
        let others = local.others.try_borrow();
        let others = others.iter().flat_map(|others| others.iter().map(|own| &**own));
        let own = local.first.get().into_iter().chain(others).filter(|own| own.gate == gate);
        own.for_each(|own| act(own.recorder.lane()));
    });
}

/// Runs `act` with a recorder in the place of one whose lane a fork has left behind.
#[cold]
#[inline(never)]
pub(crate) fn replace(handle: &Handle, samples: u64, act: &dyn Fn(&Recorder)) {
    let done = LOCAL.try_with(|local| {
        let own = local.first.get().filter(|own| own.recorder.takes(handle.gate));
        own.map(|own| act(&own.recorder))
    });
    if matches!(done, Ok(Some(()))) {
        return;
    }
    match ColdPath::enter() {
        Some(_cold) => act(&ending(&handle.entry.intake)),
        None => handle.entry.drop_samples(DropReason::NoLane, samples),
    }
}

/// Whether the calling thread holds a lane of the collector, in its thread-local.
pub(crate) fn has_lane(intake: &Arc<Intake>) -> bool {
    let gate = intake.open_gate();
    let held = LOCAL.try_with(|local| {
        let first = local.first.get().is_some_and(|own| own.gate == gate);
        // Err: called while a recorder is being made, so it is not there yet.
        let others = local.others.try_borrow();
        first || others.is_ok_and(|others| others.iter().any(|own| own.gate == gate))
    });
    held.unwrap_or(false)
}
