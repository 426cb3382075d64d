//! The exporter by its well-known name.

use serde_json::Value;
use tachograph::Snapshot;

use crate::summary::Summary;
use crate::{json, prometheus};

/// Turns snapshots into what other programs read.
///
/// Each function allocates its answer; the encoders in [`json`] and [`prometheus`] write into a
/// buffer of the caller's.
#[derive(Clone, Copy, Debug)]
pub struct MetricsExporter;

impl MetricsExporter {
    /// Every series with all its statistics, as described in [`json`].
    ///
    /// ```
    /// use tachograph::MetricsCollector;
    /// use tachograph_export::MetricsExporter;
    ///
    /// let metrics = MetricsCollector::new();
    /// metrics.increment("events.processed");
    /// let json = MetricsExporter::to_json(&metrics.get_all_metrics());
    /// assert_eq!(json["metrics"]["counters"]["events.processed"]["value"], 1);
    /// ```
    pub fn to_json(snapshot: &Snapshot) -> Value {
        json::to_value(snapshot, json::Options::default())
    }

    /// The high-level view: a few fields that always exist.
    pub fn to_summary(snapshot: &Snapshot) -> Summary {
        Summary::of(snapshot)
    }

    /// The text that a Prometheus server scrapes, as described in [`prometheus`].
    pub fn to_prometheus(snapshot: &Snapshot) -> String {
        let mut text = String::new();
        prometheus::encode(snapshot, &mut text);
        text
    }
}
