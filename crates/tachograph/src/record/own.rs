//! What a thread or a recorder has for one collector: a lane with its only writer, the fallbacks if
//! there is no lane or it is shut, and the names that the thread has used.

use std::cell::{Cell, OnceCell, RefCell};

use crate::drops::drop_reason::DropReason;
use crate::lane::lane::{Gate, Lane, mode};
use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::handle::Handle;
use crate::record::name_cache::NameCache;
use crate::record::operation::{Operation, perform_traced};
use crate::series::metric::Kind;
use crate::series::registry::Registry;
use crate::series::series_id::CONFLICTING;
use crate::sync::{Arc, ColdPath};

/// A series as a caller names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) tags: &'a [(&'a str, &'a str)],
    /// The kind it is recorded as.
    pub(crate) kind: Kind,
}

/// What a [`Recorder`](crate::Recorder), or a thread that records by handle or by name, has for one
/// collector.
#[derive(Debug)]
pub(crate) struct Own {
    writer: LaneWriter,
    shared: Arc<Shared>,
    /// Created at the first use by name: it is large, and would spread the data that a record by
    /// handle reads over many cache lines.
    pub(crate) names: OnceCell<Box<NameCache>>,
    /// The number of announcements of free lanes when none was found; `None` if one was.
    refused_at: Cell<Option<usize>>,
    /// Replaces a lane that was not available, or that a fork left behind.
    late: RefCell<Option<LaneWriter>>,
}

impl Own {
    /// With a lane of its own, if one is available.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let announced = shared.announced();
        let writer = shared.acquire();
        Self {
            refused_at: Cell::new(writer.is_none().then_some(announced)),
            writer: writer.unwrap_or_else(LaneWriter::detached),
            shared,
            names: OnceCell::new(),
            late: RefCell::new(None),
        }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether it belongs to this collector.
    pub(crate) fn is_of(&self, shared: &Shared) -> bool {
        std::ptr::eq(&*self.shared, shared)
    }

    /// The writer, if the lane is open for a collector's handles.
    #[inline]
    pub(crate) fn admit(&self, open: Gate) -> Option<&LaneWriter> {
        (self.writer.lane().gate() == open).then_some(&self.writer)
    }

    #[inline]
    pub(crate) fn perform(&self, handle: &Handle, operation: Operation, value: u64) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.admit(handle.gate) {
            Some(writer) => operation.perform(writer, handle, value),
            None if self.shared.is_off() => {}
            None => self.perform_elsewhere(handle, operation, value),
        }
    }

    pub(crate) fn perform_traced(&self, handle: &Handle, value: u64, trace: Trace) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.admit(handle.gate) {
            Some(writer) => perform_traced(writer, handle, value, trace),
            None => self.elsewhere(handle, &|writer| perform_traced(writer, handle, value, trace)),
        }
    }

    #[cold]
    #[inline(never)]
    fn perform_elsewhere(&self, handle: &Handle, operation: Operation, value: u64) {
        self.elsewhere(handle, &|writer| operation.perform(writer, handle, value));
    }

    /// Records anyway if the lane is shut because this is the child of a fork, or if another lane
    /// is available by now.
    fn elsewhere(&self, handle: &Handle, act: &dyn Fn(&LaneWriter)) {
        // The lane may learn of the switch a little later than the collector.
        if self.shared.is_off() || self.writer.lane().gate() == handle.gate.off() {
            return;
        }
        self.shared.resume();
        let own = handle.gate == self.shared.open_gate();
        if !own || !self.perform_late(handle.gate, act) {
            self.refuse(handle);
        }
    }

    /// Records in a lane that was found later; returns whether there is an open one.
    fn perform_late(&self, open: Gate, act: &dyn Fn(&LaneWriter)) -> bool {
        // Err: impossible, nothing in here records.
        let Ok(mut late) = self.late.try_borrow_mut() else { return false };
        if self.shared.mode() == mode::ON && is_left(late.as_ref().unwrap_or(&self.writer)) {
            let found = self.look_again();
            *late = found.or(late.take());
        }
        let open = late.as_ref().filter(|late| late.lane().gate() == open);
        open.map(act).is_some()
    }

    /// A lane, if one was announced since the last attempt. In the child of a fork, where lanes
    /// were left behind, it may also be a new one.
    fn look_again(&self) -> Option<LaneWriter> {
        let announced = self.shared.announced();
        if self.refused_at.get() == Some(announced) {
            return None;
        }
        let _cold = ColdPath::enter()?;
        let child = self.shared.is_child();
        let found = if child { self.shared.acquire() } else { self.shared.adopt() };
        self.refused_at.set(found.is_none().then_some(announced));
        found
    }

    /// Whether it has no lane, and another one may be available.
    pub(crate) fn is_to_be_replaced(&self) -> bool {
        is_left(&self.writer) && self.refused_at.get() != Some(self.shared.announced())
    }

    pub(crate) fn lane(&self) -> &Lane {
        self.writer.lane()
    }

    /// Counts a sample that is not recorded, unless recording is off.
    #[cold]
    #[inline(never)]
    fn refuse(&self, handle: &Handle) {
        match self.shared.mode() {
            mode::OFF => {}
            _ if handle.gate != self.shared.open_gate() => {
                self.shared.tallies.drop_sample(DropReason::ForeignHandle);
            }
            mode::SHUTDOWN => handle.entry.drop_sample(DropReason::Shutdown),
            _ => handle.entry.drop_sample(DropReason::NoLane),
        }
    }

    fn names(&self) -> &NameCache {
        self.names.get_or_init(|| Box::new(NameCache::new(&self.shared)))
    }

    /// The handle of a name, from the cache or else looked up and cached. Allocates, and takes a
    /// lock.
    pub(crate) fn handle(&self, registry: &Registry, series: Named<'_>) -> Handle {
        let Named { name, tags, kind } = series;
        let known = self.names.get().and_then(|names| names.with(name, tags, Handle::clone));
        // A name that was refused as one kind may be right as another.
        let good = |handle: &Handle| handle.id != CONFLICTING || handle.kind.fits(kind);
        known.filter(good).unwrap_or_else(|| {
            let handle = Handle::new(&self.shared, registry.resolve(name, tags, kind));
            self.writer.lane().install(handle.kind, handle.slot);
            self.names().insert(name, tags, handle.clone(), registry.cached_names_max());
            handle
        })
    }

    /// The handle of a timing or histogram that this thread has used by name as that kind.
    pub(crate) fn known_to_own(&self, series: Named<'_>) -> Option<Arc<Handle>> {
        let known = self.names.get()?.owned(series.name, series.tags);
        known.filter(|handle| handle.kind.fits(series.kind))
    }

    /// Like `handle`, but owned. If the series has another kind, the handle counts its records as
    /// conflicts.
    pub(crate) fn handle_or_conflict(&self, registry: &Registry, series: Named<'_>) -> Arc<Handle> {
        if let Some(known) = self.known_to_own(series) {
            return known;
        }
        let handle = self.handle(registry, series);
        if handle.kind.fits(series.kind) {
            return Arc::new(handle);
        }
        registry.warn_of_conflict(&handle.entry, series.kind);
        let refused = || Handle::new(&self.shared, registry.refused(CONFLICTING, series.kind));
        self.names().conflicting(series.kind, refused)
    }
}

/// Whether a writer has no lane, or one that a fork left behind.
fn is_left(writer: &LaneWriter) -> bool {
    [Gate::DETACHED, Gate::ABANDONED].contains(&writer.lane().gate())
}
