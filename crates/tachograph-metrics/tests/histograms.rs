//! Floats in histograms of integers: scales, ranges, errors, and values that do not fit.

use std::sync::{Arc, Mutex};

use metrics::{
    Unit, describe_counter, describe_gauge, describe_histogram, histogram, with_local_recorder,
};
use tachograph::{MetricsCollector, TimingStats};
use tachograph_metrics::{TachographRecorder, UNFIT};

fn collector() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn stats(collector: &MetricsCollector, name: &str) -> TimingStats {
    collector.get_timing(name).expect("registered")
}

fn unfit(collector: &MetricsCollector, reason: &str) -> i128 {
    let unfit = collector.with_tags(&[("reason", reason)]).get_counter(UNFIT);
    unfit.map(|stats| stats.value).expect("registered with the first histogram")
}

#[test]
fn latencies_that_nobody_described_are_kept_to_the_nanosecond() {
    let collector = collector();
    let mut random = fastrand::Rng::with_seed(1);
    let mut values: Vec<_> =
        (0..20_000).map(|_| 10f64.powf(random.f64().mul_add(9.0, -7.0))).collect();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        values.iter().for_each(|&value| histogram!("latency").record(value));
    });
    let stats = stats(&collector, "latency");
    values.sort_by(f64::total_cmp);
    assert_eq!(stats.count, values.len() as u64);
    let half = 0.5e-9 * (1.0 + 1e-6);
    assert!((stats.min.expect("some") - values[0]).abs() <= half);
    assert!(
        (stats.max.expect("some") - values[values.len() - 1]).abs()
            <= 1e-12 * values[19_999] + half
    );
    let sum: f64 = values.iter().sum();
    assert!((stats.sum - sum).abs() <= half * values.len() as f64 + 1e-9 * sum);
    for q in [0.01, 0.5, 0.9, 0.99, 0.999] {
        let rank = (q * values.len() as f64).ceil() as usize;
        let exact = values[rank - 1];
        let told = stats.quantile(q).expect("some");
        assert!((told - exact).abs() <= 0.001 * exact + half, "{q}: {told} {exact}");
    }
}

#[test]
fn every_scale_is_exact_within_half_of_it() {
    for (scale, value) in
        [(1e-9, 0.123_456_789_4), (0.25, 10.1), (3.0, 100.0), (1e6, 2.6e6), (7e-4, 0.1)]
    {
        let collector = collector();
        let recorder = TachographRecorder::new(collector.clone()).with_scale("chosen", scale);
        with_local_recorder(&recorder, || histogram!("chosen").record(value));
        let told = stats(&collector, "chosen").max.expect("some");
        assert!((told - value).abs() <= scale * 0.500_001, "{scale}: {told} instead of {value}");
        let steps = told / scale;
        assert!((steps - steps.round()).abs() < 1e-6, "{told} is no multiple of {scale}");
    }
}

#[test]
fn values_are_rounded_to_the_nearest_unit_however_great_they_are() {
    for power in 0..64 {
        let great = 2f64.powi(power);
        for value in [great, great.next_down(), great.next_up(), great + 0.5, great * 1.5 - 0.25] {
            let collector = collector();
            let recorder = TachographRecorder::new(collector.clone()).with_scale("whole", 1.0);
            with_local_recorder(&recorder, || histogram!("whole").record(value));
            assert_eq!(stats(&collector, "whole").max, Some(value.round_ties_even()), "{value}");
        }
    }
}

#[test]
fn a_scale_works_at_its_extremes_or_is_refused_with_a_warning() {
    let told = |scale, value: f64, describe: fn()| {
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&warnings);
        let builder = MetricsCollector::builder().manual();
        let builder = builder.on_warning(move |it| heard.lock().unwrap().push(it.to_string()));
        let collector = builder.build();
        let recorder = TachographRecorder::new(collector.clone()).with_scale("odd", scale);
        with_local_recorder(&recorder, || {
            describe();
            histogram!("odd").record(value);
        });
        let max = stats(&collector, "odd").max.expect("recorded");
        let warnings = warnings.lock().unwrap().join("\n");
        (max, warnings)
    };
    let described: fn() = || describe_histogram!("odd", Unit::Seconds, "a time");
    for describe in [(|| ()) as fn(), described] {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE / 4.0] {
            let (max, warnings) = told(scale, 0.001, describe);
            assert_eq!(max, 0.001, "{scale}");
            assert!(warnings.contains("the scale of metric `odd` is refused"), "{warnings:?}");
            assert_eq!(warnings.lines().count(), 1, "{warnings}");
        }
        for scale in [f64::MIN_POSITIVE, 1.0, f64::MAX] {
            let (max, warnings) = told(scale, scale, describe);
            assert!((max / scale - 1.0).abs() < 1e-12, "{scale}: {max}");
            assert_eq!(warnings, "", "{scale}");
        }
    }
    let setters = include_str!("../src/recorder.rs").matches("(mut self").count();
    assert_eq!(setters, 1, "`with_scale`; a new setter needs its extremes, too");
}

#[test]
fn the_range_of_a_scale_is_2_to_the_64_of_it() {
    let collector = collector();
    let recorder = TachographRecorder::new(collector.clone()).with_scale("chosen", 0.5);
    let end = 2f64.powi(63);
    with_local_recorder(&recorder, || {
        describe_histogram!("bytes", Unit::Bytes, "described first: whole bytes");
        histogram!("bytes").record(1e18);
        histogram!("plain").record(1.8e10);
        histogram!("chosen").record(end / 2.0);
    });
    assert_eq!(unfit(&collector, "beyond_range"), 0);
    assert_eq!(stats(&collector, "bytes").max, Some(1e18));
    assert_eq!(stats(&collector, "plain").max, Some(1.8e10));
    assert_eq!(stats(&collector, "chosen").max, Some(end / 2.0));
    with_local_recorder(&recorder, || {
        histogram!("chosen").record(end);
        histogram!("plain").record(1.9e10);
    });
    assert_eq!(unfit(&collector, "beyond_range"), 2);
    assert_eq!(stats(&collector, "chosen").count, 2);
}

#[test]
fn values_that_do_not_fit_are_counted() {
    let collector = collector();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        let odd = histogram!("odd");
        odd.record(f64::NAN);
        odd.record(-f64::NAN);
        odd.record(-1.0);
        odd.record(f64::NEG_INFINITY);
        odd.record(-1e-9);
        odd.record(f64::INFINITY);
        // These round to 0.
        odd.record(-0.0);
        odd.record(-1e-12);
        odd.record(f64::MIN_POSITIVE);
    });
    assert_eq!(unfit(&collector, "not_a_number"), 2);
    assert_eq!(unfit(&collector, "negative"), 3);
    assert_eq!(unfit(&collector, "beyond_range"), 1);
    let stats = stats(&collector, "odd");
    assert_eq!((stats.count, stats.min), (4, Some(0.0)));
    // What 2^64 - 1 billionths are.
    assert!((stats.max.expect("some") / 18_446_744_073.709_55 - 1.0).abs() < 1e-9);
}

#[test]
fn a_description_after_the_first_registration_leaves_recorded_values_as_they_were() {
    let collector = collector();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        histogram!("size").record(0.5);
        describe_histogram!("size", Unit::Bytes, "too late for whole bytes");
        histogram!("size").record(1_500);
        describe_histogram!("size", Unit::Kibibytes, "nor for these");
    });
    let stats = stats(&collector, "size");
    assert_eq!((stats.min, stats.max, stats.sum), (Some(0.5), Some(1_500.0), 1_500.5));
    let snapshot = collector.get_all_metrics();
    let metric = &snapshot.find("size", &[]).expect("recorded").metric;
    assert_eq!((metric.unit.name(), &*metric.description), ("kibibytes", "nor for these"));
}

#[test]
fn a_description_as_another_kind_leaves_recorded_values_as_they_were() {
    let right = || describe_histogram!("latency", Unit::Seconds, "a latency");
    let wrong = || {
        describe_counter!("latency", Unit::Seconds, "by mistake");
        describe_gauge!("latency", Unit::Seconds, "by mistake");
    };
    let record = || histogram!("latency").record(0.25);
    let orders: [&[&dyn Fn()]; 6] = [
        &[&wrong, &record],
        &[&record, &wrong],
        &[&right, &wrong, &record],
        &[&wrong, &right, &record],
        &[&right, &record, &wrong],
        &[&record, &wrong, &right],
    ];
    for (number, order) in orders.iter().enumerate() {
        let collector = collector();
        let recorder = TachographRecorder::new(collector.clone());
        with_local_recorder(&recorder, || order.iter().for_each(|act| act()));
        assert_eq!(stats(&collector, "latency").max, Some(0.25), "order {number}");
    }
}

#[test]
fn before_that_the_last_description_decides() {
    let collector = collector();
    with_local_recorder(&TachographRecorder::new(collector.clone()), || {
        describe_histogram!("size", Unit::Bytes, "no");
        describe_histogram!("size", Unit::Milliseconds, "yes");
        histogram!("size").record(0.25);
    });
    assert_eq!(stats(&collector, "size").max, Some(0.25));
}

#[test]
fn a_series_that_was_removed_or_reset_returns_with_its_scale() {
    let undo: [&dyn Fn(&MetricsCollector); 2] =
        [&|collector| assert!(collector.remove("latency", &[])), &|collector| collector.reset()];
    for undo in undo {
        let collector = collector();
        with_local_recorder(&TachographRecorder::new(collector.clone()), || {
            histogram!("latency").record(4.0);
            undo(&collector);
            histogram!("latency").record(0.25);
            histogram!("latency", "route" => "/").record(0.5);
        });
        assert_eq!(stats(&collector, "latency").max, Some(0.25));
        let routed = collector.with_tags(&[("route", "/")]);
        assert_eq!(routed.get_timing("latency").and_then(|stats| stats.max), Some(0.5));
    }
}
