//! Prometheus text exposition format 0.0.4.
//!
//! | kind | is written as |
//! |---|---|
//! | timing, histogram | summary: quantiles 0.5, 0.9, 0.95, 0.99, 0.999, `_sum`, `_count` |
//! | counter | counter, ending in `_total` |
//! | up-down counter, gauge | gauge |
//!
//! All of a series' lifetime. A family is named after its metric and its unit:
//! `event.processing.duration` is `event_processing_duration_seconds`.
//!
//! # Names
//! * A character outside the grammar becomes `_`; a leading digit gets a `_` before it.
//! * Families whose names collide after that get a numeric suffix before the unit, in the order of
//!   the original names: `a_b_seconds`, `a_b_1_seconds`. All names count that a family has in this
//!   format or in OpenMetrics, so that `x` and `x.count` never meet in `x_count`.
//! * So do label keys that collide within a family. The reserved ones, `le`, `quantile` and all
//!   that start with `__`, lose their leading `_` and always get a suffix: `le_1`.
//! * The gauge `telemetry_prometheus_renamed` counts the suffixes.
//!
//! # Values
//! The quantiles of a series without samples, and a gauge that was never set, are `NaN`. In tag
//! values and descriptions U+0000, at which scrapers stop reading, becomes U+FFFD. To Prometheus
//! an empty tag value is the same as none.

mod claims;
mod family;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write;

use tachograph::{Series, Snapshot};

use self::claims::Claims;
use self::family::Family;

/// The media type of what [`encode`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The family that counts suffixes.
const RENAMED: &str = "telemetry_prometheus_renamed";

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
    let mut claims = Claims::default();
    claims.take(RENAMED);
    let mut renamed = 0;
    for (name, series) in by_name(snapshot) {
        let family = Family::new(name, series, &mut claims);
        renamed += family.renamed_labels();
        family.write(out);
    }
    renamed += claims.renamed();
    text::head(out, RENAMED, "gauge", "names and label keys that got a numeric suffix");
    // Infallible: memory accepts every write.
    let _ = writeln!(out, "{RENAMED} {renamed}");
    renamed
}

/// The series of each metric, in the order of the metrics' names.
fn by_name(snapshot: &Snapshot) -> BTreeMap<&str, Vec<&Series>> {
    let mut metrics = BTreeMap::<_, Vec<_>>::new();
    for series in snapshot.series() {
        metrics.entry(&*series.metric.name).or_default().push(&**series);
    }
    metrics
}
