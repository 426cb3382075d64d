//! Series, and the table of all series.
//!
//! May use `sync`, `time` and `drops`. In reading order:
//! - `metric`: a metric's kind, unit and description
//! - `encoding`: floats and times in serde's form
//! - `tags`: a set of tags
//! - `key`: the display key of a series
//! - `warning`: warnings to the collector's owner
//! - `series_id`: a series as recording threads know it
//! - `registry`: looks up or creates the series of a name and tags, within limits

pub(crate) mod encoding;
pub(crate) mod key;
pub(crate) mod metric;
pub(crate) mod registry;
pub(crate) mod series_id;
pub(crate) mod tags;
pub(crate) mod warning;
