//! What a series is, and the table of all series.
//!
//! May use `sync` and `time`. In reading order:
//! - `metric`: a metric's kind, unit and description
//! - `tags`: a set of tags
//! - `key`: the display key of a series
//! - `warning`: why a sample was dropped, and what the collector's owner is told
//! - `series_id`: a series as recording threads know it
//! - `registry`: from a name and tags to a series, within limits

pub(crate) mod key;
pub(crate) mod metric;
pub(crate) mod registry;
pub(crate) mod series_id;
pub(crate) mod tags;
pub(crate) mod warning;
