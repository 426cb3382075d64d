//! The table of events: their paths, their arguments, and what each asks for.
//!
//! Uses `osc` for the arguments.

// The paths, and the handler of each.
pub(crate) mod event_type;
// From arguments to an edit of the set, or why they are rejected.
pub(crate) mod request;
// One event on its way to the set.
pub(crate) mod event;
