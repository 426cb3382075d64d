//! The state shared by one recording thread and the aggregator.
//!
//! May use `sync`, `time`, `drops` and `series`. In reading order:
//! - `sample`, `trace`, `batch`: a sample, its trace, and many samples as they were read
//! - `block`: 512 samples that change hands
//! - `bucket`, `coarse_bucket`, `wide`: the layout of distributions, the sub-buckets of samples
//!   coalesced under overload, and sums without rounding loss
//! - `cell`, `spill`, `table`: counters in place, samples coalesced in place, and their tables
//! - `lane`: all of this for one thread, and its ownership
//! - `writer`, `reader`: its two sides
//! - `shared`: the state that all recording threads of a collector share

pub(crate) mod batch;
pub(crate) mod block;
pub(crate) mod bucket;
pub(crate) mod cell;
pub(crate) mod coarse_bucket;
#[allow(clippy::module_inception, reason = "the folder has the name of what it is about")]
pub(crate) mod lane;
pub(crate) mod reader;
pub(crate) mod sample;
pub(crate) mod shared;
pub(crate) mod spill;
pub(crate) mod table;
pub(crate) mod trace;
pub(crate) mod wide;
pub(crate) mod writer;
