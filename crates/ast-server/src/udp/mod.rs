//! Datagrams: read from the socket, and put in the order in which they were sent.
//!
//! Uses `osc` and `events`.

// The socket and its thread.
pub(crate) mod socket;
// Sequence numbers: what is lost, late, doubled, or from a sender that has restarted.
pub mod sequence;
