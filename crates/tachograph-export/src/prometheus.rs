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
mod escape;
mod family;
mod names;
mod number;
mod plan;
mod text;

use tachograph::{Kind, Snapshot, Unit};

use self::names::Names;
use self::plan::Plan;

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
    Prometheus::new().text(snapshot, out)
}

/// An encoder for one snapshot after another: it keeps the names, the labels and their text while
/// no series comes or goes. That takes some 200 bytes a series, and spares most of the time.
///
/// ```
/// use tachograph::MetricsCollector;
/// use tachograph_export::prometheus::Prometheus;
///
/// let metrics = MetricsCollector::new();
/// let (mut prometheus, mut text) = (Prometheus::new(), String::new());
/// for turn in 1..=3 {
///     metrics.increment("turns");
///     text.clear();
///     prometheus.text(&metrics.get_all_metrics(), &mut text);
///     assert!(text.contains(&format!("\nturns_total {turn}\n")));
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Prometheus {
    plan: Plan,
}

impl Prometheus {
    /// An encoder with nothing kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a snapshot as text. Returns how many names and label keys got a suffix.
    pub fn text(&mut self, snapshot: &Snapshot, out: &mut String) -> usize {
        let plan = self.plan(snapshot);
        text::write(plan, snapshot, out);
        plan.renamed
    }

    fn plan(&mut self, snapshot: &Snapshot) -> &Plan {
        if !self.plan.fits(snapshot) {
            self.plan = Plan::new(snapshot);
        }
        &self.plan
    }
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
    let unit = if kind == Kind::Timing { &Unit::Seconds } else { unit };
    Names::new(metric, kind, unit).full(kind)
}
