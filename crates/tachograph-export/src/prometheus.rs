//! What a Prometheus server scrapes: its text format 0.0.4, OpenMetrics 1.0, and its protobuf format
//! with native histograms.
//!
//! | kind | is written as |
//! |---|---|
//! | timing, histogram | summary, classic or native histogram, or the two together: as its [`Form`] says |
//! | counter | counter, ending in `_total` |
//! | up-down counter, gauge | gauge |
//!
//! All of a series' lifetime, but for a summary's quantiles, which are of the window unless [told
//! otherwise](Prometheus::lifetime_quantiles). A family is named after its metric and its unit:
//! `event.processing.duration` is `event_processing_duration_seconds`.
//!
//! # Formats
//! | | [`encode`], [`Prometheus::text`] | [`Prometheus::open_metrics`] | [`Prometheus::protobuf`] |
//! |---|---|---|---|
//! | timings, by default | summaries | summaries | native histograms |
//! | native histograms | – | – | yes |
//! | when a series was created | – | `_created`, unless [turned off](Prometheus::created) | yes |
//! | units | in the name | in the name, `# UNIT` | in the name, `unit` |
//! | [exemplars](#exemplars) | – | on classic buckets | of native histograms, and on classic buckets |
//! | counters | rounded to 53 bits by who reads them | the same | rounded to 53 bits |
//!
//! OpenMetrics calls a counter's family by its name without `_total`. All else is the same: a series
//! has one name and one set of labels, whatever it is scraped as.
//!
//! # Names
//! * A character outside the grammar becomes `_`; a leading digit gets a `_` before it.
//! * What is left of a name without its unit and a counter's `_total` may be nothing, as of a counter
//!   called `_total`: then it is `metric`.
//! * Metrics whose names collide after that get a numeric suffix before the unit, in the order in
//!   which they come into snapshots, and by name where they come together: `a_b_seconds`,
//!   `a_b_1_seconds`. All names count that a family has in any of the formats, so that `x` and
//!   `x.count` never meet in `x_count`.
//! * So do label keys that collide within a family. The reserved ones, `le`, `quantile` and all
//!   that start with `__`, lose their leading `_` and always get a suffix: `le_1`.
//! * A name [stays](tachograph::ExportedNames) for the collector's life. A unit that a metric is
//!   given once it has been in a snapshot is told by HELP, and does not change the name.
//! * The gauge `telemetry_prometheus_renamed` counts the suffixes.
//!
//! # Exemplars
//! A timing or histogram that was recorded with traces has one: the worst traced sample of its
//! window, with the labels `trace_id` and, where it is known, `span_id`, its value and its time. A
//! classic bucket has it if the value lies in it. Summaries cannot have exemplars, so in
//! OpenMetrics only metrics of a [`Form`] with classic buckets do. A Prometheus server reads those
//! of native histograms from 2.51 on, older ones only where there are classic buckets too.
//!
//! # Values
//! The quantiles of a window without samples, and a gauge that was never set, are `NaN`. In
//! descriptions U+0000, at which scrapers stop reading, becomes U+FFFD. In tag values it becomes
//! `␀0`, and `␀` becomes `␀␀`, so that two values never become one.
//!
//! Buckets are counted from the snapshot's own, which are 0.1 % wide. One of these that straddles a
//! bound is counted where its middle is: a sample within 0.05 % of a bound (3.2 %, if overload coalesced
//! it) may be on its other side, and no sample is missing or counted twice.

mod bounds;
mod choices;
mod encoder;
mod escape;
mod exemplar;
mod family;
mod form;
mod histogram;
mod lines;
mod message;
mod number;
mod open_metrics;
mod plan;
mod protobuf;
mod text;

use tachograph::{Kind, MetricNames, Snapshot, Unit};

pub use self::bounds::{Bounds, BoundsError};
pub use self::encoder::Prometheus;
pub use self::form::{Form, Schema, SchemaError};

/// The media type of what [`encode`] and [`Prometheus::text`] write.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The media type of what [`Prometheus::open_metrics`] writes.
pub const OPEN_METRICS_CONTENT_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The media type of what [`Prometheus::protobuf`] writes.
pub const PROTOBUF_CONTENT_TYPE: &str = "application/vnd.google.protobuf; \
     proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The family that counts suffixes.
const RENAMED: &str = "telemetry_prometheus_renamed";

/// Says what it is.
const RENAMED_HELP: &str = "names and label keys that got a numeric suffix";

/// Appends a snapshot as text. Returns how many names and label keys got a suffix.
///
/// ```
/// use std::time::Duration;
/// use tachograph::MetricsCollector;
/// use tachograph_export::prometheus;
///
/// let metrics = MetricsCollector::new();
/// metrics.with_tags(&[("handler", "scene")]).timing("turn", Duration::from_millis(2));
/// let mut text = String::new();
/// prometheus::encode(&metrics.get_all_metrics(), &mut text);
/// assert!(text.contains("# TYPE turn_seconds summary\n"));
/// assert!(text.contains("turn_seconds{handler=\"scene\",quantile=\"0.5\"} 0.002\n"));
/// ```
pub fn encode(snapshot: &Snapshot, out: &mut String) -> usize {
    Prometheus::new().text(snapshot, out)
}

/// What a metric's family is called where nothing else has that name: with its unit, a counter's
/// with `_total`. A timing's unit is always seconds.
///
/// ```
/// use tachograph::{Kind, Unit};
/// use tachograph_export::prometheus::family_name;
///
/// let name = family_name("event.processing.duration", Kind::Timing, &Unit::Seconds);
/// assert_eq!(name, "event_processing_duration_seconds");
/// assert_eq!(family_name("events.processed", Kind::Counter, &Unit::None), "events_processed_total");
/// ```
pub fn family_name(metric: &str, kind: Kind, unit: &Unit) -> String {
    MetricNames::new(metric, kind, unit).full(kind)
}
