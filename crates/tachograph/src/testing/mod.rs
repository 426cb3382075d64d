//! Internals that tests of the core need. Not part of the product.
//!
//! May use everything. In reading order:
//! - `models`: what the models of `loom-tests` and the fuzz targets may use
//! - `faults`: the aggregator panics, stalls, or its thread cannot start
//! - `rates`: rates while drains come between passes
//! - `simulation`: a whole collector from one seed, compared with a naive model

#[cfg(test)]
mod faults;
#[cfg(any(tachograph_loom, fuzzing))]
pub mod models;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod simulation;
