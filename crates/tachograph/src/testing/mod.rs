//! The test kit: a collector for one test, whatever the code under test is given, and assertions
//! about what it has recorded.
//!
//! With [`Clock::mock`](crate::Clock::mock), a collector that is [manual](crate::Builder::manual),
//! [`with_local`], and [`assert_counter!`](crate::assert_counter),
//! [`assert_gauge!`](crate::assert_gauge) and [`assert_timing!`](crate::assert_timing), a test sees
//! exactly what it recorded itself.
// May use everything. In reading order:
// - `local`: a collector for one test
// - `assert`: assertions about what was recorded
// and internals for the core's own tests, which are no part of the product:
// - `models`: what the models of `loom-tests` and the fuzz targets may use
// - `faults`: the aggregator panics, stalls, or its thread cannot start
// - `rates`: rates while drains come between passes
// - `simulation`: a whole collector from one seed, compared with a naive model

#[cfg(not(tachograph_loom))]
mod assert;
#[cfg(test)]
mod faults;
#[cfg(not(tachograph_loom))]
mod local;
#[cfg(any(tachograph_loom, fuzzing))]
pub mod models;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod simulation;

#[cfg(not(tachograph_loom))]
#[doc(hidden)]
pub use assert::{Check, Number, Statistic, counter, gauge, timing};
#[cfg(not(tachograph_loom))]
pub use local::{InLocal, WithLocal, inherit, with_local, wrap};
