//! JSON: every series with all its statistics.
//!
//! ```json
//! {
//!   "timestamp": "2025-11-28T10:30:00.000Z", "uptime_seconds": 3600.5, "window_seconds": 60.0,
//!   "metrics": {
//!     "timings": {"<key>": {"count", "sum", "mean", "min", "max", "p50", "p90", "p95", "p99", "p999",
//!                           "rate", "quantile_error", "kind", "unit", "dropped", "exemplar",
//!                           "window": {…}}},
//!     "counters": {"<key>": {"value", "rate", "kind", "unit", "dropped", "window": {…}}},
//!     "gauges": {"<key>": {"current", "min", "max", "mean", "count", "kind", "unit", "dropped",
//!                          "window": {…}}}
//!   }
//! }
//! ```
//!
//! Keys are `name` or `name[k1=v1,k2=v2]`, sorted. `timings` also holds histograms, and `counters`
//! also holds up-down counters: `kind` tells them apart. Values are in `unit` (seconds for a
//! timing) and rates are per second. The fields of a series cover its lifetime; `window` repeats
//! the statistics for the last `window_seconds`. Both are absent if the collector has no windows.
//! `exemplar` is present if samples were recorded with a trace: `{"value", "trace_id", "span_id",
//! "timestamp"}` of the worst one. Statistics without samples are 0.0; numbers that are not finite
//! are `null`.
//!
//! # Finding slow operations
//! ```
//! # use std::time::Duration;
//! # use tachograph::MetricsCollector;
//! # use tachograph_export::json::{Options, to_value};
//! # let metrics = MetricsCollector::new();
//! # metrics.timing("operation.load", Duration::from_millis(30));
//! # metrics.timing("operation.diff", Duration::from_millis(700));
//! let json = to_value(&metrics.get_all_metrics(), Options::default());
//! let p95 = |stats: &serde_json::Value| stats["p95"].as_f64().unwrap_or(0.0);
//! let mut timings: Vec<_> = json["metrics"]["timings"].as_object().into_iter().flatten().collect();
//! timings.sort_by(|(_, a), (_, b)| p95(b).total_cmp(&p95(a)));
//! for (name, stats) in &timings {
//!     println!("{name}: p95={:.2}ms", p95(stats) * 1000.0);
//! }
//! # assert_eq!(timings[0].0, "operation.diff");
//! ```
//!
//! # Watching the number of series
//! ```
//! # use tachograph::MetricsCollector;
//! # use tachograph_export::json::{Options, to_value};
//! # let metrics = MetricsCollector::new();
//! # for i in 0..1_200 { metrics.with_tags(&[("id", &i.to_string())]).histogram("size", i); }
//! let json = to_value(&metrics.get_all_metrics(), Options::default());
//! let count = |section: &str| json["metrics"][section].as_object().map_or(0, |all| all.len());
//! println!("Timing metrics: {}", count("timings"));
//! println!("Counter metrics: {}", count("counters"));
//! println!("Gauge metrics: {}", count("gauges"));
//! if count("timings") > 1_000 {
//!     metrics.reset();
//! }
//! # assert_eq!(metrics.get_all_metrics().metric("size").count(), 0);
//! ```
//!
//! # Your own format
//! ```
//! # use std::time::Duration;
//! # use tachograph::MetricsCollector;
//! # use tachograph_export::json::{Options, to_value};
//! use serde_json::Value;
//!
//! /// One line per series. A Prometheus server does not accept this; see [`prometheus`].
//! ///
//! /// [`prometheus`]: tachograph_export::prometheus
//! fn export_to_prometheus(metrics: &Value) -> String {
//!     let section = |name: &str| metrics[name].as_object().into_iter().flatten();
//!     let counters = section("counters").map(|(name, stats)| format!("{name} {}", stats["value"]));
//!     let gauges = section("gauges").map(|(name, stats)| format!("{name} {}", stats["current"]));
//!     let timings = section("timings").map(|(name, stats)| format!("{name}_p95 {}", stats["p95"]));
//!     counters.chain(gauges).chain(timings).collect::<Vec<_>>().join("\n")
//! }
//!
//! # let metrics = MetricsCollector::new();
//! # metrics.increment("events.processed");
//! # metrics.gauge("websocket.clients", 3.0);
//! # metrics.timing("event.processing", Duration::from_millis(20));
//! let json = to_value(&metrics.get_all_metrics(), Options::default());
//! let text = export_to_prometheus(&json["metrics"]);
//! # for line in ["events.processed 1", "websocket.clients 3.0", "event.processing_p95 0.02"] {
//! #     assert!(text.lines().any(|found| found == line), "{text}");
//! # }
//! println!("{text}");
//! ```

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;
use tachograph::Snapshot;

use crate::series::{self, Entry, Spans};
use crate::time::rfc3339;

/// The media type of the output of [`encode`].
pub const CONTENT_TYPE: &str = "application/json";

/// Optional parts of the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Adds `buckets` to each timing and histogram: `[{"low", "high", "count"}, …]`, with both
    /// edges inclusive and in the series' unit. Adds up to a few thousand entries per series.
    pub buckets: bool,
    /// Whether the collector's own series, `telemetry.*`, are among the others.
    pub telemetry: bool,
}

/// No buckets, all series.
impl Default for Options {
    fn default() -> Self {
        Self { buckets: false, telemetry: true }
    }
}

/// Appends a snapshot as compact JSON.
///
/// ```
/// # let snapshot = tachograph::MetricsCollector::new().snapshot();
/// use tachograph_export::json;
///
/// let mut out = Vec::new();
/// json::encode(&snapshot, json::Options { buckets: true, ..Default::default() }, &mut out);
/// assert!(out.starts_with(b"{\"timestamp\":"));
/// ```
pub fn encode(snapshot: &Snapshot, options: Options, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &Document { snapshot, options }).expect(ALWAYS_JSON);
}

/// A snapshot as a JSON value.
pub fn to_value(snapshot: &Snapshot, options: Options) -> Value {
    serde_json::to_value(Document { snapshot, options }).expect(ALWAYS_JSON)
}

const ALWAYS_JSON: &str = "keys are strings, integers fit 64 bits, and memory accepts every write";

struct Document<'a> {
    snapshot: &'a Snapshot,
    options: Options,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let snapshot = self.snapshot;
        let mut document = serializer.serialize_struct("Document", 4)?;
        document.serialize_field("timestamp", &rfc3339(snapshot.timestamp()))?;
        document.serialize_field("uptime_seconds", &snapshot.uptime().as_secs_f64())?;
        if let Some(span) = snapshot.window_span() {
            document.serialize_field("window_seconds", &span.as_secs_f64())?;
        }
        document.serialize_field("metrics", &Metrics(self))?;
        document.end()
    }
}

struct Metrics<'a>(&'a Document<'a>);

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut metrics = serializer.serialize_struct("Metrics", 3)?;
        metrics.serialize_field("timings", &Section(self.0, series::timing))?;
        metrics.serialize_field("counters", &Section(self.0, series::counter))?;
        metrics.serialize_field("gauges", &Section(self.0, series::gauge))?;
        metrics.end()
    }
}

/// The series for which the function returns an entry, by key.
struct Section<'a, F>(&'a Document<'a>, F);

impl<'a, F, T> Serialize for Section<'a, F>
where
    F: Fn(&'a tachograph::Series, Spans<'a>, Options) -> Option<Entry<'a, T>>,
    T: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Document { snapshot, options }, entry) = self;
        let spans = Spans::of(snapshot);
        let is_told = |series: &&std::sync::Arc<tachograph::Series>| {
            options.telemetry || !series.metric.is_telemetry()
        };
        serializer.collect_map(
            snapshot
                .series()
                .iter()
                .filter(is_told)
                .filter_map(|series| Some((&*series.key, entry(series, spans, *options)?))),
        )
    }
}
