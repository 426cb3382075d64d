//! The recorder.

use std::fmt;
use std::sync::{Arc, OnceLock};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SetRecorderError, SharedString,
};
use tachograph::{MetricsCollector, Tagged, Unit};

use crate::handles::{CounterHandle, GaugeHandle, HistogramHandle, Unfit};
use crate::known::{self, Identity};
use crate::scale::{Scales, per_unit};

/// Records what the facade's macros and handles tell into a collector.
///
/// `Send + Sync`. It holds a clone of the collector; a recorder that is installed lives as long as
/// the process, so a program that needs its last samples calls
/// [`MetricsCollector::shutdown`] at its end.
pub struct TachographRecorder {
    collector: MetricsCollector,
    identity: Identity,
    scales: Scales,
    /// Registered with the first histogram.
    unfit: OnceLock<Arc<Unfit>>,
}

impl fmt::Debug for TachographRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TachographRecorder").field("scales", &self.scales).finish_non_exhaustive()
    }
}

impl TachographRecorder {
    /// A recorder for the collector.
    pub fn new(collector: MetricsCollector) -> Self {
        Self {
            collector,
            identity: Identity::default(),
            scales: Scales::default(),
            unfit: OnceLock::new(),
        }
    }

    /// Sets what one recorded unit of a histogram is worth. Values are rounded to multiples of
    /// `scale`, so each is exact within half of it, and may be up to 2^64 times as great. A scale
    /// that is no positive number, or less than [`f64::MIN_POSITIVE`], is refused: the collector
    /// warns of it when the histogram is first used.
    ///
    /// Without this, the scale follows the unit that the histogram was described with before it was
    /// first registered: 1 ns for times, a byte for sizes, a bit a second for rates of data,
    /// a millionth for counts. Without such a unit it is a billionth, for values up to 1.8e10,
    /// since a `Duration` is recorded in seconds. Later descriptions change only the unit's name
    /// and the text.
    #[must_use]
    pub fn with_scale(mut self, name: impl Into<String>, scale: f64) -> Self {
        self.scales.choose(name.into(), scale);
        self
    }

    /// Makes this the process's recorder.
    ///
    /// # Errors
    /// Returns the recorder if the process has one already.
    pub fn install(self) -> Result<(), SetRecorderError<Box<Self>>> {
        metrics::set_global_recorder(Box::new(self))
    }

    fn with_tags<T>(&self, key: &Key, act: impl FnOnce(Tagged<'_>) -> T) -> T {
        let tags: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        act(self.collector.with_tags(&tags))
    }

    /// Describes a counter or a gauge, or what a program takes for one.
    fn describe(&self, name: &KeyName, unit: Option<metrics::Unit>, text: &str) {
        match self.scales.of_registered(name.as_str()) {
            Some(scale) => self.describe_scaled(name.as_str(), reported(unit), scale, text),
            None => self.collector.describe(name.as_str(), reported(unit), text),
        }
    }

    fn describe_scaled(&self, name: &str, unit: Unit, scale: f64, text: &str) {
        if self.scales.is_refused(name) {
            // The collector refuses it too, and tells its owner.
            self.collector.describe_scaled(name, Unit::None, 0.0, "");
        }
        self.collector.describe_scaled(name, unit, scale, text);
    }

    fn new_histogram(&self, key: &Key) -> Histogram {
        let (scale, is_new) = self.scales.register(key.name());
        if is_new {
            self.describe_scaled(key.name(), Unit::None, scale, "");
        }
        let unfit = self.unfit.get_or_init(|| Arc::new(Unfit::new(&self.collector)));
        Histogram::from_arc(Arc::new(HistogramHandle {
            histogram: self.with_tags(key, |tagged| tagged.register_histogram(key.name())),
            per_unit: per_unit(scale),
            unfit: Arc::clone(unfit),
        }))
    }
}

impl Recorder for TachographRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<metrics::Unit>, text: SharedString) {
        self.describe(&key, unit, &text);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<metrics::Unit>, text: SharedString) {
        self.describe(&key, unit, &text);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<metrics::Unit>, text: SharedString) {
        let scale = self.scales.describe(key.as_str(), unit);
        self.describe_scaled(key.as_str(), reported(unit), scale, &text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        known::handle(&self.identity, key, || {
            let counter = self.with_tags(key, |tagged| tagged.register_counter(key.name()));
            Counter::from_arc(Arc::new(CounterHandle(counter)))
        })
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        known::handle(&self.identity, key, || {
            let gauge = self.with_tags(key, |tagged| tagged.register_gauge(key.name()));
            Gauge::from_arc(Arc::new(GaugeHandle(gauge)))
        })
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        known::handle(&self.identity, key, || self.new_histogram(key))
    }
}

/// The collector's unit for one of the facade's. Values stay as they were recorded.
fn reported(unit: Option<metrics::Unit>) -> Unit {
    match unit {
        // As a suffix of a name, `_count` would say something else.
        None | Some(metrics::Unit::Count) => Unit::None,
        Some(metrics::Unit::Seconds) => Unit::Seconds,
        Some(metrics::Unit::Bytes) => Unit::Bytes,
        Some(metrics::Unit::Percent) => Unit::Percent,
        Some(other) => Unit::Other(other.as_str().into()),
    }
}
