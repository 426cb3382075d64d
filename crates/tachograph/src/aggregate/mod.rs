//! One pass: reading the lanes, folding what they hold, making a snapshot of it.
//!
//! May use everything but `run` and `testing`. In reading order:
//! - `window`, `on_steps`: steps of time, and how long recording was on in them
//! - `octaves`, `distribution`, `gauge_state`, `series_state`: what is known of one series
//! - `idle`, `overload`, `pace`: unused series, coalesced samples, when to drain next
//! - `series_table`: the states of all series; `places`: which of them have a place in the limits
//! - `telemetry`: what a collector says about itself
//! - `aggregator`: the pass

pub(crate) mod aggregator;
pub(crate) mod distribution;
pub(crate) mod gauge_state;
pub(crate) mod idle;
pub(crate) mod octaves;
pub(crate) mod on_steps;
pub(crate) mod overload;
pub(crate) mod pace;
mod places;
pub(crate) mod series_state;
pub(crate) mod series_table;
pub mod telemetry;
pub(crate) mod window;
