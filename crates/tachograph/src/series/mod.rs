//! Series, and the table of all series.
//!
//! May use `sync` and `time`. In reading order:
//! - `metric`: a metric's kind, unit and description
//! - `encoding`: floats and times in serde's form
//! - `tags`: a set of tags
//! - `key`: the display key of a series
//! - `drop_reason`, `warning`: reasons for dropping a sample, warnings to the collector's owner
//! - `tallies`: counts of refused samples and other rare events
//! - `series_id`: a series as recording threads know it
//! - `registry`: looks up or creates the series of a name and tags, within limits

pub(crate) mod drop_reason;
pub(crate) mod encoding;
pub(crate) mod key;
pub(crate) mod metric;
pub(crate) mod registry;
pub(crate) mod series_id;
pub(crate) mod tags;
pub(crate) mod tallies;
pub(crate) mod warning;
