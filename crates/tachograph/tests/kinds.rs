//! What each kind reports.

use std::time::Duration;

use tachograph::{Clock, MetricsCollector, MockClock};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn mocked() -> (MetricsCollector, MockClock) {
    let (clock, mock) = Clock::mock();
    (MetricsCollector::builder().manual().clock(clock).build(), mock)
}

fn total(metrics: &MetricsCollector, name: &str) -> Option<i128> {
    metrics.get_counter(name).map(|stats| stats.value)
}

#[test]
fn timings_are_exact_in_count_sum_min_max_and_mean() {
    let metrics = manual();
    for ns in [1_500u64, 0, 999_999_937, 12_345_678_901] {
        metrics.timing("t", Duration::from_nanos(ns));
    }
    let stats = metrics.get_timing("t").expect("recorded");
    let sum = 1_500 + 999_999_937 + 12_345_678_901u128;
    assert_eq!((stats.count, stats.buckets().sum()), (4, sum));
    assert_eq!((stats.buckets().min(), stats.buckets().max()), (Some(0), Some(12_345_678_901)));
    assert_eq!(stats.mean, Some(sum as f64 / 4.0 / 1e9));
    assert_eq!(stats.quantile(0.0), Some(0.0), "zero has a bucket of its own");
    assert_eq!(stats.quantile(1.0), stats.max);
}

#[test]
fn durations_keep_their_length_over_the_whole_range() {
    let metrics = manual();
    let hours = |n: u64| Duration::from_secs(3_600 * n);
    let mut sorted: Vec<f64> = Vec::new();
    for long in [hours(5), hours(6), hours(7), hours(24 * 365 * 100), hours(24 * 365 * 500)] {
        metrics.timing("t", long);
        sorted.push(long.as_secs_f64());
        let stats = metrics.get_timing("t").expect("recorded");
        for q in [0.25, 0.5, 0.75, 0.99, 1.0] {
            let exact = sorted[(q * sorted.len() as f64).ceil() as usize - 1];
            let told = stats.quantile(q).expect("recorded");
            assert!((told - exact).abs() <= exact * stats.error(), "{q}: {told}, not {exact}");
        }
    }
    metrics.timing("t", Duration::MAX);
    let stats = metrics.get_timing("t").expect("recorded");
    assert_eq!(stats.buckets().max(), Some(u64::MAX), "584 years, beyond which all are alike");
    assert_eq!(stats.buckets().iter().count(), 6, "each in a bucket of its own");
}

#[test]
fn histograms_take_every_u64() {
    let metrics = manual();
    let size = metrics.register_histogram("h");
    for value in [0, 1, 512, u64::MAX, u64::MAX] {
        size.record(value);
    }
    let stats = metrics.get_timing("h").expect("registered");
    assert_eq!(stats.buckets().sum(), 513 + 2 * u128::from(u64::MAX));
    assert_eq!(stats.quantile(0.5), Some(512.0));
}

#[test]
fn a_gauges_current_value_is_the_one_set_last_whatever_was_set_before_a_reset() {
    let metrics = manual();
    let gauge = metrics.register_gauge("g");
    let elsewhere = metrics.recorder();
    let current = || metrics.get_gauge("g").expect("registered").current;
    gauge.set(1.0);
    metrics.reset();
    assert_eq!(current(), None);
    elsewhere.set(&gauge, 0.0);
    gauge.set(1.0);
    assert_eq!(current(), Some(1.0));
    for value in [0.0, 1.0, 1.0, 0.0] {
        metrics.reset();
        gauge.set(1.0);
        elsewhere.set(&gauge, value);
        assert_eq!(current(), Some(value));
        assert_eq!(metrics.get_all_metrics().find("g", &[]).map(|g| g.value.clone()), {
            metrics.snapshot();
            metrics.run_pass(std::time::Instant::now(), std::time::SystemTime::now());
            metrics.snapshot().find("g", &[]).map(|g| g.value.clone())
        });
    }
}

#[test]
fn adding_to_a_gauge_starts_from_zero_after_a_reset() {
    let metrics = manual();
    let gauge = metrics.register_gauge("g");
    gauge.set(5.0);
    metrics.reset();
    gauge.add(1.0);
    let stats = metrics.get_gauge("g").expect("registered");
    assert_eq!((stats.current, stats.min, stats.max), (Some(1.0), Some(1.0), Some(1.0)));
    gauge.add(-3.0);
    assert_eq!(metrics.get_gauge("g").and_then(|stats| stats.current), Some(-2.0));
}

#[test]
fn the_mean_of_a_gauge_loses_nothing_to_cancellation() {
    let exact = Some(1_000.0 / 1_002.0);
    let hidden: Vec<f64> = [1e16].into_iter().chain([1.0; 1_000]).chain([-1e16]).collect();
    // One pass at the end, a pass after each, and coalesced: without a driver the lane is full
    // soon.
    for (blocks, every) in [(256, 2_000), (256, 1), (2, 2_000)] {
        let metrics = MetricsCollector::builder().manual().lane_blocks(2, blocks).build();
        let gauge = metrics.register_gauge("g");
        // So that the lane is full, where it is to be.
        let fill = metrics.register_gauge("fill");
        (0..if blocks == 2 { 2_000 } else { 0 }).for_each(|_| fill.set(0.0));
        let before = metrics.snapshot();
        for (i, &value) in hidden.iter().enumerate() {
            gauge.set(value);
            if i % every == every - 1 {
                metrics.run_pass(std::time::Instant::now(), std::time::SystemTime::now());
            }
        }
        let after = metrics.get_all_metrics();
        let mean = |snapshot: &tachograph::Snapshot| {
            snapshot.find("g", &[])?.value.as_gauge()?.lifetime.mean
        };
        assert_eq!(mean(&after), exact);
        assert_eq!(mean(&after.since(&before)), exact);
        let [twice, less] = [1.0, -1e16].map(|value| {
            let other = MetricsCollector::builder().manual().build();
            other.gauge("g", value);
            other.get_all_metrics()
        });
        let merged = tachograph::Snapshot::merge([&*twice, &*after, &*less]);
        assert_eq!(mean(&merged), Some((1_001.0 - 1e16) / 1_004.0));
    }
}

#[test]
fn gauges_report_the_values_that_were_set() {
    let metrics = manual();
    for value in [-3.0, -10.0, -5.0] {
        metrics.gauge("g", value);
    }
    let stats = metrics.get_gauge("g").expect("recorded");
    assert_eq!(stats.current, Some(-5.0));
    assert_eq!((stats.min, stats.max), (Some(-10.0), Some(-3.0)), "never an initial zero");
    assert_eq!((stats.mean, stats.count), (Some(-6.0), 3));
}

#[test]
fn nan_is_refused_and_infinities_stay_out_of_the_mean() {
    let metrics = manual();
    for value in [1.0, f64::NAN, f64::INFINITY, 3.0] {
        metrics.gauge("g", value);
    }
    let stats = metrics.get_gauge("g").expect("recorded");
    assert_eq!((stats.count, stats.mean, stats.max), (3, Some(2.0), Some(f64::INFINITY)));
    let dropped = metrics.with_tags(&[("reason", "not_a_number")]).get_counter("telemetry.dropped");
    assert_eq!(dropped.map(|stats| stats.value), Some(1));
}

#[test]
fn adding_to_a_gauge_counts_from_its_last_value() {
    let metrics = manual();
    let depth = metrics.register_gauge("depth");
    depth.add(2.0);
    depth.add(3.0);
    depth.add(-4.0);
    let stats = metrics.get_gauge("depth").expect("registered");
    assert_eq!((stats.current, stats.max, stats.count), (Some(1.0), Some(5.0), 3));
    depth.set(f64::INFINITY);
    depth.add(f64::NEG_INFINITY);
    assert_eq!(metrics.get_gauge("depth").and_then(|stats| stats.current), Some(f64::INFINITY));
}

#[test]
fn concurrent_gauge_additions_are_all_there() {
    let metrics = manual();
    let depth = metrics.register_gauge("depth");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| depth.add(1.0)));
        }
    });
    let stats = metrics.get_gauge("depth").expect("registered");
    assert_eq!((stats.current, stats.max), (Some(4_000.0), Some(4_000.0)));
}

#[test]
fn every_timer_records_on_drop_and_on_stop_and_not_when_discarded() {
    let (metrics, mock) = mocked();
    let timing = metrics.register_timing("t");
    let recorder = metrics.recorder();
    let ms = Duration::from_millis(3);
    {
        let _by_name = metrics.timer("t");
        let _by_handle = timing.start();
        let _of_recorder = recorder.start(&timing);
        mock.advance(ms);
    }
    let (by_name, by_handle) = (metrics.timer("t"), timing.start());
    mock.advance(ms);
    let by_name = by_name.stop();
    mock.advance(ms);
    let by_handle = by_handle.stop();
    metrics.timer("t").discard();
    timing.start().discard();
    recorder.start(&timing).discard();
    assert_eq!([by_name, by_handle], [ms, 2 * ms]);
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (5, 6 * ms.as_nanos()));
}

#[test]
fn a_timer_that_is_looked_at_records_nothing_and_runs_on() {
    let (metrics, mock) = mocked();
    let timing = metrics.register_timing("t");
    let recorder = metrics.recorder();
    let (by_handle, by_name) = (timing.start(), metrics.timer("t"));
    let of_recorder = recorder.start(&timing);
    for ms in 1..=3 {
        mock.advance(Duration::from_millis(1));
        let seen = [by_handle.elapsed(), by_name.elapsed(), of_recorder.elapsed()];
        assert_eq!(seen, [Some(Duration::from_millis(ms)); 3]);
    }
    assert_eq!(metrics.get_timing("t").map(|stats| stats.count), Some(0));
    drop((by_handle, by_name, of_recorder));
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!((stats.count, stats.min, stats.max), (3, Some(0.003), Some(0.003)));
}

#[test]
fn a_timer_may_end_on_another_thread() {
    let (metrics, mock) = mocked();
    let timer = metrics.timer("t");
    mock.advance(Duration::from_secs(1));
    std::thread::spawn(move || drop(timer)).join().expect("no panic");
    assert_eq!(metrics.get_timing("t").and_then(|stats| stats.max), Some(1.0));
}

#[test]
fn time_that_runs_backwards_counts_as_zero_and_as_an_anomaly() {
    let (metrics, mock) = mocked();
    mock.advance(Duration::from_secs(10));
    let timer = metrics.timer("t");
    mock.rewind(Duration::from_secs(5));
    drop(timer);
    assert_eq!(metrics.get_timing("t").and_then(|stats| stats.max), Some(0.0));
    assert_eq!(total(&metrics, "telemetry.clock.anomalies"), Some(1));
}

#[test]
fn real_timers_measure_real_time_on_either_clock() {
    let metrics = MetricsCollector::new();
    let begun = std::time::Instant::now();
    // Long enough for the background calibration to switch clocks on the way.
    while begun.elapsed() < Duration::from_millis(300) {
        let outer = std::time::Instant::now();
        let timer = metrics.timer("t");
        std::hint::black_box((0..10_000u64).sum::<u64>());
        let measured = timer.stop();
        assert!(measured <= outer.elapsed() + Duration::from_micros(50), "{measured:?}");
    }
    assert!(metrics.get_timing("t").expect("recorded").count > 0);
    assert_eq!(total(&metrics, "telemetry.clock.anomalies"), Some(0));
}

#[test]
fn a_record_as_another_kind_does_not_spoil_the_name_for_its_thread() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.with_tags(&[("k", "v")]).increment("requests");
    // The untagged series does not exist yet: what is refused is the name's use as a gauge.
    metrics.gauge("requests", 1.0);
    for _ in 0..3 {
        metrics.increment("requests");
        metrics.gauge("requests", 1.0);
    }
    assert_eq!(metrics.get_counter("requests").map(|stats| stats.value), Some(3));
    assert_eq!(metrics.get_counter("telemetry.kind_conflicts").map(|stats| stats.value), Some(4));
}
