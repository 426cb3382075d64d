//! Datagrams: read from the socket and put in the order in which they were sent.
//!
//! Uses `osc` and `events`.

// The socket and its thread.
pub(crate) mod socket;
// Sequence numbers: lost, late or duplicate ones, and senders that have restarted.
pub mod sequence;
