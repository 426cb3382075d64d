//! What a busy session of Live sends, for the demo, benches and tests.
//!
//! Uses `osc` and `events`.

// Events in the mix that they have in use.
pub mod mix;
