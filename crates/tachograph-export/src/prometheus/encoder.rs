//! The encoder: choices, and what is kept from one snapshot to the next.

use std::time::SystemTime;

use tachograph::Snapshot;

use super::choices::Choices;
use super::form::Form;
use super::lines::{Dialect, Lines};
use super::plan::Plan;
use super::protobuf::Messages;
use super::{RENAMED, RENAMED_HELP, open_metrics, text};

/// Writes one snapshot after another, in any of the formats.
///
/// It keeps the text of names and labels while no series comes or goes. That takes some 100 bytes a
/// series, and spares most of the time.
///
/// ```
/// use std::time::Duration;
/// use tachograph::MetricsCollector;
/// use tachograph_export::prometheus::{Bounds, Form, Prometheus};
///
/// let metrics = MetricsCollector::new();
/// let mut prometheus = Prometheus::new()
///     .timings(Form::Classic(Bounds::default()))
///     .metric("turn", Form::Classic(Bounds::new([0.001, 0.004, 0.016])?));
/// let mut text = String::new();
/// for turn in 1..=3 {
///     metrics.timing("turn", Duration::from_millis(2));
///     text.clear();
///     prometheus.text(&metrics.get_all_metrics(), &mut text);
///     assert!(text.contains("# TYPE turn_seconds histogram\n"));
///     assert!(text.contains(&format!("\nturn_seconds_bucket{{le=\"0.004\"}} {turn}\n")));
/// }
/// # Ok::<(), tachograph_export::prometheus::BoundsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Prometheus {
    choices: Choices,
    plan: Plan,
}

impl Prometheus {
    /// An encoder with the default choices.
    pub fn new() -> Self {
        Self::default()
    }

    /// What timings and histograms are written as, unless chosen for the metric;
    /// [`Form::default`] by default.
    pub fn timings(mut self, form: Form) -> Self {
        self.choices.timings = form;
        self.plan = Plan::default();
        self
    }

    /// What the timing or histogram of this name is written as. The name is that which is recorded
    /// by, `event.processing.duration`.
    pub fn metric(mut self, name: impl Into<String>, form: Form) -> Self {
        self.choices.by_metric.insert(name.into(), form);
        self.plan = Plan::default();
        self
    }

    /// Whether each sample has the time of the snapshot; not by default, as a scraper knows better
    /// when it has scraped, and does not notice that a series is gone while it is told times.
    pub fn timestamps(mut self, timestamps: bool) -> Self {
        self.choices.timestamps = timestamps;
        self
    }

    /// Whether OpenMetrics says when counters, summaries and histograms were created or reset; it
    /// does by default. A server that does not know what `_created` means stores it as one more
    /// series for each.
    pub fn created(mut self, created: bool) -> Self {
        self.choices.created = created;
        self
    }

    /// Whether a summary's quantiles are of a series' lifetime; by default they are of its window,
    /// so that they tell of now, and `NaN` where that is empty. Counts and sums are of the lifetime
    /// either way, and so is all of a collector without windows.
    pub fn lifetime_quantiles(mut self, lifetime_quantiles: bool) -> Self {
        self.choices.lifetime_quantiles = lifetime_quantiles;
        self.plan = Plan::default();
        self
    }

    /// Appends a snapshot in the text format. Returns how many names and label keys got a suffix.
    pub fn text(&mut self, snapshot: &Snapshot, out: &mut String) -> usize {
        let dialect = text::dialect(self.timestamp(snapshot));
        self.lines(snapshot, &dialect, out)
    }

    /// Writes a snapshot as OpenMetrics, its end included. Returns how many names and label keys
    /// got a suffix.
    pub fn open_metrics(&mut self, snapshot: &Snapshot, out: &mut String) -> usize {
        let dialect = open_metrics::dialect(self.timestamp(snapshot), self.choices.created);
        let renamed = self.lines(snapshot, &dialect, out);
        out.push_str(open_metrics::END);
        renamed
    }

    /// Appends a snapshot in the protobuf format: a `MetricFamily` of `io.prometheus.client` after
    /// another, each with its length before it. Returns how many names and label keys got a suffix.
    pub fn protobuf(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) -> usize {
        let timestamp = self.timestamp(snapshot);
        let plan = self.plan(snapshot);
        let mut messages = Messages::new(timestamp, out);
        for family in &plan.families {
            messages.family(family, snapshot);
        }
        let renamed = plan.names.renamed();
        messages.own_gauge(RENAMED, RENAMED_HELP, renamed);
        renamed
    }

    fn lines(&mut self, snapshot: &Snapshot, dialect: &Dialect, out: &mut String) -> usize {
        let plan = self.plan(snapshot);
        let mut lines = Lines::new(dialect, out);
        for family in &plan.families {
            lines.family(family, snapshot);
        }
        let renamed = plan.names.renamed();
        lines.own_gauge(RENAMED, RENAMED_HELP, renamed);
        renamed
    }

    /// The last snapshot's plan, or a new one where that does not fit.
    fn plan(&mut self, snapshot: &Snapshot) -> &Plan {
        if !self.plan.fits(snapshot) {
            self.plan = Plan::new(snapshot, &self.choices);
        }
        &self.plan
    }

    fn timestamp(&self, snapshot: &Snapshot) -> Option<SystemTime> {
        self.choices.timestamps.then(|| snapshot.timestamp())
    }
}
