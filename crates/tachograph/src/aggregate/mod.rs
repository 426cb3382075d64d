//! One pass: reads the lanes, folds their content and makes a snapshot.
//!
//! May use everything except `run` and `testing`. In reading order:
//! - `window`, `on_steps`: steps of time, and how long recording was on in them
//! - `octaves`, `distribution`, `gauge_state`, `series_state`: the state of one series
//! - `overload_warning`, `pace`: the warning of coalesced samples, the time of the next drain
//! - `series_table`: the states of all series; `places`: which of them count against the limits
//! - `telemetry`: the collector's own metrics
//! - `aggregator`: the pass

pub(crate) mod aggregator;
pub(crate) mod distribution;
pub(crate) mod gauge_state;
pub(crate) mod octaves;
pub(crate) mod on_steps;
pub(crate) mod overload_warning;
pub(crate) mod pace;
mod places;
pub(crate) mod series_state;
pub(crate) mod series_table;
pub mod telemetry;
pub(crate) mod window;
