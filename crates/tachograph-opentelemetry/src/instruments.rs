//! An instrument for each counter and gauge.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use tachograph::{Kind, Metric, MetricsCollector, Series, Snapshot, SnapshotReader};
use tachograph_export::otlp::unit_code;

use crate::names::Names;
use crate::totals::Totals;

/// Makes the collector's counters and gauges observable instruments of a meter.
///
/// An instrument is made when its metric is in a published snapshot, so a new metric is exported at
/// most two publish intervals after it was first recorded. The instruments keep the last snapshot,
/// and not the collector: once that is shut down they tell its last values. Call it once for a
/// collector and a meter.
pub fn observe(collector: &MetricsCollector, meter: Meter) {
    let instruments = Mutex::new(Instruments {
        meter,
        snapshots: Arc::new(Mutex::new(collector.snapshot_reader())),
        known: HashSet::new(),
        names: Names::default(),
    });
    lock(&instruments).update(&collector.snapshot());
    collector.on_publish(move |collector| lock(&instruments).update(&collector.snapshot()));
}

/// What instruments read when they are observed.
type Snapshots = Arc<Mutex<SnapshotReader>>;

struct Instruments {
    meter: Meter,
    snapshots: Snapshots,
    known: HashSet<Arc<str>>,
    names: Names,
}

impl Instruments {
    /// Makes instruments for metrics that have none yet.
    fn update(&mut self, snapshot: &Snapshot) {
        for series in snapshot.series() {
            if !self.known.contains(&series.metric.name) {
                self.known.insert(Arc::clone(&series.metric.name));
                self.add(&series.metric);
            }
        }
    }

    fn add(&mut self, metric: &Metric) {
        if !matches!(metric.kind, Kind::Counter | Kind::UpDownCounter | Kind::Gauge) {
            return;
        }
        let observation = Observation {
            name: Arc::clone(&metric.name),
            snapshots: Arc::clone(&self.snapshots),
            totals: Mutex::default(),
        };
        let name = self.names.take(&metric.name);
        let (unit, text) = (unit_code(&metric.unit).into_owned(), metric.description.to_string());
        // The instruments themselves do nothing: the meter keeps their callbacks.
        macro_rules! make {
            ($kind:ident, $observe:ident) => {{
                let builder = self.meter.$kind(name).with_unit(unit).with_description(text);
                let _ = builder.with_callback(move |to| observation.$observe(to)).build();
            }};
        }
        match metric.kind {
            Kind::Counter => make!(f64_observable_counter, totals),
            Kind::UpDownCounter => make!(f64_observable_up_down_counter, totals),
            _ => make!(f64_observable_gauge, levels),
        }
    }
}

/// What an instrument's callback tells.
struct Observation {
    name: Arc<str>,
    snapshots: Snapshots,
    totals: Mutex<Totals>,
}

impl Observation {
    fn totals(&self, to: &dyn AsyncInstrument<f64>) {
        let snapshot = self.snapshot();
        for (series, total) in lock(&self.totals).observe(snapshot.metric(&self.name)) {
            to.observe(series.metric.scaled(total as f64), &attributes(series));
        }
    }

    fn levels(&self, to: &dyn AsyncInstrument<f64>) {
        let snapshot = self.snapshot();
        for series in snapshot.metric(&self.name) {
            if let Some(level) = series.value.as_gauge().and_then(|gauge| gauge.lifetime.current) {
                to.observe(level, &attributes(series));
            }
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(lock(&self.snapshots).latest())
    }
}

fn attributes(series: &Series) -> Vec<KeyValue> {
    let attribute = |(key, value): (&str, &str)| KeyValue::new(key.to_owned(), value.to_owned());
    series.tags.iter().map(attribute).collect()
}

/// Nothing here is left half changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
