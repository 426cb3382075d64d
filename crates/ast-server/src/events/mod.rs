//! The table of events: their paths, their arguments, and the request of each.
//!
//! Uses `osc` for the arguments.

// The paths and their handlers.
pub(crate) mod event_type;
// Decodes arguments into an edit of the set, or the reason for rejecting them.
pub(crate) mod request;
// What is left of an event that arrived too late.
pub(crate) mod stale;
// One event on its way to the set.
pub(crate) mod event;
