//! A collector's counters and gauges in the SDK's own pipeline.

use std::collections::BTreeMap;

use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, InMemoryMetricExporterBuilder, PeriodicReader, SdkMeterProvider,
    Temporality,
};
use tachograph::{MetricsCollector, Unit};

struct Pipeline {
    collector: MetricsCollector,
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

/// Values by `name{tags}`, with a sign before the names of sums that may fall.
type Told = BTreeMap<String, f64>;

impl Pipeline {
    fn new(temporality: Temporality) -> Self {
        let exporter = InMemoryMetricExporterBuilder::new().with_temporality(temporality).build();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        let collector = MetricsCollector::builder().manual().build();
        tachograph_opentelemetry::observe(&collector, provider.meter("test"));
        Self { collector, provider, exporter }
    }

    /// What the next collection exports, without the collector's own metrics.
    fn told(&self) -> Told {
        // What is new has an instrument from the second one on.
        self.collector.publish();
        self.collector.publish();
        self.exporter.reset();
        self.provider.force_flush().expect("in memory");
        let exported = self.exporter.get_finished_metrics().expect("in memory");
        let scopes = exported.iter().flat_map(|resource| resource.scope_metrics());
        let metrics = scopes.flat_map(|scope| scope.metrics());
        let own = metrics.filter(|metric| !metric.name().starts_with("telemetry."));
        own.flat_map(|metric| points(metric.name(), metric.data())).collect()
    }
}

fn points(name: &str, data: &AggregatedMetrics) -> Vec<(String, f64)> {
    let AggregatedMetrics::F64(data) = data else { panic!("{name} is no float") };
    let key = |sign: &str, attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
        let mut tags: Vec<_> = attributes.map(|tag| format!("{}={}", tag.key, tag.value)).collect();
        tags.sort_unstable();
        format!("{sign}{name}{{{}}}", tags.join(","))
    };
    match data {
        MetricData::Sum(sum) => {
            let sign = if sum.is_monotonic() { "" } else { "±" };
            let point = |point: &opentelemetry_sdk::metrics::data::SumDataPoint<f64>| {
                (key(sign, &mut point.attributes()), point.value())
            };
            sum.data_points().map(point).collect()
        }
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points();
            points.map(|point| (key("=", &mut point.attributes()), point.value())).collect()
        }
        _ => panic!("{name} is a distribution"),
    }
}

fn told<const N: usize>(values: [(&str, f64); N]) -> Told {
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[test]
fn counters_and_gauges_pass_with_their_tags_and_distributions_do_not() {
    let pipeline = Pipeline::new(Temporality::Cumulative);
    let metrics = &pipeline.collector;
    metrics.increment_by("requests", 41);
    metrics.with_tags(&[("route", "/"), ("method", "GET")]).increment("requests");
    metrics.decrement_by("balance", 7);
    metrics.gauge("load", 0.25);
    metrics.register_gauge("never.set");
    metrics.register_counter("never.counted");
    metrics.histogram("sizes", 3);
    let expected = told([
        ("requests{}", 41.0),
        ("requests{method=GET,route=/}", 1.0),
        ("±balance{}", -7.0),
        ("=load{}", 0.25),
        ("never.counted{}", 0.0),
    ]);
    assert_eq!(pipeline.told(), expected);
    metrics.increment("requests");
    metrics.gauge("load", -1.5);
    let later = told([("requests{}", 42.0), ("=load{}", -1.5)]);
    assert_eq!(pipeline.told(), expected.into_iter().chain(later).collect());
}

#[test]
fn a_metric_that_comes_later_gets_its_instrument() {
    let pipeline = Pipeline::new(Temporality::Cumulative);
    pipeline.collector.increment("first");
    assert_eq!(pipeline.told(), told([("first{}", 1.0)]));
    pipeline.collector.increment("second");
    assert_eq!(pipeline.told(), told([("first{}", 1.0), ("second{}", 1.0)]));
}

#[test]
fn a_metric_that_is_hidden_when_it_is_first_seen_gets_its_instrument_when_it_returns() {
    let pipeline = Pipeline::new(Temporality::Cumulative);
    // The own metrics of the collector have their names first.
    assert_eq!(pipeline.told(), told([]));
    pipeline.collector.increment("hidden");
    pipeline.collector.get_all_metrics();
    pipeline.collector.reset();
    assert_eq!(pipeline.told(), told([]));
    pipeline.collector.increment("hidden");
    assert_eq!(pipeline.told(), told([("hidden{}", 1.0)]));
}

#[test]
fn the_collectors_own_metrics_pass_too() {
    let pipeline = Pipeline::new(Temporality::Cumulative);
    pipeline.collector.increment("counted");
    pipeline.told();
    let exported = pipeline.exporter.get_finished_metrics().expect("in memory");
    let scopes = exported.iter().flat_map(|resource| resource.scope_metrics());
    let names: Vec<_> =
        scopes.flat_map(|scope| scope.metrics()).map(|metric| metric.name()).collect();
    assert!(names.contains(&"telemetry.recorded"), "{names:?}");
}

#[test]
fn a_reset_never_makes_a_total_fall() {
    let cumulative = Pipeline::new(Temporality::Cumulative);
    let delta = Pipeline::new(Temporality::Delta);
    // What is counted, and whether a reset comes before it.
    let steps = [(100, false), (3, true), (0, true), (4, false), (200, true)];
    let mut total = 0.0;
    for (count, reset) in steps {
        for pipeline in [&cumulative, &delta] {
            if reset {
                pipeline.collector.reset_counters();
            }
            pipeline.collector.increment_by("requests", count);
        }
        total += count as f64;
        assert_eq!(cumulative.told(), told([("requests{}", total)]));
        assert_eq!(delta.told(), told([("requests{}", count as f64)]));
    }
}

#[test]
fn a_removed_series_is_gone_and_begins_at_0_when_it_returns() {
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let pipeline = Pipeline::new(temporality);
        let metrics = &pipeline.collector;
        let player = [("player", "7")];
        metrics.with_tags(&player).increment_by("moves", 9);
        metrics.increment("moves");
        pipeline.told();
        assert!(metrics.remove("moves", &player));
        metrics.increment("moves");
        let moves = if temporality == Temporality::Delta { 1.0 } else { 2.0 };
        assert_eq!(pipeline.told(), told([("moves{}", moves)]));
        metrics.with_tags(&player).increment_by("moves", 2);
        assert_eq!(pipeline.told().get("moves{player=7}"), Some(&2.0));
    }
}

#[test]
fn a_series_that_returns_between_the_collections_of_two_readers_harms_neither() {
    let exporters = [Temporality::Delta, Temporality::Cumulative].map(|temporality| {
        InMemoryMetricExporterBuilder::new().with_temporality(temporality).build()
    });
    let readers = exporters.clone().map(|exporter| PeriodicReader::builder(exporter).build());
    let [delta, cumulative] = readers;
    let provider = SdkMeterProvider::builder().with_reader(delta).with_reader(cumulative).build();
    let collector = MetricsCollector::builder().manual().build();
    tachograph_opentelemetry::observe(&collector, provider.meter("test"));
    for count in [100, 3, 50] {
        collector.increment_by("moves", count);
        for _ in 0..2 {
            collector.publish();
        }
        provider.force_flush().expect("in memory");
        collector.remove("moves", &[]);
        collector.publish();
    }
    let told = exporters.map(|exporter| -> Vec<f64> {
        let exported = exporter.get_finished_metrics().expect("in memory");
        let scopes = exported.iter().flat_map(|resource| resource.scope_metrics());
        let moves = scopes.flat_map(|scope| scope.metrics()).filter(|it| it.name() == "moves");
        moves.flat_map(|metric| points("", metric.data())).map(|(_, value)| value).collect()
    });
    // Nobody collected while it was gone, so it went on.
    assert_eq!(told, [[100.0, 3.0, 50.0], [100.0, 103.0, 153.0]]);
}

#[test]
fn units_scales_and_descriptions_pass() {
    let pipeline = Pipeline::new(Temporality::Cumulative);
    let metrics = &pipeline.collector;
    metrics.describe("sent", Unit::Bytes, "bytes sent");
    metrics.describe_scaled("busy", Unit::Seconds, 1e-9, "time on the CPU");
    metrics.increment_by("sent", 512);
    metrics.increment_by("busy", 1_500_000_000);
    metrics.gauge("9 lives", 9.0);
    let expected = told([("sent{}", 512.0), ("busy{}", 1.5), ("=m9_lives{}", 9.0)]);
    assert_eq!(pipeline.told(), expected);
    let exported = pipeline.exporter.get_finished_metrics().expect("in memory");
    let scopes = exported.iter().flat_map(|resource| resource.scope_metrics());
    let mut metrics = scopes.flat_map(|scope| scope.metrics());
    let sent = metrics.find(|metric| metric.name() == "sent").expect("told");
    assert_eq!((sent.unit(), sent.description()), ("By", "bytes sent"));
}

#[test]
fn after_a_shutdown_the_last_values_stay() {
    let pipeline = Pipeline::new(Temporality::Cumulative);
    pipeline.collector.increment("requests");
    let last = pipeline.told();
    pipeline.collector.shutdown(std::time::Duration::from_secs(1));
    pipeline.collector.increment("requests");
    assert_eq!(pipeline.told(), last);
}
