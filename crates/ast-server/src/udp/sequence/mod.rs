//! Sequence numbers of every sender: what came, what is missing, what came late.
//!
//! A pure state machine over numbers that wrap at 2^31; the time comes in as an argument. Memory is
//! bounded: 32 runs are kept, and 1,024 numbers of each, which takes up to 60 KiB a run.

mod arrival;
mod run;
mod touch;
mod tracker;

pub use self::arrival::{Arrival, JUMP_MAX, SILENCE, Verdict, WINDOW};
pub use self::touch::Touch;
pub use self::tracker::{RUNS, SequenceTracker};
