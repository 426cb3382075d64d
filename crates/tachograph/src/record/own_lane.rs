//! A lane with its only writer, and the fallbacks if there is no lane or it is shut.

use std::cell::{Cell, RefCell};

use crate::lane::lane::{Gate, Lane, mode};
use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::handle::Handle;
use crate::record::operation::{Operation, perform_traced};
use crate::series::drop_reason::DropReason;
use crate::sync::Arc;
use crate::sync::ColdPath;

/// The lane of a [`Recorder`](crate::Recorder), or of a thread that records by handle.
#[derive(Debug)]
pub(crate) struct OwnLane {
    writer: LaneWriter,
    shared: Arc<Shared>,
    /// The number of announcements of free lanes when none was found; `None` if one was.
    refused_at: Cell<Option<usize>>,
    /// Replaces a lane that was not available, or that a fork left behind.
    late: RefCell<Option<LaneWriter>>,
}

impl OwnLane {
    /// A lane of its own, if one is available.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let announced = shared.announced();
        let writer = shared.acquire();
        Self {
            refused_at: Cell::new(writer.is_none().then_some(announced)),
            writer: writer.unwrap_or_else(LaneWriter::detached),
            shared,
            late: RefCell::new(None),
        }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
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

    /// Creates the place of a series in this lane. Allocates.
    pub(crate) fn prepare(&self, handle: &Handle) {
        self.writer.lane().install(handle.kind, handle.slot);
    }
}

/// Whether a writer has no lane, or one that a fork left behind.
fn is_left(writer: &LaneWriter) -> bool {
    [Gate::DETACHED, Gate::ABANDONED].contains(&writer.lane().gate())
}
