//! `opentelemetry_sdk` with a periodic reader and an exporter that keeps what it receives.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality};

use super::{Rival, TAG};
use crate::case::Case;

const NAME: &str = "opentelemetry";
const BOUND: &str = "opentelemetry, bound";

const EXPORT: &str = "at the next export, usually each minute";

/// Each metric's count and sum, or its value twice.
type Totals = Arc<Mutex<Vec<(String, [f64; 2])>>>;

#[derive(Debug, Default)]
struct Exporter(Totals);

impl PushMetricExporter for Exporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let metrics = metrics.scope_metrics().flat_map(|scope| scope.metrics());
        let totals = metrics.map(|metric| (metric.name().to_owned(), total(metric.data())));
        *self.0.lock().expect("no panic") = totals.collect();
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn total(data: &AggregatedMetrics) -> [f64; 2] {
    match data {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            let value: u64 = sum.data_points().map(|point| point.value()).sum();
            [value as f64; 2]
        }
        AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
            let each = histogram.data_points().map(|point| [point.count(), point.sum()]);
            each.fold([0.0; 2], |[count, sum], [c, s]| [count + c as f64, sum + s as f64])
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            [gauge.data_points().map(|point| point.value()).sum(); 2]
        }
        _ => [f64::NAN; 2],
    }
}

struct Pipeline {
    provider: SdkMeterProvider,
    totals: Totals,
}

/// The process's only pipeline.
fn pipeline() -> &'static Pipeline {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    PIPELINE.get_or_init(|| {
        let exporter = Exporter::default();
        let totals = Arc::clone(&exporter.0);
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
        Pipeline { provider, totals }
    })
}

pub(super) fn meter() -> Meter {
    pipeline().provider.meter("benches")
}

/// The exported values of a metric.
fn exported(metric: &str) -> [f64; 2] {
    pipeline().provider.force_flush().expect("the exporter accepts everything");
    let totals = pipeline().totals.lock().expect("no panic");
    totals.iter().find(|(name, _)| name == metric).map_or([0.0; 2], |(_, totals)| *totals)
}

pub(super) fn counter() -> Rival {
    let counter = meter().u64_counter("counter").build();
    let case = Case::new(NAME, move || counter.clone(), |counter, _| counter.add(1, &[]))
        .check(|done| assert_eq!(exported("counter")[0], done.operations as f64));
    Rival::new(case, "one shared word").seen(EXPORT)
}

pub(super) fn counter_bound() -> Rival {
    let counter = meter().u64_counter("counter.bound").build().bind(&[]);
    let case = Case::new(BOUND, move || counter.clone(), |counter, _| counter.add(1))
        .check(|done| assert_eq!(exported("counter.bound")[0], done.operations as f64));
    Rival::new(case, "one shared word; experimental").seen(EXPORT)
}

pub(super) fn tagged() -> Rival {
    let counter = meter().u64_counter("tagged").build();
    let subject = move || (counter.clone(), TAG.1);
    let case = Case::new(NAME, subject, |(counter, value), _| {
        counter.add(1, &[KeyValue::new(TAG.0, *value)]);
    })
    .check(|done| assert_eq!(exported("tagged")[0], done.operations as f64));
    Rival::new(case, "no name to look up: the instrument is held").seen(EXPORT)
}

pub(super) fn gauge() -> Rival {
    let gauge = meter().f64_gauge("gauge").build();
    let case = Case::new(NAME, move || gauge.clone(), |gauge, i| gauge.record(i as f64, &[]))
        .check(|_| assert!(exported("gauge")[0] >= 0.0));
    Rival::new(case, super::PLAIN_GAUGE).seen(EXPORT)
}

pub(super) fn timing() -> Rival {
    let timing = meter().u64_histogram("timing").with_boundaries(super::bounds()).build();
    let case = Case::new(NAME, move || timing.clone(), |timing, i| timing.record(i, &[]))
        .check(|done| assert_eq!(exported("timing"), [done.operations as f64, done.sum as f64]));
    Rival::new(case, "20 buckets, min and max; a mutex a sample")
        .seen(EXPORT)
        .within(super::DOUBLING)
}

pub(super) fn timing_bound() -> Rival {
    let timing = meter().u64_histogram("timing.bound").with_boundaries(super::bounds()).build();
    let timing = timing.bind(&[]);
    let case =
        Case::new(BOUND, move || timing.clone(), |timing, i| timing.record(i)).check(|done| {
            assert_eq!(exported("timing.bound"), [done.operations as f64, done.sum as f64])
        });
    Rival::new(case, "20 buckets, min and max; a mutex a sample; experimental")
        .seen(EXPORT)
        .within(super::DOUBLING)
}
