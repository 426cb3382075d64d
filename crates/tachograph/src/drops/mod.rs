//! Samples that are not aggregated: why, and how many; and counts of other rare events.
//!
//! May use `sync` and `time`. In reading order:
//! - `drop_reason`: why a sample was dropped
//! - `tallies`: counts of drops by reason, and of other rare events on recording threads

pub(crate) mod drop_reason;
pub(crate) mod tallies;
