//! The events of a busy Live session, for the demo, benches and tests.
//!
//! Uses `osc` and `events`.

// The sequence of events.
pub mod mix;
// Trouble on purpose.
pub(crate) mod trouble;
