//! Futures that are measured.
//!
//! In reading order:
//! - `metrics`: the series of one kind of future
//! - `watch`: what has a stall detector watch the polls
//! - `wakes`: the waker that notes when it was called
//! - `instrumented`: the future around another

pub(crate) mod instrumented;
pub(crate) mod metrics;
mod wakes;
mod watch;
