//! What a target of an exporter records: series with any names, tags and values.

use std::time::Duration;

use arbitrary::Arbitrary;
use tachograph::{MetricsCollector, Trace, Unit};

#[derive(Arbitrary, Debug)]
pub(crate) struct Series<'a> {
    name: &'a str,
    tags: Vec<(&'a str, &'a str)>,
    /// The unit, and the description too.
    unit: Option<&'a str>,
    value: Value,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Counter(u64),
    UpDown(u64),
    Gauge(f64),
    Timing(u64),
    Histogram(u64),
    Traced(u64, [u8; 16], [u8; 8]),
}

/// A collector of few series, so that an input meets the limits.
pub(crate) fn collector() -> MetricsCollector {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2);
    metrics.max_series(16).max_metrics(16).build()
}

impl Series<'_> {
    /// Records the value; a gauge's as `gauge` has it.
    pub(crate) fn record(&self, metrics: &MetricsCollector, gauge: impl Fn(f64) -> f64) {
        let Self { name, tags, unit, value } = self;
        if let Some(unit) = unit {
            metrics.describe(name, Unit::Other((*unit).into()), unit);
        }
        let tagged = metrics.with_tags(tags);
        match *value {
            Value::Counter(amount) => tagged.increment_by(name, amount),
            Value::UpDown(amount) => tagged.decrement_by(name, amount),
            Value::Gauge(value) => tagged.gauge(name, gauge(value)),
            Value::Timing(nanos) => tagged.timing(name, Duration::from_nanos(nanos)),
            Value::Histogram(value) => tagged.histogram(name, value),
            // Ids of nothing but zeros are none.
            Value::Traced(value, trace, span) => match Trace::new(trace, span) {
                Some(trace) => tagged.histogram_traced(name, value, trace),
                None => tagged.histogram(name, value),
            },
        }
    }
}
