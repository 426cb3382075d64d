//! Snapshots and the statistics in them.
//!
//! May use `sync`, `time`, `drops`, `series`, `lane` and `prometheus_names`. In reading order:
//! - `rows`: a distribution as sorted rows
//! - `buckets`, `stats`: a distribution, and the statistics of each kind
//! - `corrected`: correction for coordinated omission
//! - `exemplar`: a sample with its trace
//! - `snapshot`: one pass over all series; differences and merges of snapshots
//! - `snapshot_reader`: follows the last published snapshot

pub(crate) mod buckets;
mod corrected;
pub(crate) mod exemplar;
pub(crate) mod rows;
pub(crate) mod snapshot;
pub(crate) mod snapshot_reader;
pub(crate) mod stats;
