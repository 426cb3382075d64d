//! What every handle holds, whichever kind of series it is of.

use crate::lane::lane::{Gate, mode};
use crate::lane::shared::Shared;
use crate::series::metric::Kind;
use crate::series::series_id::{BEYOND_LIMIT, CONFLICTING, SeriesId};
use crate::series::warning::DropReason;
use crate::sync::Arc;

/// What every handle is: the entry, with what the hot path reads of it beside the pointer, so
/// that a cold record touches no line of the entry.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) entry: Arc<SeriesId>,
    pub(crate) shared: Arc<Shared>,
    /// The gate of its collector's lanes while recording is on.
    pub(crate) gate: Gate,
    pub(crate) id: u32,
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
    /// The collector's place in every thread's table.
    pub(crate) seat: u8,
}

impl Handle {
    pub(crate) fn new(shared: &Arc<Shared>, entry: Arc<SeriesId>) -> Self {
        let (gate, seat) = (shared.open_gate(), shared.seat());
        let (id, slot, kind) = (entry.id, entry.slot, entry.kind);
        Self { gate, id, slot, kind, seat, entry, shared: Arc::clone(shared) }
    }

    /// Counts a sample that the lane has no place for.
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

    /// Counts one without touching a lane.
    pub(crate) fn signal(&self) {
        let entry = &self.entry;
        match self.shared.mode() {
            mode::OFF => {}
            mode::SHUTDOWN => entry.drop_sample(DropReason::Shutdown),
            // A refused handle is of no series.
            _ if self.slot == u32::MAX => self.overloaded(),
            _ => entry.signal(),
        }
    }
}
