//! What readers see: snapshots and the statistics in them.
//!
//! May use `sync`, `time`, `series` and `lane`. In reading order:
//! - `rows`: a distribution as sorted rows
//! - `buckets`, `stats`: a distribution, the statistics of each kind
//! - `corrected`: what a caller at a fixed rate missed
//! - `exemplar`: a sample with its trace
//! - `exported`: what exports call metrics and tag keys
//! - `snapshot`: one pass over all series; differences and sums of snapshots
//! - `snapshot_reader`: the last snapshot, again and again

pub(crate) mod buckets;
mod corrected;
pub(crate) mod exemplar;
pub(crate) mod exported;
pub(crate) mod rows;
pub(crate) mod snapshot;
pub(crate) mod snapshot_reader;
pub(crate) mod stats;
