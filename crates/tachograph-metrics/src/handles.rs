//! What the facade's handles do.

use std::sync::Arc;

use metrics::{CounterFn, GaugeFn, HistogramFn};
use tachograph::{Counter, Gauge, Histogram, MetricsCollector, Unit};

/// The counter of histogram values that do not fit, by the tag `reason`: `not_a_number` and
/// `negative` values were refused, `beyond_range` ones were recorded as the greatest value that the
/// histogram's scale allows.
pub const UNFIT: &str = "metrics.values.unfit";

#[derive(Debug)]
pub(crate) struct CounterHandle(pub(crate) Counter);

impl CounterFn for CounterHandle {
    fn increment(&self, value: u64) {
        self.0.increment_by(value);
    }

    fn absolute(&self, value: u64) {
        self.0.advance_to(value);
    }
}

#[derive(Debug)]
pub(crate) struct GaugeHandle(pub(crate) Gauge);

impl GaugeFn for GaugeHandle {
    fn increment(&self, value: f64) {
        self.0.add(value);
    }

    fn decrement(&self, value: f64) {
        self.0.add(-value);
    }

    fn set(&self, value: f64) {
        self.0.set(value);
    }
}

#[derive(Debug)]
pub(crate) struct HistogramHandle {
    pub(crate) histogram: Histogram,
    /// Recorded units in one of the caller's.
    pub(crate) per_unit: f64,
    pub(crate) unfit: Arc<Unfit>,
}

/// 2^64: the first value that a histogram cannot hold.
const END: f64 = u64::MAX as f64;

/// 2^52. Added to a smaller number it leaves no room for a fraction, so the sum is rounded to the
/// nearest integer, which its lowest bits are.
const ROUNDING: f64 = (1u64 << 52) as f64;

impl HistogramFn for HistogramHandle {
    fn record(&self, value: f64) {
        let units = value * self.per_unit;
        if (0.0..ROUNDING).contains(&units) {
            // Half the cost of a conversion, which looks for values that do not fit again.
            self.histogram.record((units + ROUNDING).to_bits() - ROUNDING.to_bits());
        } else {
            self.record_uncommon(units);
        }
    }
}

impl HistogramHandle {
    #[cold]
    fn record_uncommon(&self, units: f64) {
        if (ROUNDING..END).contains(&units) {
            self.histogram.record(units as u64);
        } else if units.is_nan() {
            self.unfit.not_a_number.increment();
        } else if units <= -0.5 {
            self.unfit.negative.increment();
        } else if units < 0.0 {
            self.histogram.record(0);
        } else {
            self.unfit.beyond_range.increment();
            self.histogram.record(u64::MAX);
        }
    }
}

/// Counts values that no histogram can hold.
#[derive(Debug)]
pub(crate) struct Unfit {
    not_a_number: Counter,
    negative: Counter,
    beyond_range: Counter,
}

impl Unfit {
    pub(crate) fn new(collector: &MetricsCollector) -> Self {
        collector.describe(UNFIT, Unit::None, "values that do not fit their histogram, by reason");
        let reason = |reason| collector.with_tags(&[("reason", reason)]).register_counter(UNFIT);
        Self {
            not_a_number: reason("not_a_number"),
            negative: reason("negative"),
            beyond_range: reason("beyond_range"),
        }
    }
}
