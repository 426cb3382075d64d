//! What one recording thread and the aggregator share.
//!
//! May use `sync`, `time` and `series`. In reading order:
//! - `sample`, `trace`, `batch`: a sample, the trace it belongs to, many of them as they were read
//! - `block`: 512 samples that change hands
//! - `bucket`, `wide`: the layout of distributions, sums that lose nothing
//! - `cell`, `spill`, `table`: counters in place, samples coalesced in place, where both lie
//! - `lane`: all of that of one thread, and who has it
//! - `writer`, `reader`: its two sides
//! - `shared`: what all recording threads of one collector share

pub(crate) mod batch;
pub(crate) mod block;
pub(crate) mod bucket;
pub(crate) mod cell;
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
