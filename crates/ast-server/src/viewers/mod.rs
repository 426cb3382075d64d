//! What viewers are sent, in what order, how often, and how much memory that takes.
//!
//! Uses `osc` and `events`. The connections themselves are in [`crate::service`].

// The JSON of every message.
pub(crate) mod message;
// How often changes of one thing are sent: the rate limit of broadcasts.
pub(crate) mod throttle;
// How often viewers are told that events are missing.
pub(crate) mod gaps;
// A message on its way, and the memory of all of them.
pub(crate) mod outgoing;
// The queue of one viewer.
pub(crate) mod mailbox;
// Signs of life of one connection.
pub(crate) mod pulse;
// All queues: a message goes into each.
pub(crate) mod hub;
// The whole tree, written once for all who need it.
pub(crate) mod whole_tree;
