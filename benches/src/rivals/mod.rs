//! Other libraries' recording calls as operations to measure, each written as its documentation
//! recommends. After the measurement, each library is asked for its count.
//!
//! A call by handle goes through an `Arc` or the library's own shared handle. If a library keeps
//! its metrics in statics, that changes the cost by about one pointer. Histograms with configurable
//! buckets get 20, doubling from 1; the values are 0 to 1,023.

mod contatori;
mod exposition;
mod fast_telemetry;
mod fastmetrics;
mod hdrhistogram;
mod hotpath;
mod measured;
mod metrics;
mod metrics_lib;
mod metriken;
mod nm;
mod opentelemetry;
mod prometheus;
mod prometheus_client;
mod sizes;

pub use exposition::{Exposition, counter_expositions, timing_expositions};
pub use sizes::{Sizes, counter_sizes, kept, timing_sizes};

use crate::calls::TAG;
use crate::case::Case;

/// Another library's operation.
#[derive(Debug)]
pub struct Rival {
    /// The operation, named after the library.
    pub case: Case<'static>,
    /// How it differs from ours, which may explain why it is ahead.
    pub differs: &'static str,
    /// When a reader sees the call.
    pub seen: &'static str,
    /// The error of what a reader sees: of quantiles, in a histogram.
    pub error: &'static str,
}

impl Rival {
    /// An operation that readers see at once, without an error.
    fn new(case: Case<'static>, differs: &'static str) -> Self {
        Self { case, differs, seen: "at once", error: "none" }
    }

    /// An operation that readers see later.
    fn seen(self, seen: &'static str) -> Self {
        Self { seen, ..self }
    }

    /// A histogram whose quantiles have an error.
    fn within(self, error: &'static str) -> Self {
        Self { error, ..self }
    }
}

/// Medians closer than this may swap places in the next run.
const LEVEL: f64 = 0.05;

/// The verdict on a rival, given its figures as multiples of ours; `ahead` if one of them is.
pub fn verdict(ratios: &[f64]) -> &'static str {
    if ratios.iter().any(|&ratio| ratio < 1.0 - LEVEL) {
        "ahead"
    } else if ratios.iter().any(|&ratio| ratio < 1.0 + LEVEL) {
        "level"
    } else {
        "behind"
    }
}

/// The bounds of histograms with configurable buckets.
fn bounds() -> Vec<f64> {
    (0..20).map(|i| f64::from(1 << i)).collect()
}

/// The error of 20 buckets that double.
const DOUBLING: &str = "a factor of 2";

/// What our gauge has in addition: exact minimum, maximum, mean and count.
const PLAIN_GAUGE: &str = "the last value only: no min, max, mean or count";

/// The value of a metric in Prometheus text.
fn shown(text: &str, metric: &str) -> Option<f64> {
    let value = |line: &str| line.strip_prefix(metric)?.strip_prefix(' ')?.trim().parse().ok();
    text.lines().find_map(value)
}

/// The number of threads that sharded metrics are created for.
fn shards() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Adding 1 to a counter by its handle.
pub fn counters() -> Vec<Rival> {
    vec![
        contatori::counter(),
        prometheus_client::counter(),
        prometheus::counter(),
        fast_telemetry::counter(),
        fast_telemetry::counter_buffered(),
        fastmetrics::counter(),
        measured::counter(),
        metriken::counter(),
        metriken::counter_sharded(),
        metrics_lib::counter(),
        metrics::counter(),
        metrics::counter_by_macro(),
        nm::counter(),
        opentelemetry::counter(),
        opentelemetry::counter_bound(),
    ]
}

/// Adding 1 to a counter whose tag is only known at the call.
pub fn tagged_counters() -> Vec<Rival> {
    vec![
        fast_telemetry::tagged(),
        prometheus::tagged(),
        fastmetrics::tagged(),
        prometheus_client::tagged(),
        opentelemetry::tagged(),
        metrics::tagged(),
    ]
}

/// Setting a gauge by its handle.
pub fn gauges() -> Vec<Rival> {
    vec![
        measured::gauge(),
        prometheus::gauge(),
        prometheus_client::gauge(),
        fast_telemetry::gauge(),
        fastmetrics::gauge(),
        metriken::gauge(),
        metrics_lib::gauge(),
        metrics::gauge(),
        opentelemetry::gauge(),
    ]
}

/// Recording a duration or a value by its handle.
pub fn timings() -> Vec<Rival> {
    vec![
        metriken::timing(),
        metriken::timing_sharded(),
        fast_telemetry::timing(),
        hdrhistogram::timing(),
        metrics_lib::timing(),
        prometheus::timing(),
        measured::timing(),
        opentelemetry::timing(),
        opentelemetry::timing_bound(),
        nm::timing(),
        prometheus_client::timing(),
        fastmetrics::timing(),
        metrics::timing(),
    ]
}

/// Recording a duration or a value by its handle, in libraries whose readers need not wait for
/// writers.
pub fn timings_without_waiting() -> Vec<Rival> {
    let mut timings = timings();
    timings.retain(|rival| rival.case.name() != hdrhistogram::NAME);
    timings.push(hdrhistogram::own());
    timings
}

/// Timing nothing: start, stop, record.
pub fn timers() -> Vec<Rival> {
    vec![
        metrics_lib::timer(),
        prometheus::timer(),
        measured::timer(),
        hotpath::timer(),
        fast_telemetry::timer(),
        prometheus_client::timer(),
        metrics::timer(),
    ]
}
