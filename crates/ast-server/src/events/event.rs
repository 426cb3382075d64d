//! One event of the protocol's table, as received.

use crate::events::event_type::EventType;
use crate::events::stale::Stale;
use crate::osc::arg::Arg;

/// An event of the protocol's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) event_type: EventType,
    pub(crate) args: &'a [Arg<'a>],
    pub(crate) seq: Option<u32>,
    /// When it was sent, in seconds; informational only.
    pub(crate) timestamp: f64,
    /// The values that it must not change, because it arrived after newer events of its sender.
    pub(crate) stale: Stale,
}
