//! The sequence numbers of every sender: received, missing and late ones.
//!
//! A pure state machine over numbers that wrap at 2^31; the time is an argument. Memory is bounded:
//! 32 runs are kept, with 1,024 numbers each, which takes up to 60 KiB per run.

mod arrival;
mod run;
mod touch;
mod tracker;

pub use self::arrival::{Arrival, JUMP_MAX, SILENCE, Verdict, WINDOW};
pub use self::touch::Touch;
pub use self::tracker::{RUNS, SequenceTracker};
pub use crate::events::stale::Stale;
