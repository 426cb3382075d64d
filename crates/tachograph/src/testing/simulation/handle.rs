//! A handle of any kind.

use crate::series::metric::Kind;
use crate::testing::simulation::model::Target;
use crate::{Counter, Gauge, Histogram, Recorder, Timing, UpDownCounter};

/// A handle, and the series that it leads to.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) target: Target,
    pub(super) handle: Handle,
}

#[derive(Debug)]
pub(super) enum Handle {
    Counter(Counter),
    UpDown(UpDownCounter),
    Gauge(Gauge),
    Timing(Timing),
    Histogram(Histogram),
}

impl Handle {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::UpDown(_) => Kind::UpDownCounter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Timing(_) => Kind::Timing,
            Self::Histogram(_) => Kind::Histogram,
        }
    }

    pub(super) fn record(&self, value: u64, add: bool) {
        match self {
            Self::Counter(counter) if value == 1 => counter.increment(),
            Self::Counter(counter) => counter.increment_by(value),
            Self::UpDown(counter) => counter.decrement_by(value.wrapping_neg()),
            Self::Gauge(gauge) if add => gauge.add(f64::from_bits(value)),
            Self::Gauge(gauge) => gauge.set(f64::from_bits(value)),
            Self::Timing(timing) => timing.record_ns(value),
            Self::Histogram(histogram) => histogram.record(value),
        }
    }

    pub(super) fn record_by(&self, recorder: &Recorder, value: u64, add: bool) {
        match self {
            Self::Counter(counter) if value == 1 => recorder.increment(counter),
            Self::Counter(counter) => recorder.increment_by(counter, value),
            Self::UpDown(counter) => recorder.increment_by(counter, value),
            Self::Gauge(gauge) if add => recorder.add(gauge, f64::from_bits(value)),
            Self::Gauge(gauge) => recorder.set(gauge, f64::from_bits(value)),
            Self::Timing(timing) => recorder.record_ns(timing, value),
            Self::Histogram(histogram) => recorder.record(histogram, value),
        }
    }
}
