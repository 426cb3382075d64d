//! The memory of a series in other libraries, created, recorded and kept.

use std::any::Any;

use metriken::AtomicCounterHistogram;
use opentelemetry::KeyValue;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::bounds;

/// A library's name, and a function that creates this many series with these samples and returns
/// everything that holds them.
pub type Sizes = Vec<(&'static str, fn(&[String], &[u64]) -> Box<dyn Any>)>;

const KEY: &str = "i";

/// The part of a series' memory that differs from the other libraries.
pub fn kept(library: &str) -> &'static str {
    match library {
        "contatori" => "a cache line for each of 64 threads; no names",
        "hdrhistogram, own" => "all buckets to three digits; no names",
        "metrics" => "every sample of a timing in blocks, then a sketch",
        "metriken" => "all buckets to 0.8 %; no names",
        "fast-telemetry" => "a word a shard; buckets of a factor of two",
        "fastmetrics" | "measured" => "one word",
        _ => "one word; 20 buckets",
    }
}

/// Counters with one tag, each at 1.
pub fn counter_sizes() -> Sizes {
    vec![
        ("prometheus-client", |names, _| {
            let family = Family::<super::prometheus_client::Labels, Counter>::default();
            for name in names {
                family.get_or_create(&[(KEY, name.clone())]).inc();
            }
            Box::new(family)
        }),
        ("prometheus", |names, _| {
            let options = prometheus::Opts::new("counter", "help");
            let family = prometheus::IntCounterVec::new(options, &[KEY]).expect("valid");
            names.iter().for_each(|name| family.with_label_values(&[name]).inc());
            Box::new(family)
        }),
        ("fastmetrics", |names, _| {
            let family = ::fastmetrics::metrics::family::Family::<
                super::fastmetrics::Labels,
                ::fastmetrics::metrics::counter::Counter<u64>,
            >::default();
            for name in names {
                let labels = super::fastmetrics::Labels { event_type: name.clone() };
                family.with_or_new(&labels, |counter| counter.inc());
            }
            Box::new(family)
        }),
        ("fast-telemetry", |names, _| {
            let counter = fast_telemetry::DynamicCounter::with_max_series(super::shards(), 20_000);
            names.iter().for_each(|name| counter.inc(&[(KEY, name)]));
            Box::new(counter)
        }),
        ("opentelemetry", |names, _| {
            let counter = super::opentelemetry::meter().u64_counter("sizes.counter").build();
            names.iter().for_each(|name| counter.add(1, &[KeyValue::new(KEY, name.clone())]));
            Box::new(counter)
        }),
        ("metrics", |names, _| {
            let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
            metrics::with_local_recorder(&recorder, || {
                for name in names {
                    metrics::counter!("counter", KEY => name.clone()).increment(1);
                }
            });
            Box::new(recorder)
        }),
        ("contatori", |names, _| {
            let counters = names.iter().map(|_| ::contatori::counters::monotone::Monotone::new());
            let counters: Vec<_> = counters.inspect(|counter| counter.add(1)).collect();
            Box::new(counters)
        }),
    ]
}

/// Timings with one tag, each with all the samples; then histograms without names.
pub fn timing_sizes() -> Sizes {
    [tagged_timing_sizes(), nameless_timing_sizes()].into_iter().flatten().collect()
}

fn tagged_timing_sizes() -> Sizes {
    vec![
        ("prometheus-client", |names, samples| {
            let make: fn() -> Histogram = || Histogram::new(bounds());
            let family =
                Family::<super::prometheus_client::Labels, Histogram, _>::new_with_constructor(
                    make,
                );
            for name in names {
                let timing = family.get_or_create_owned(&[(KEY, name.clone())]);
                samples.iter().for_each(|&value| timing.observe(value as f64));
            }
            Box::new(family)
        }),
        ("prometheus", |names, samples| {
            let options = prometheus::HistogramOpts::new("timing", "help").buckets(bounds());
            let family = prometheus::HistogramVec::new(options, &[KEY]).expect("valid");
            for name in names {
                let timing = family.with_label_values(&[name]);
                samples.iter().for_each(|&value| timing.observe(value as f64));
            }
            Box::new(family)
        }),
        ("fast-telemetry", |names, samples| {
            let timing =
                fast_telemetry::DynamicDistribution::with_max_series(super::shards(), 20_000);
            for name in names {
                let series = timing.series(&[(KEY, name)]);
                samples.iter().for_each(|&value| series.record(value));
            }
            Box::new(timing)
        }),
        ("opentelemetry", |names, samples| {
            let meter = super::opentelemetry::meter();
            let timing = meter.u64_histogram("sizes.timing").with_boundaries(bounds()).build();
            for name in names {
                let tags = [KeyValue::new(KEY, name.clone())];
                samples.iter().for_each(|&value| timing.record(value, &tags));
            }
            Box::new(timing)
        }),
        ("metrics", |names, samples| {
            let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
            metrics::with_local_recorder(&recorder, || {
                for name in names {
                    let timing = metrics::histogram!("timing", KEY => name.clone());
                    samples.iter().for_each(|&value| timing.record(value as f64));
                }
            });
            recorder.handle().run_upkeep();
            Box::new(recorder)
        }),
    ]
}

fn nameless_timing_sizes() -> Sizes {
    vec![
        ("metriken", |names, samples| {
            let record = |_: &String| {
                let timing = AtomicCounterHistogram::new(7, 42);
                for &value in samples {
                    timing.increment(value).expect("within its range");
                }
                timing
            };
            Box::new(names.iter().map(record).collect::<Vec<_>>())
        }),
        ("hdrhistogram, own", |names, samples| {
            let record = |_: &String| {
                let mut timing = ::hdrhistogram::Histogram::<u64>::new(3).expect("valid");
                for &value in samples {
                    timing.record(value).expect("it grows");
                }
                timing
            };
            Box::new(names.iter().map(record).collect::<Vec<_>>())
        }),
    ]
}
