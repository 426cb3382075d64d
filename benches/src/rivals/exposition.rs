//! The time other libraries take to write their series as text.

use fast_telemetry::PrometheusExport;

use super::{bounds, shards};
use crate::calls::TAG;

/// Writes all series of a library as text and passes it on.
pub(super) type Write = Box<dyn FnMut(&mut dyn FnMut(&[u8]))>;

/// Another library's series, ready to be written.
pub struct Exposition {
    /// The library.
    pub name: &'static str,
    /// How it differs from ours, which may explain why it is ahead.
    pub differs: &'static str,
    /// Writes the series, into a buffer that is kept if the library allows that.
    pub write: Write,
}

impl std::fmt::Debug for Exposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exposition").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A `Write` around a function that appends to a string.
fn appended(mut append: impl FnMut(&mut String) + 'static) -> Write {
    let mut text = String::new();
    Box::new(move |shown| {
        text.clear();
        append(&mut text);
        shown(text.as_bytes());
    })
}

/// Applies to most of them.
const LIVE: &str = "reads its live words, in no order";

const PLACED: &str = "label values known at the start, a place of the array each";

const MESSAGES: &str = "gathers messages first, and sorts them";

const STRINGS: &str = "gathers strings first";

/// Creates a series per tag value with these numbers, and returns its `Write`.
type Make = fn(&[String], &[u64]) -> Write;

/// A counter per tag value, with that count.
pub fn counter_expositions(values: &[String], counts: &[u64]) -> Vec<Exposition> {
    let libraries: [(_, _, Make); 6] = [
        ("measured", PLACED, super::measured::counters_written),
        ("fastmetrics", LIVE, fastmetrics_counters),
        ("fast-telemetry", LIVE, fast_telemetry_counters),
        ("prometheus-client", LIVE, prometheus_client_counters),
        ("prometheus", MESSAGES, prometheus_counters),
        ("metrics", STRINGS, metrics_counters),
    ];
    made(&libraries, values, counts)
}

/// A histogram of 20 buckets per tag value, with all the samples.
pub fn timing_expositions(values: &[String], samples: &[u64]) -> Vec<Exposition> {
    let libraries: [(_, _, Make); 6] = [
        ("measured", PLACED, super::measured::timings_written),
        ("fastmetrics", LIVE, fastmetrics_timings),
        ("fast-telemetry", "sums and bounds are whole numbers", fast_telemetry_timings),
        ("prometheus-client", LIVE, prometheus_client_timings),
        ("prometheus", MESSAGES, prometheus_timings),
        ("metrics", STRINGS, metrics_timings),
    ];
    made(&libraries, values, samples)
}

fn made(
    libraries: &[(&'static str, &'static str, Make)],
    values: &[String],
    numbers: &[u64],
) -> Vec<Exposition> {
    let exposition = |&(name, differs, make): &(_, _, Make)| Exposition {
        name,
        differs,
        write: make(values, numbers),
    };
    libraries.iter().map(exposition).collect()
}

fn fastmetrics_written(registry: fastmetrics::registry::Registry) -> Write {
    use fastmetrics::format::text::{TextProfile, encode};
    appended(move |text| {
        encode(text, &registry, TextProfile::PrometheusV0_0_4).expect("memory accepts it");
    })
}

fn fastmetrics_counters(values: &[String], counts: &[u64]) -> Write {
    use fastmetrics::metrics::counter::Counter;
    use fastmetrics::metrics::family::Family;
    let family = Family::<super::fastmetrics::Labels, Counter<u64>>::default();
    for (value, &count) in values.iter().zip(counts) {
        let labels = super::fastmetrics::Labels { event_type: value.clone() };
        family.with_or_new(&labels, |counter| counter.inc_by(count));
    }
    let mut registry = fastmetrics::registry::Registry::default();
    registry.register("counter", "help", family).expect("a valid name");
    fastmetrics_written(registry)
}

fn fastmetrics_timings(values: &[String], samples: &[u64]) -> Write {
    use fastmetrics::metrics::family::Family;
    use fastmetrics::metrics::histogram::Histogram;
    let family = Family::<super::fastmetrics::Labels, Histogram>::new(|| Histogram::new(bounds()));
    for value in values {
        let labels = super::fastmetrics::Labels { event_type: value.clone() };
        family.with_or_new(&labels, |timing| {
            samples.iter().for_each(|&sample| timing.observe(sample as f64));
        });
    }
    let mut registry = fastmetrics::registry::Registry::default();
    registry.register("timing", "help", family).expect("a valid name");
    fastmetrics_written(registry)
}

fn fast_telemetry_counters(values: &[String], counts: &[u64]) -> Write {
    let counter = fast_telemetry::DynamicCounter::with_max_series(shards(), 2 * values.len());
    for (value, &count) in values.iter().zip(counts) {
        counter.add(&[(TAG.0, value)], count.cast_signed() as isize);
    }
    appended(move |text| counter.export_prometheus(text, "counter", "help"))
}

fn fast_telemetry_timings(values: &[String], samples: &[u64]) -> Write {
    let bounds: Vec<u64> = bounds().into_iter().map(|bound| bound as u64).collect();
    let timing = fast_telemetry::DynamicHistogram::with_limits(&bounds, shards(), 2 * values.len());
    for value in values {
        let series = timing.series(&[(TAG.0, value)]);
        samples.iter().for_each(|&sample| series.record(sample));
    }
    appended(move |text| timing.export_prometheus(text, "timing", "help"))
}

fn prometheus_client_written(registry: prometheus_client::registry::Registry) -> Write {
    appended(move |text| {
        prometheus_client::encoding::text::encode(text, &registry).expect("memory accepts it");
    })
}

fn prometheus_client_counters(values: &[String], counts: &[u64]) -> Write {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    let family = Family::<super::prometheus_client::Labels, Counter>::default();
    for (value, &count) in values.iter().zip(counts) {
        family.get_or_create(&[(TAG.0, value.clone())]).inc_by(count);
    }
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register("counter", "help", family);
    prometheus_client_written(registry)
}

fn prometheus_client_timings(values: &[String], samples: &[u64]) -> Write {
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::histogram::Histogram;
    let make: fn() -> Histogram = || Histogram::new(bounds());
    let family =
        Family::<super::prometheus_client::Labels, Histogram, _>::new_with_constructor(make);
    for value in values {
        let timing = family.get_or_create_owned(&[(TAG.0, value.clone())]);
        samples.iter().for_each(|&sample| timing.observe(sample as f64));
    }
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register("timing", "help", family);
    prometheus_client_written(registry)
}

fn prometheus_written(family: impl prometheus::core::Collector + 'static) -> Write {
    let registry = prometheus::Registry::new();
    registry.register(Box::new(family)).expect("a valid name");
    appended(move |text| {
        let encoder = prometheus::TextEncoder::new();
        encoder.encode_utf8(&registry.gather(), text).expect("memory accepts it");
    })
}

fn prometheus_counters(values: &[String], counts: &[u64]) -> Write {
    let options = prometheus::Opts::new("counter", "help");
    let family = prometheus::IntCounterVec::new(options, &[TAG.0]).expect("valid");
    for (value, &count) in values.iter().zip(counts) {
        family.with_label_values(&[value]).inc_by(count);
    }
    prometheus_written(family)
}

fn prometheus_timings(values: &[String], samples: &[u64]) -> Write {
    let options = prometheus::HistogramOpts::new("timing", "help").buckets(bounds());
    let family = prometheus::HistogramVec::new(options, &[TAG.0]).expect("valid");
    for value in values {
        let timing = family.with_label_values(&[value]);
        samples.iter().for_each(|&sample| timing.observe(sample as f64));
    }
    prometheus_written(family)
}

/// Everything that `record` records, written by the exporter of `metrics`.
fn metrics_written(record: impl FnOnce()) -> Write {
    let builder = metrics_exporter_prometheus::PrometheusBuilder::new();
    let recorder = builder.set_buckets(&bounds()).expect("not empty").build_recorder();
    metrics::with_local_recorder(&recorder, record);
    let handle = recorder.handle();
    let mut text = Vec::new();
    Box::new(move |shown| {
        text.clear();
        handle.render_to_write(&mut text).expect("memory accepts it");
        shown(&text);
    })
}

fn metrics_counters(values: &[String], counts: &[u64]) -> Write {
    metrics_written(|| {
        for (value, &count) in values.iter().zip(counts) {
            metrics::counter!("counter", TAG.0 => value.clone()).increment(count);
        }
    })
}

fn metrics_timings(values: &[String], samples: &[u64]) -> Write {
    metrics_written(|| {
        for value in values {
            let timing = metrics::histogram!("timing", TAG.0 => value.clone());
            samples.iter().for_each(|&sample| timing.record(sample as f64));
        }
    })
}
