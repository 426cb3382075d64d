//! The common part of all handles, whatever the kind of series.

use crate::drops::drop_reason::DropReason;
use crate::lane::lane::{Gate, mode};
use crate::lane::shared::Shared;
use crate::series::metric::Kind;
use crate::series::series_id::{BEYOND_LIMIT, CONFLICTING, SeriesId};
use crate::sync::Arc;

/// The common part of all handles: the entry, with the fields that the hot path reads copied beside
/// the pointer, so that a cold record touches no cache line of the entry.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) entry: Arc<SeriesId>,
    pub(crate) shared: Arc<Shared>,
    /// The gate of its collector's lanes while recording is on.
    pub(crate) gate: Gate,
    pub(crate) id: u32,
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
    /// The collector's index in every thread's table.
    pub(crate) seat: u8,
}

impl Handle {
    pub(crate) fn new(shared: &Arc<Shared>, entry: Arc<SeriesId>) -> Self {
        let (gate, seat) = (shared.open_gate(), shared.seat());
        let (id, slot, kind) = (entry.id, entry.slot, entry.kind);
        Self { gate, id, slot, kind, seat, entry, shared: Arc::clone(shared) }
    }

    /// Counts a sample for which the lane has no room.
    #[cold]
    #[inline(never)]
    pub(crate) fn overloaded(&self) {
        let reason = match self.id {
            CONFLICTING => DropReason::KindConflict,
            BEYOND_LIMIT => DropReason::SeriesLimit,
            _ => DropReason::Overload,
        };
        self.entry.drop_sample(reason);
    }

    /// By how much a total exceeds the highest one before; 0 while recording is off.
    #[inline]
    pub(crate) fn advance(&self, total: u64) -> u64 {
        if !cfg!(feature = "record") || self.shared.mode() == mode::OFF {
            return 0;
        }
        // Before the gain is taken, which is one over nothing in the child of a fork.
        if self.shared.is_forked() {
            self.shared.resume();
        }
        self.entry.advance(total)
    }

    /// Adds 1 without touching a lane.
    pub(crate) fn signal(&self) {
        let entry = &self.entry;
        match self.shared.mode() {
            mode::OFF => {}
            mode::SHUTDOWN => entry.drop_sample(DropReason::Shutdown),
            // A refused handle has no series.
            _ if self.slot == u32::MAX => self.overloaded(),
            _ => entry.signal(),
        }
    }
}
