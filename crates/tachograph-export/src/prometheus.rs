//! Prometheus exposition: the text format 0.0.4, OpenMetrics 1.0, and the protobuf format with
//! native histograms.
//!
//! | kind | written as |
//! |---|---|
//! | timing, histogram | summary, classic or native histogram, or both histograms; see [`Form`] |
//! | counter | counter, ending in `_total` |
//! | up-down counter, gauge | gauge |
//!
//! All values cover a series' lifetime, except a summary's quantiles, which cover the window unless
//! you set [`lifetime_quantiles`](Prometheus::lifetime_quantiles). A family is named after its
//! metric and unit: `event.processing.duration` becomes `event_processing_duration_seconds`.
//!
//! # Formats
//! | | [`encode`], [`Prometheus::text`] | [`Prometheus::open_metrics`] | [`Prometheus::protobuf`] |
//! |---|---|---|---|
//! | timings, by default | summaries | summaries | native histograms |
//! | native histograms | – | – | yes |
//! | creation time of a series | – | `_created`, unless [turned off](Prometheus::created) | yes |
//! | units | in the name | in the name, `# UNIT` | in the name, `unit` |
//! | [exemplars](#exemplars) | – | on classic buckets | on native histograms and classic buckets |
//! | counters | exact, rounded to 53 bits by readers | the same | rounded to 53 bits |
//!
//! In OpenMetrics a counter's family name has no `_total`. Everything else is the same: a series
//! has the same name and labels in every format.
//!
//! # Names
//! * A character outside the grammar becomes `_`; a leading digit gets a `_` before it.
//! * A name that is empty once its unit and a counter's `_total` are removed, such as that of a
//!   counter called `_total`, becomes `metric`.
//! * Metrics whose names then collide get a numeric suffix before the unit: `a_b_seconds`,
//!   `a_b_1_seconds`. They are numbered in the order in which they first appear in a snapshot, and
//!   by name if they appear in the same one. Every name that a family has in any of the formats
//!   counts, so `x` and `x.count` never collide in `x_count`.
//! * Colliding label keys within a family get suffixes too. The reserved ones, `le`, `quantile` and
//!   everything that starts with `__`, lose their leading `_` and always get a suffix: `le_1`.
//! * A name [is kept](tachograph::ExportedNames) for the collector's life. If a metric is given
//!   another unit after its first snapshot, HELP mentions the unit and the name does not change.
//! * Names begin with the collector's [prefix](tachograph::Builder::export_prefix), and every
//!   series has its [constant labels](tachograph::Builder::export_label), before its tags. A tag
//!   key that collides with a constant label gets a suffix.
//! * The gauge `telemetry_prometheus_renamed` counts the suffixes.
//!
//! # Exemplars
//! A timing or histogram recorded with traces has one exemplar: the worst traced sample of its
//! window, with its value, its time and the labels `trace_id` and, if known, `span_id`. A classic
//! histogram carries it on the bucket that contains the value. Summaries cannot have exemplars, so
//! OpenMetrics carries them only for metrics whose [`Form`] has classic buckets. Prometheus servers
//! read exemplars of native histograms from 2.51 on; older ones read them only if there are classic
//! buckets too.
//!
//! # Values
//! The quantiles of an empty window, and a gauge that was never set, are `NaN`. Scrapers stop
//! reading at U+0000, so in descriptions it becomes U+FFFD. In tag values it becomes `␀0`, and `␀`
//! becomes `␀␀`, so that different values stay different.
//!
//! Prometheus buckets are counted from the snapshot's own buckets, which are 0.1 % wide. One that
//! straddles a bound is counted on the side of its middle: a sample within 0.05 % of a bound (3.2 %
//! if overload coalesced it) may be counted on the other side, and no sample is missing or counted
//! twice.

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

/// The media type of the output of [`encode`] and [`Prometheus::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The media type of the output of [`Prometheus::open_metrics`].
pub const OPEN_METRICS_CONTENT_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The media type of the output of [`Prometheus::protobuf`].
pub const PROTOBUF_CONTENT_TYPE: &str = "application/vnd.google.protobuf; \
     proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The gauge that counts suffixes.
const RENAMED: &str = "telemetry_prometheus_renamed";

const RENAMED_HELP: &str = "names and label keys that got a numeric suffix";

/// Appends a snapshot as text and returns how many names and label keys got a suffix.
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

/// The family name of a metric if no other metric collides with it: the name with its unit, and
/// `_total` for a counter. A timing's unit is always seconds.
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

/// The label of a tag key if no other key collides with it: every character that labels cannot have
/// is `_`, and a key that is reserved or begins with a digit gets a name that is allowed.
///
/// ```
/// use tachograph_export::prometheus::label_name;
///
/// assert_eq!(label_name("local port"), "local_port");
/// assert_eq!(label_name("1st"), "_1st");
/// ```
pub fn label_name(key: &str) -> String {
    MetricNames::own_label(key)
}
