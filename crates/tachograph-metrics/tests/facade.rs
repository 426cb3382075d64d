//! The same programs with this recorder and with the facade's own `DebuggingRecorder`.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::{
    Key, Level, Metadata, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram, with_local_recorder,
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tachograph::MetricsCollector;
use tachograph_metrics::TachographRecorder;

/// What both have of one series: by name and labels, in the facade's own terms.
#[derive(Debug, PartialEq)]
enum Held {
    Counter(u64),
    Gauge(f64),
    /// Count, and sum, least and greatest value to a millionth of themselves.
    Histogram(usize, [f64; 3]),
}

fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().expect("a number")
}

fn histogram_of(values: &[f64]) -> Held {
    let least = values.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let greatest = values.iter().copied().reduce(f64::max).unwrap_or(0.0);
    Held::Histogram(values.len(), [values.iter().sum(), least, greatest].map(rounded))
}

type All = BTreeMap<(String, Vec<(String, String)>), Held>;

fn theirs(program: impl Fn()) -> All {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    with_local_recorder(&recorder, program);
    let of = |value| match value {
        DebugValue::Counter(value) => Held::Counter(value),
        DebugValue::Gauge(value) => Held::Gauge(*value),
        DebugValue::Histogram(values) => {
            histogram_of(&values.into_iter().map(|value| *value).collect::<Vec<_>>())
        }
    };
    let all = snapshotter.snapshot().into_vec().into_iter();
    all.map(|(key, _, _, value)| {
        let key = key.key();
        let labels = key.labels().map(|label| (label.key().into(), label.value().into()));
        ((key.name().to_owned(), labels.collect()), of(value))
    })
    .collect()
}

fn ours(program: impl Fn()) -> All {
    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), program);
    read(&collector)
}

fn read(collector: &MetricsCollector) -> All {
    let of = |value: &tachograph::Value| {
        if let Some(counter) = value.as_counter() {
            return Held::Counter(counter.lifetime.value.try_into().expect("monotonic"));
        }
        if let Some(gauge) = value.as_gauge() {
            // One that was only registered has no value here, and 0 there.
            return Held::Gauge(gauge.lifetime.current.unwrap_or(0.0));
        }
        let stats = &value.as_timing().expect("a histogram").lifetime;
        let [min, max] = [stats.min, stats.max].map(|part| part.unwrap_or(0.0));
        Held::Histogram(stats.count as usize, [stats.sum, min, max].map(rounded))
    };
    let snapshot = collector.get_all_metrics();
    let recorded = snapshot.series().iter().filter(|series| {
        let name = &series.metric.name;
        !name.starts_with("telemetry.") && **name != *tachograph_metrics::UNFIT
    });
    recorded
        .map(|series| {
            let tags = series.tags.iter().map(|(key, value)| (key.into(), value.into()));
            ((series.metric.name.to_string(), tags.collect()), of(&series.value))
        })
        .collect()
}

fn assert_same(program: impl Fn()) {
    let ours = ours(&program);
    assert!(!ours.is_empty());
    assert_eq!(ours, theirs(program));
}

#[test]
fn counters_add_and_wrap() {
    assert_same(|| {
        counter!("requests").increment(1);
        counter!("requests").increment(41);
        counter!("idle").increment(0);
        counter!("wrapping").increment(u64::MAX);
        counter!("wrapping").increment(7);
    });
}

#[test]
fn absolute_sets_a_counter_to_at_least_the_value() {
    assert_same(|| {
        let packets = counter!("packets");
        // Callers that read the source in another order than they report it.
        for total in [0, 100, 250, 240, 250, u64::MAX - 1] {
            packets.absolute(total);
        }
        counter!("again").absolute(3);
        counter!("again").absolute(2);
    });
}

#[test]
fn absolute_from_many_threads_holds_the_highest() {
    let collector = MetricsCollector::builder().manual().build();
    let recorder = TachographRecorder::new(collector.clone());
    let source: Vec<u64> = (0..4_000).map(|i| (i * 7_919) % 4_000).collect();
    std::thread::scope(|scope| {
        for part in source.chunks(1_000) {
            let recorder = &recorder;
            scope.spawn(move || {
                with_local_recorder(recorder, || {
                    part.iter().for_each(|&total| counter!("mirrored").absolute(total));
                });
            });
        }
    });
    let highest = source.iter().max().map(|&total| i128::from(total));
    let counted = collector.get_counter("mirrored").map(|stats| stats.value);
    assert_eq!(counted, highest);
}

#[test]
fn gauges_are_set_incremented_and_decremented() {
    assert_same(|| {
        let depth = gauge!("depth");
        depth.set(3.5);
        depth.increment(2.0);
        depth.decrement(10.0);
        gauge!("from.zero").decrement(0.25);
        gauge!("set.only").set(7u32);
        gauge!("infinite").set(f64::NEG_INFINITY);
        gauge!("age").set(Duration::from_millis(1_500));
    });
}

#[test]
fn what_is_registered_shows_up_with_its_default_value() {
    assert_same(|| {
        let _ = (counter!("counter"), gauge!("gauge"), histogram!("histogram"));
    });
}

#[test]
fn registering_again_changes_no_value() {
    assert_same(|| {
        for _ in 0..3 {
            gauge!("gauge").increment(2.0);
            counter!("counter").increment(2);
            let _ = (counter!("counter"), gauge!("gauge"), histogram!("histogram"));
        }
    });
}

#[test]
fn histograms_take_every_type_of_value() {
    assert_same(|| {
        let mixed = histogram!("mixed");
        mixed.record(1.5);
        mixed.record(Duration::from_micros(250));
        mixed.record(3i8);
        mixed.record(4u8);
        mixed.record(5i16);
        mixed.record(6u16);
        mixed.record(7i32);
        mixed.record(8u32);
        mixed.record(0.125f32);
        mixed.record(0.0);
    });
}

#[test]
fn record_many_records_so_many_times() {
    assert_same(|| {
        histogram!("batch").record_many(0.75, 1_000);
        histogram!("batch").record_many(99.0, 0);
    });
}

#[test]
fn labels_tell_series_apart() {
    assert_same(|| {
        let route = String::from("/users");
        counter!("requests", "route" => "/").increment(1);
        counter!("requests", "route" => route.clone()).increment(2);
        counter!("requests", &[("method", "GET"), ("route", "/")]).increment(3);
        counter!(format!("requests_{}", "made")).increment(4);
        gauge!("requests.open", "route" => route.clone()).set(5.0);
        histogram!("requests.time", "route" => route).record(6.0);
    });
}

#[test]
fn descriptions_come_before_or_after_the_first_record() {
    let program = || {
        describe_counter!("described", Unit::Bytes, "before");
        describe_gauge!("also", "without a unit");
        describe_histogram!("never.recorded", Unit::Seconds, "is not shown");
        counter!("described").increment(1);
        gauge!("also").set(1.0);
        histogram!("time").record(0.5);
        describe_histogram!("time", Unit::Seconds, "after");
        describe_counter!("described", Unit::Bytes, "the last one holds");
        counter!(description: "inline", unit: Unit::Percent, "inline").increment(1);
    };
    let debugging = DebuggingRecorder::new();
    let snapshotter = debugging.snapshotter();
    with_local_recorder(&debugging, program);
    let theirs: BTreeMap<_, _> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, unit, text, _)| {
            let unit = unit.map_or("", |unit| unit.as_str());
            (
                key.key().name().to_owned(),
                (unit.to_owned(), text.map_or_else(String::new, |text| text.into_owned())),
            )
        })
        .collect();

    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), program);
    let snapshot = collector.get_all_metrics();
    let ours: BTreeMap<_, _> = snapshot
        .series()
        .iter()
        .filter(|series| theirs.contains_key(&*series.metric.name))
        .map(|series| {
            let metric = &series.metric;
            (
                metric.name.to_string(),
                (metric.unit.name().to_owned(), metric.description.to_string()),
            )
        })
        .collect();
    assert_eq!(ours, theirs);
    assert!(snapshot.series().iter().all(|series| &*series.metric.name != "never.recorded"));
}

#[test]
fn the_macros_take_descriptions_units_targets_and_levels_which_make_no_series() {
    let program = || {
        counter!(
            description: "d", unit: Unit::Count, target: "t", level: Level::TRACE,
            "c", "k" => "v"
        )
        .increment(1);
        gauge!(level: Level::TRACE, target: "t", description: "d", unit: Unit::Bytes, "g").set(2.0);
        histogram!(unit: Unit::Bytes, description: "d", level: Level::ERROR, "h").record(1e18);
        counter!(target: "other", "c", "k" => "v").increment(1);
        gauge!(target: "other", "g").increment(1);
        histogram!(target: "other", "h").record(1);
    };
    assert_same(program);
    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), program);
    let snapshot = collector.get_all_metrics();
    for (name, tags, unit) in
        [("c", &[("k", "v")][..], ""), ("g", &[], "bytes"), ("h", &[], "bytes")]
    {
        let metric = &snapshot.find(name, tags).expect("recorded").metric;
        assert_eq!((metric.unit.name(), &*metric.description), (unit, "d"), "{name}");
    }
}

#[test]
fn a_recorder_that_is_called_without_macros_records_the_same() {
    assert_same(|| {
        let metadata = Metadata::new("target", Level::INFO, None);
        let key = |name| Key::from_parts(name, &[("k", "v")]);
        let (counter, gauge, histogram) = metrics::with_recorder(|recorder| {
            (
                recorder.register_counter(&key("c"), &metadata),
                recorder.register_gauge(&key("g"), &metadata),
                recorder.register_histogram(&key("h"), &metadata),
            )
        });
        counter.clone().increment(1);
        counter!("c", "k" => "v").increment(2);
        gauge.set(3.0);
        gauge!("g", "k" => "v").decrement(1);
        histogram.record_many(0.5, 2);
        histogram!("h", "k" => "v").record(1.5);
    });
}

#[test]
fn every_unit_keeps_its_name_and_every_value_its_size() {
    let units = [
        Unit::Count,
        Unit::Percent,
        Unit::Seconds,
        Unit::Milliseconds,
        Unit::Microseconds,
        Unit::Nanoseconds,
        Unit::Tebibytes,
        Unit::Gibibytes,
        Unit::Mebibytes,
        Unit::Kibibytes,
        Unit::Bytes,
        Unit::TerabitsPerSecond,
        Unit::GigabitsPerSecond,
        Unit::MegabitsPerSecond,
        Unit::KilobitsPerSecond,
        Unit::BitsPerSecond,
        Unit::CountPerSecond,
    ];
    let program = || {
        for unit in units {
            describe_histogram!(unit.as_str(), unit, "a value of 12,345,678");
            histogram!(unit.as_str()).record(12_345_678);
        }
    };
    assert_same(program);
    let collector = MetricsCollector::builder().manual().build();
    with_local_recorder(&TachographRecorder::new(collector.clone()), program);
    let snapshot = collector.get_all_metrics();
    for unit in units {
        let series = snapshot.find(unit.as_str(), &[]).expect("recorded");
        let name = if unit == Unit::Count { "" } else { unit.as_str() };
        assert_eq!(series.metric.unit.name(), name);
    }
}
