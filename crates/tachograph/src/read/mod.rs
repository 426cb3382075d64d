//! Snapshots and the statistics in them.
//!
//! May use `sync`, `time`, `series` and `lane`. In reading order:
//! - `rows`: a distribution as sorted rows
//! - `buckets`, `stats`: a distribution, and the statistics of each kind
//! - `corrected`: correction for coordinated omission
//! - `exemplar`: a sample with its trace
//! - `exported_names`: names as exports spell them
//! - `snapshot`: one pass over all series; differences and merges of snapshots
//! - `snapshot_reader`: follows the last published snapshot

pub(crate) mod buckets;
mod corrected;
pub(crate) mod exemplar;
pub(crate) mod exported_names;
pub(crate) mod rows;
pub(crate) mod snapshot;
pub(crate) mod snapshot_reader;
pub(crate) mod stats;
