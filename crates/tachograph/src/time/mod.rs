//! Clocks, and types computed from their readings.
//!
//! May use `sync`. In reading order:
//! - `stamp`: a moment in one word
//! - `clock`: the system's clock, or one that tests move
//! - `tsc`: whether the time-stamp counter keeps its time
//! - `on_time`: how long recording has been on
//! - `start`: the time of a pass, and the wall time of a start

pub(crate) mod clock;
pub(crate) mod on_time;
pub(crate) mod stamp;
pub(crate) mod start;
pub(crate) mod tsc;
