//! One event of the table, as it came.

use crate::events::event_type::EventType;
use crate::osc::arg::Arg;

/// An event of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) event_type: EventType,
    pub(crate) args: &'a [Arg<'a>],
    pub(crate) seq: Option<u32>,
    /// When it was sent, in seconds; informational only.
    pub(crate) timestamp: f64,
    /// It came so late that newer ones of its sender have said what it says: it counts, and
    /// nothing is done.
    pub(crate) is_superseded: bool,
}
