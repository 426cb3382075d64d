//! A lane with its one writer, and what to do where there is none or it is shut.

use std::cell::{Cell, RefCell};

use crate::lane::lane::{Gate, Lane, mode};
use crate::lane::shared::Shared;
use crate::lane::trace::Trace;
use crate::lane::writer::LaneWriter;
use crate::record::handle::Handle;
use crate::record::operation::{Operation, perform_traced};
use crate::series::warning::DropReason;
use crate::sync::Arc;
use crate::sync::ColdPath;

/// What a [`Recorder`](crate::Recorder) owns, and each thread for the handles that it records by.
#[derive(Debug)]
pub(crate) struct OwnLane {
    writer: LaneWriter,
    shared: Arc<Shared>,
    /// How often lanes had been announced when none was found; `None` where one was.
    refused_at: Cell<Option<usize>>,
    /// In the place of a lane that there was not, or that a fork has left behind.
    late: RefCell<Option<LaneWriter>>,
}

/// What became of a call at the gate of a lane.
pub(crate) enum Admission<'a> {
    /// Recording is on.
    Open(&'a LaneWriter),
    /// Recording is off.
    Off,
    /// Another collector's lane, none at all, or recording has ended.
    Refused,
}

impl OwnLane {
    /// A lane of its own, if there is one left.
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

    /// Shows a handle's gate, as it is while recording is on, at the lane.
    #[inline]
    pub(crate) fn admit(&self, open: Gate) -> Admission<'_> {
        match self.writer.lane().gate() {
            gate if gate == open => Admission::Open(&self.writer),
            gate if gate == open.off() => Admission::Off,
            _ => Admission::Refused,
        }
    }

    #[inline]
    pub(crate) fn perform(&self, handle: &Handle, operation: Operation, value: u64) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.admit(handle.gate) {
            Admission::Open(writer) => operation.perform(writer, handle, value),
            Admission::Off => {}
            Admission::Refused => self.perform_elsewhere(handle, operation, value),
        }
    }

    pub(crate) fn perform_traced(&self, handle: &Handle, value: u64, trace: Trace) {
        if !cfg!(feature = "record") {
            return;
        }
        match self.admit(handle.gate) {
            Admission::Open(writer) => perform_traced(writer, handle, value, trace),
            Admission::Off => {}
            Admission::Refused => {
                self.elsewhere(handle, &|writer| perform_traced(writer, handle, value, trace));
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn perform_elsewhere(&self, handle: &Handle, operation: Operation, value: u64) {
        self.elsewhere(handle, &|writer| operation.perform(writer, handle, value));
    }

    /// Records after all, where the lane is shut because this is the child of a fork, or where
    /// there is another lane by now.
    fn elsewhere(&self, handle: &Handle, act: &dyn Fn(&LaneWriter)) {
        self.shared.resume();
        let own = handle.gate == self.shared.open_gate();
        if !own || !self.perform_late(handle.gate, act) {
            self.refuse(handle);
        }
    }

    /// Records in a lane that was found later; says whether there is one that is open.
    fn perform_late(&self, open: Gate, act: &dyn Fn(&LaneWriter)) -> bool {
        // Err: cannot be, nothing in here records.
        let Ok(mut late) = self.late.try_borrow_mut() else { return false };
        if self.shared.mode() == mode::ON && is_left(late.as_ref().unwrap_or(&self.writer)) {
            let found = self.look_again();
            *late = found.or(late.take());
        }
        let open = late.as_ref().filter(|late| late.lane().gate() == open);
        open.map(act).is_some()
    }

    /// A lane, where one was announced since the last look; in the child of a fork, where lanes
    /// were left behind, also a new one.
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

    /// Whether it has no lane, and another one may be had.
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

    /// Makes the place of a series exist in this lane. Allocates.
    pub(crate) fn prepare(&self, handle: &Handle) {
        self.writer.lane().install(handle.kind, handle.slot);
    }
}

/// Whether a writer's lane is none, or one that a fork has left behind.
fn is_left(writer: &LaneWriter) -> bool {
    [Gate::DETACHED, Gate::ABANDONED].contains(&writer.lane().gate())
}
