//! The encoder: the choices, and the cache that is kept between snapshots.

use std::time::SystemTime;

use tachograph::Snapshot;

use super::choices::Choices;
use super::form::Form;
use super::lines::{Dialect, Lines};
use super::plan::Plan;
use super::protobuf::Messages;
use super::{open_metrics, text};

/// Encodes one snapshot after another, in any of the formats.
///
/// It caches the text of names and labels until a series comes or goes. The cache takes about 100
/// bytes per series and saves most of the time.
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

    /// The form of timings and histograms for which [`metric`](Self::metric) sets none;
    /// [`Form::default`] by default.
    pub fn timings(mut self, form: Form) -> Self {
        self.choices.timings = form;
        self.plan = Plan::default();
        self
    }

    /// The form of one timing or histogram. `name` is the recorded name,
    /// `event.processing.duration`.
    pub fn metric(mut self, name: impl Into<String>, form: Form) -> Self {
        self.choices.by_metric.insert(name.into(), form);
        self.plan = Plan::default();
        self
    }

    /// Whether each sample carries the snapshot's time. Off by default: the scraper knows better
    /// when it scraped, and with explicit times it does not notice that a series is gone.
    pub fn timestamps(mut self, timestamps: bool) -> Self {
        self.choices.timestamps = timestamps;
        self
    }

    /// Whether OpenMetrics says when counters, summaries and histograms were created or reset; on
    /// by default. A server that does not know `_created` stores it as one more series for each.
    pub fn created(mut self, created: bool) -> Self {
        self.choices.created = created;
        self
    }

    /// Whether a summary's quantiles cover the series' lifetime. By default they cover the window,
    /// so they describe the present and are `NaN` if the window is empty. Counts and sums always
    /// cover the lifetime; without windows everything does.
    pub fn lifetime_quantiles(mut self, lifetime_quantiles: bool) -> Self {
        self.choices.lifetime_quantiles = lifetime_quantiles;
        self.plan = Plan::default();
        self
    }

    /// Whether the collector's own series, `telemetry.*`, are written; on by default. They show
    /// whether samples were dropped and passes fell behind.
    pub fn telemetry(mut self, telemetry: bool) -> Self {
        self.choices.telemetry = telemetry;
        self.plan = Plan::default();
        self
    }

    /// Appends a snapshot in the text format and returns how many names and label keys got a
    /// suffix.
    pub fn text(&mut self, snapshot: &Snapshot, out: &mut String) -> usize {
        let dialect = text::dialect(self.timestamp(snapshot));
        self.lines(snapshot, &dialect, out)
    }

    /// Writes a snapshot as OpenMetrics, including the end marker, and returns how many names and
    /// label keys got a suffix.
    pub fn open_metrics(&mut self, snapshot: &Snapshot, out: &mut String) -> usize {
        let dialect = open_metrics::dialect(self.timestamp(snapshot), self.choices.created);
        let renamed = self.lines(snapshot, &dialect, out);
        out.push_str(open_metrics::END);
        renamed
    }

    /// Appends a snapshot in the protobuf format: `io.prometheus.client` `MetricFamily` messages,
    /// each preceded by its length. Returns how many names and label keys got a suffix.
    pub fn protobuf(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) -> usize {
        let timestamp = self.timestamp(snapshot);
        let telemetry = self.choices.telemetry;
        let plan = self.plan(snapshot);
        let mut messages = Messages::new(timestamp, &plan.names, out);
        for family in &plan.families {
            messages.family(family, snapshot);
        }
        if telemetry {
            messages.renamed();
        }
        plan.names.renamed()
    }

    fn lines(&mut self, snapshot: &Snapshot, dialect: &Dialect, out: &mut String) -> usize {
        let telemetry = self.choices.telemetry;
        let plan = self.plan(snapshot);
        let mut lines = Lines::new(dialect, out);
        for family in &plan.families {
            lines.family(family, snapshot);
        }
        if telemetry {
            lines.renamed(&plan.names);
        }
        plan.names.renamed()
    }

    /// The previous snapshot's plan, or a new one if that does not fit.
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
