//! Names in Prometheus's grammar: of metrics and of labels. Every export uses these.
//!
//! May use `sync`, `time`, `drops` and `series`. In reading order:
//! - `exported_names`: the names that a snapshot carries, and what a metric's name becomes
//! - `claims`: reserves names, so that each is used only once
//! - `labels`: what a tag's key becomes
//! - `naming`: assigns names to metrics and tag keys when they enter a snapshot

mod claims;
pub(crate) mod exported_names;
mod labels;
pub(crate) mod naming;
