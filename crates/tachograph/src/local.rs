//! This thread's recorders, one a collector, and its cache of names.
//!
//! The first collector that a thread records into has the fast place; a program that has several
//! pays a short search for the others. When the thread ends, its lanes are closed; recording
//! after that, from another thread-local's destructor, borrows a lane for the one sample.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use crate::error::DropReason;
use crate::handle::{Handle, Owner};
use crate::intake::Intake;
use crate::kind::Kind;
use crate::lane::mode;
use crate::names::NameCache;
use crate::recorder::Recorder;
use crate::registry::Registry;
use crate::sync::{Arc, thread_local};

/// A thread's recorder for one collector.
struct Own {
    owner: Owner,
    recorder: Recorder,
    names: NameCache,
}

impl Own {
    /// The handle of a name that this thread has used, whatever its kind.
    fn known(&self, name: &str, tags: &[(&str, &str)]) -> Option<Handle> {
        let mut found = None;
        self.names.with(name, tags, |handle| found = Some(handle.clone()));
        found
    }

    /// The handle of a name: known, or asked for and remembered. Allocates, and takes a lock.
    fn handle(
        &self,
        registry: &Registry,
        (name, tags, kind): (&str, &[(&str, &str)], Kind),
    ) -> Handle {
        self.known(name, tags).unwrap_or_else(|| {
            let handle = Handle::new(registry.resolve(name, tags, kind));
            self.recorder.prepare(&handle);
            self.names.insert(name, tags, handle.clone(), registry.cached_names_max());
            handle
        })
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
    fn enter() -> Option<Self> {
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

/// Runs `act` with this thread's recorder for the handle's collector.
#[inline]
pub(crate) fn record(handle: &Handle, act: impl Fn(&Recorder)) {
    let done = LOCAL.try_with(|local| match local.first.get() {
        Some(own) if own.owner == handle.owner => {
            act(&own.recorder);
            true
        }
        _ => false,
    });
    if !matches!(done, Ok(true)) && handle.entry.intake.mode() != mode::OFF {
        record_elsewhere(handle, &act);
    }
}

/// The thread has no recorder for the collector yet, or not in the fast place.
#[cold]
fn record_elsewhere(handle: &Handle, act: &dyn Fn(&Recorder)) {
    let intake = &handle.entry.intake;
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_sample(DropReason::NoLane);
    };
    match with_own(intake, |own| act(&own.recorder)) {
        Found::Done(()) => {}
        Found::None(reason) => handle.entry.drop_sample(reason),
        Found::ThreadEnding => act(&Recorder::new(intake.acquire(), Arc::clone(intake))),
    }
}

/// What came of looking for this thread's recorder.
enum Found<R> {
    Done(R),
    None(DropReason),
    ThreadEnding,
}

/// Runs `act` with what this thread has for a collector, made if need be.
fn with_own<R>(intake: &Arc<Intake>, act: impl FnOnce(&Own) -> R) -> Found<R> {
    let owner = Owner::of(intake);
    LOCAL
        .try_with(|local| {
            if let Some(own) = local.first.get().filter(|own| own.owner == owner) {
                return Found::Done(act(own));
            }
            if intake.mode() == mode::SHUTDOWN {
                return Found::None(DropReason::Shutdown);
            }
            match local.find_or_make(intake, owner) {
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
    fn find_or_make(&self, intake: &Arc<Intake>, owner: Owner) -> Option<Rc<Own>> {
        let mut others = self.others.borrow_mut();
        if let Some(own) = others.iter().find(|own| own.owner == owner) {
            return Some(Rc::clone(own));
        }
        let recorder = Recorder::new(intake.acquire(), Arc::clone(intake));
        let own = Own { owner, recorder, names: NameCache::default() };
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

/// Runs `act` for the series of a name and tags with this thread's recorder; resolves the name
/// at the thread's first use of it. The caller has checked that recording is not off.
pub(crate) fn record_by_name(
    registry: &Registry,
    intake: &Arc<Intake>,
    series: (&str, &[(&str, &str)], Kind),
    act: impl Fn(&Recorder, &Handle),
) {
    let owner = Owner::of(intake);
    let (name, tags, kind) = series;
    let done = LOCAL.try_with(|local| match local.first.get() {
        Some(own) if own.owner == owner => own.names.with(name, tags, |handle| {
            if handle.entry.kind.fits(kind) {
                act(&own.recorder, handle);
            } else {
                refuse(registry, handle, kind);
            }
        }),
        _ => false,
    });
    if !matches!(done, Ok(true)) {
        resolve_and_record(registry, intake, series, &act);
    }
}

/// A record of a known series as another kind, from any place that records.
#[cold]
fn refuse(registry: &Registry, handle: &Handle, kind: Kind) {
    match ColdPath::enter() {
        Some(_cold) => registry.conflict(&handle.entry, kind),
        None => registry.count_drop(DropReason::KindConflict),
    }
}

#[cold]
fn resolve_and_record(
    registry: &Registry,
    intake: &Arc<Intake>,
    (name, tags, kind): (&str, &[(&str, &str)], Kind),
    act: &dyn Fn(&Recorder, &Handle),
) {
    let Some(_cold) = ColdPath::enter() else {
        return intake.counts.drop_sample(DropReason::NoLane);
    };
    let found = with_own(intake, |own| {
        let handle = own.handle(registry, (name, tags, kind));
        if handle.entry.kind.fits(kind) {
            act(&own.recorder, &handle);
        } else {
            registry.conflict(&handle.entry, kind);
        }
    });
    match found {
        Found::Done(()) => {}
        Found::None(reason) => registry.resolve(name, tags, kind).drop_sample(reason),
        Found::ThreadEnding => {
            let handle = Handle::new(registry.resolve(name, tags, kind));
            act(&Recorder::new(intake.acquire(), Arc::clone(intake)), &handle);
        }
    }
}

/// A handle of a timing by name, for a timer that owns what it needs; `None` from inside a cold
/// path, where an unknown name cannot be asked for.
pub(crate) fn timing_handle(
    registry: &Registry,
    intake: &Arc<Intake>,
    name: &str,
    tags: &[(&str, &str)],
) -> Option<Handle> {
    let owner = Owner::of(intake);
    let fast = LOCAL.try_with(|local| {
        let own = local.first.get().filter(|own| own.owner == owner)?;
        own.known(name, tags).filter(|handle| handle.entry.kind.fits(Kind::Timing))
    });
    if let Ok(Some(handle)) = fast {
        return Some(handle);
    }
    let Some(_cold) = ColdPath::enter() else {
        intake.counts.drop_sample(DropReason::NoLane);
        return None;
    };
    let found = with_own(intake, |own| own.handle(registry, (name, tags, Kind::Timing)));
    let found = match found {
        Found::Done(handle) if handle.entry.kind.fits(Kind::Timing) => Some(handle),
        _ => None,
    };
    // Of another kind: the registry's refusal, which counts what is recorded, and warns.
    Some(found.unwrap_or_else(|| Handle::new(registry.resolve(name, tags, Kind::Timing))))
}

/// Whether the calling thread holds a lane of the collector, in its thread-local.
pub(crate) fn has_lane(intake: &Arc<Intake>) -> bool {
    let owner = Owner::of(intake);
    let held = LOCAL.try_with(|local| {
        let first = local.first.get().is_some_and(|own| own.owner == owner);
        // Err: called while a recorder is being made, so it is not there yet.
        let others = local.others.try_borrow();
        first || others.is_ok_and(|others| others.iter().any(|own| own.owner == owner))
    });
    held.unwrap_or(false)
}
