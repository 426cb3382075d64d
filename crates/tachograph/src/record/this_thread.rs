//! Recording with this thread's recorders and name caches.
//!
//! When the thread ends, its lanes are closed. Recording after that, from another thread-local's
//! destructor, borrows a lane for that one sample.

use crate::drops::drop_reason::DropReason;
use crate::lane::lane::mode;
use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::record::handle::Handle;
use crate::record::operation::{Operation, perform_traced};
use crate::record::own::{Named, Own};
use crate::record::own_table;
use crate::series::metric::Kind;
use crate::series::registry::Registry;
use crate::series::series_id::CONFLICTING;
use crate::sync::{Arc, ColdPath};

impl Handle {
    /// Records with this thread's lane.
    // The switch is read first, though the lane's gate says the same: finding the lane takes it out
    // of its place and puts it back, and the next call waits for that store.
    #[inline]
    pub(crate) fn record(&self, operation: Operation, value: u64) {
        if !self.shared.is_off() {
            record(self, operation, value);
        }
    }

    /// Records a value with its trace.
    #[inline]
    pub(crate) fn trace(&self, value: u64, trace: Trace) {
        if !self.shared.is_off() {
            record_traced(self, value, trace);
        }
    }

    /// Records a value with its trace, or else with the trace that the calling thread is in.
    pub(crate) fn trace_or_current(&self, value: u64, trace: Option<Trace>) {
        if self.shared.is_off() {
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
    let done = own_table::with(handle.seat, |own| {
        let open = own.admit(handle.gate);
        open.map(|writer| operation.perform(writer, handle, value)).is_some()
    });
    if done != Some(true) {
        record_elsewhere(handle, operation, value);
    }
}

/// The thread has no recorder for the collector yet, or it is not in the collector's place.
#[cold]
#[inline(never)]
fn record_elsewhere(handle: &Handle, operation: Operation, value: u64) {
    elsewhere(handle, &|own| own.perform(handle, operation, value));
}

/// Like `record`, for a value with its trace.
fn record_traced(handle: &Handle, value: u64, trace: Trace) {
    let done = own_table::with(handle.seat, |own| {
        let open = own.admit(handle.gate);
        open.map(|writer| perform_traced(writer, handle, value, trace)).is_some()
    });
    if done != Some(true) {
        elsewhere(handle, &|own| own.perform_traced(handle, value, trace));
    }
}

#[cold]
fn elsewhere(handle: &Handle, act: &dyn Fn(&Own)) {
    let Some(_cold) = ColdPath::enter() else {
        return handle.entry.drop_sample(DropReason::NoLane);
    };
    if with_own(&handle.shared, act).is_none() {
        handle.entry.drop_sample(DropReason::Shutdown);
    }
}

/// Runs `act` with this thread's state for a collector, created if necessary; `None` if the
/// collector was shut down before the thread had any.
fn with_own<R>(shared: &Arc<Shared>, act: impl FnOnce(&Own) -> R) -> Option<R> {
    shared.resume();
    let known = own_table::find(shared).filter(|own| !own.is_to_be_replaced());
    if known.is_none() && shared.mode() == mode::SHUTDOWN {
        return None;
    }
    Some(act(&known.unwrap_or_else(|| own_table::make(shared))))
}

/// Records into the series of a name and tags with this thread's recorder; resolves the name when
/// the thread first uses it. The caller has checked that recording is not off.
///
/// `call` tells the kind and the operation, and is a function so that each call has its own copy of
/// this one, in which it is a constant.
#[inline(never)]
pub(crate) fn record_by_name(
    shared: &Arc<Shared>,
    name: &str,
    tags: &[(&str, &str)],
    value: u64,
    call: impl Fn() -> (Kind, Operation),
) {
    let (kind, operation) = call();
    let open = shared.open_gate();
    let done = own_table::with(shared.seat(), |own| {
        let (writer, names) = own.admit(open).zip(own.names.get())?;
        let done = names.with_hinted(name, tags, |handle| {
            let fits = handle.kind.fits(kind);
            if fits {
                operation.perform(writer, handle, value);
            }
            fits
        });
        done.then_some(())
    });
    if done.flatten().is_none() {
        look_up_and_record(shared, Named { name, tags, kind }, operation, value);
    }
}

/// The series is new to this thread or has another kind, its hint belongs to another series, or the
/// thread's recorder is not in the collector's place.
#[inline(never)]
fn look_up_and_record(shared: &Arc<Shared>, series: Named<'_>, operation: Operation, value: u64) {
    let done = own_table::find(shared).and_then(|own| {
        own.names.get()?.with(series.name, series.tags, |handle| {
            if handle.kind.fits(series.kind) {
                own.perform(handle, operation, value);
            } else if handle.id != CONFLICTING {
                refuse(&shared.registry, handle, series.kind);
            }
            handle.kind.fits(series.kind) || handle.id != CONFLICTING
        })
    });
    if done != Some(true) {
        resolve_and_record(shared, series, operation, value);
    }
}

/// Handles a record of a known series as another kind, from any recording path.
#[cold]
#[inline(never)]
fn refuse(registry: &Registry, handle: &Handle, kind: Kind) {
    match ColdPath::enter() {
        Some(_cold) => registry.conflict(&handle.entry, kind),
        None => registry.tallies.drop_sample(DropReason::KindConflict),
    }
}

#[cold]
#[inline(never)]
fn resolve_and_record(shared: &Arc<Shared>, series: Named<'_>, operation: Operation, value: u64) {
    let registry = &shared.registry;
    let Some(_cold) = ColdPath::enter() else {
        return shared.tallies.drop_sample(DropReason::NoLane);
    };
    let Named { name, tags, kind } = series;
    let found = with_own(shared, |own| {
        let handle = own.handle(registry, series);
        if handle.kind.fits(kind) {
            own.perform(&handle, operation, value);
        } else {
            registry.conflict(&handle.entry, kind);
        }
    });
    if found.is_none() {
        registry.resolve(name, tags, kind).drop_sample(DropReason::Shutdown);
    }
}

/// A handle of a timing or histogram by name, for a call that carries a trace or several samples,
/// or that records later. `None` inside a cold path, where an unknown name cannot be looked up.
#[inline(never)]
pub(crate) fn handle(shared: &Arc<Shared>, series: Named<'_>) -> Option<Arc<Handle>> {
    let known = own_table::with(shared.seat(), |own| {
        if own.is_of(shared) { own.known_to_own(series) } else { None }
    });
    known.flatten().or_else(|| resolve(shared, series))
}

#[cold]
#[inline(never)]
fn resolve(shared: &Arc<Shared>, series: Named<'_>) -> Option<Arc<Handle>> {
    let registry = &shared.registry;
    let Named { name, tags, kind } = series;
    let Some(_cold) = ColdPath::enter() else {
        shared.tallies.drop_sample(DropReason::NoLane);
        return None;
    };
    let found = with_own(shared, |own| own.handle_or_conflict(registry, series));
    let refused = || Arc::new(Handle::new(shared, registry.resolve(name, tags, kind)));
    Some(found.unwrap_or_else(refused))
}

/// Whether the calling thread's thread-local holds a lane of the collector.
pub(crate) fn has_lane(shared: &Shared) -> bool {
    own_table::find(shared).is_some_and(|own| own.lane().is_owned())
}
