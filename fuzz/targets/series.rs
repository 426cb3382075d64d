//! The series that exporter targets record: any names, tags and values.

use std::time::Duration;

use arbitrary::Arbitrary;
use tachograph::{MetricsCollector, Trace, Unit};

#[derive(Arbitrary, Debug)]
pub(crate) struct Series<'a> {
    name: &'a str,
    tags: Vec<(&'a str, &'a str)>,
    /// The unit, also used as the description.
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

/// A collector with room for few series, so that inputs reach the limits.
pub(crate) fn collector() -> MetricsCollector {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2);
    metrics.max_series(16).max_metrics(16).build()
}

impl Series<'_> {
    pub(crate) fn record(&self, metrics: &MetricsCollector) {
        let Self { name, tags, unit, value } = self;
        if let Some(unit) = unit {
            metrics.describe(name, Unit::Other((*unit).into()), unit);
        }
        let tagged = metrics.with_tags(tags);
        match *value {
            Value::Counter(amount) => tagged.increment_by(name, amount),
            Value::UpDown(amount) => tagged.decrement_by(name, amount),
            Value::Gauge(value) => tagged.gauge(name, value),
            Value::Timing(nanos) => tagged.timing(name, Duration::from_nanos(nanos)),
            Value::Histogram(value) => tagged.histogram(name, value),
            // All-zero ids are no ids.
            Value::Traced(value, trace, span) => match Trace::new(trace, span) {
                Some(trace) => tagged.histogram_traced(name, value, trace),
                None => tagged.histogram(name, value),
            },
        }
    }
}
