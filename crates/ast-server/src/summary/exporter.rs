//! The exporter under its well-known name.

use serde_json::Value;
use tachograph::Snapshot;
use tachograph_export::json;

use crate::summary::Summary;

/// Converts snapshots to JSON and to the summary. The Prometheus and OTLP formats are in
/// [`tachograph_export`].
#[derive(Clone, Copy, Debug)]
pub struct MetricsExporter;

impl MetricsExporter {
    /// Every series with all its statistics; see [`json`].
    ///
    /// ```
    /// use std::fs::File;
    /// use tachograph::MetricsCollector;
    /// use ast_server::MetricsExporter;
    ///
    /// let metrics = MetricsCollector::new();
    /// metrics.increment("events.processed");
    ///
    /// let all_metrics = metrics.get_all_metrics();
    /// let json_export = MetricsExporter::to_json(&all_metrics);
    /// assert_eq!(json_export["metrics"]["counters"]["events.processed"]["value"], 1);
    ///
    /// # let path = std::env::temp_dir().join(format!("metrics-{}.json", std::process::id()));
    /// serde_json::to_writer_pretty(File::create(&path)?, &json_export)?;
    /// # let read: serde_json::Value = serde_json::from_reader(File::open(&path)?)?;
    /// # assert_eq!(read, json_export);
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_json(snapshot: &Snapshot) -> Value {
        json::to_value(snapshot, json::Options::default())
    }

    /// The high-level view: a few fields that always exist.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tachograph::MetricsCollector;
    /// use ast_server::MetricsExporter;
    ///
    /// let metrics = MetricsCollector::new();
    /// metrics.timing("event.processing.duration", Duration::from_millis(140));
    ///
    /// let summary = MetricsExporter::to_summary(&metrics.get_all_metrics());
    /// println!("Uptime: {}s", summary.uptime_seconds);
    /// println!("Event processing p95: {}ms", summary.event_processing.latency_ms.p95);
    /// println!("Cache hit rate: {}%", summary.cache.hit_rate_percent);
    /// ```
    ///
    /// Every field exists from the start, so checks need no special case for an idle system,
    /// neither on the struct nor on its JSON:
    ///
    /// ```
    /// # use std::{cell::RefCell, time::Duration};
    /// # use tachograph::MetricsCollector;
    /// # use ast_server::MetricsExporter;
    /// # let metrics = MetricsCollector::new();
    /// # metrics.timing("event.processing.duration", Duration::from_millis(140));
    /// # metrics.increment_by("errors.event_processing", 11);
    /// # let alerts = RefCell::new(Vec::new());
    /// # let send_alert = |text: &'static str| alerts.borrow_mut().push(text);
    /// let summary = MetricsExporter::to_summary(&metrics.get_all_metrics());
    /// if summary.event_processing.latency_ms.p95 > 100.0 {
    ///     send_alert("High event processing latency!");
    /// }
    /// if summary.udp_listener.packets_dropped > 100 {
    ///     send_alert("High UDP packet loss!");
    /// }
    /// if summary.errors["errors.event_processing"] > 10 {
    ///     send_alert("Many event processing errors!");
    /// }
    /// # assert_eq!(alerts.into_inner(), ["High event processing latency!", "Many event processing errors!"]);
    ///
    /// let summary = serde_json::to_value(&summary)?;
    /// assert_eq!(summary["event_processing"]["latency_ms"]["p95"], 140.0);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn to_summary(snapshot: &Snapshot) -> Summary {
        Summary::of(snapshot)
    }
}
