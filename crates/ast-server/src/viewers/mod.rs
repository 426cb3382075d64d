//! Messages to viewers: their content, order, rate and memory.
//!
//! Uses `osc` and `events`. The connections themselves are in [`crate::service`].

// The JSON of every message.
pub(crate) mod message;
// The rate limit of broadcasts.
pub(crate) mod throttle;
// The rate limit of gap reports.
pub(crate) mod gaps;
// A message on its way, and the memory of all of them.
pub(crate) mod outgoing;
// The queue of one viewer.
pub(crate) mod mailbox;
// Signs of life of one connection.
pub(crate) mod pulse;
// All queues: a message goes into each.
pub(crate) mod hub;
// The whole tree, written once for all viewers that need it.
pub(crate) mod whole_tree;
