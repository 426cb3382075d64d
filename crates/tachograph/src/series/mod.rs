//! What a series is, and the table of all series.
//!
//! May use `sync` and `time`. In reading order:
//! - `metric`: a metric's kind, unit and description
//! - `encoding`: floats and times as serde writes them
//! - `tags`: a set of tags
//! - `key`: the display key of a series
//! - `warning`: why a sample was dropped, and what the collector's owner is told
//! - `tallies`: how often recording threads were refused, and the like
//! - `series_id`: a series as recording threads know it
//! - `registry`: from a name and tags to a series, within limits

pub(crate) mod encoding;
pub(crate) mod key;
pub(crate) mod metric;
pub(crate) mod registry;
pub(crate) mod series_id;
pub(crate) mod tags;
pub(crate) mod tallies;
pub(crate) mod warning;
