//! A stopped aggregator: what is kept, what is dropped, and that the counts say which.

use tachograph::MetricsCollector;

/// A manual collector whose lanes cannot grow: 4 blocks of 512 samples.
fn stalled() -> MetricsCollector {
    MetricsCollector::builder().manual().lane_blocks(4, 4).build()
}

const ROOM: u64 = 4 * 512;

#[test]
fn known_series_lose_neither_count_nor_sum() {
    let metrics = stalled();
    let timing = metrics.register_timing("t");
    let gauge = metrics.register_gauge("g");
    let counter = metrics.register_counter("c");
    timing.record_ns(1);
    gauge.set(1.0);
    metrics.get_all_metrics();
    // From here on the lane knows every series, and nobody drains.
    let values: Vec<u64> = (0..100_000u64).map(|i| i * 7_919).collect();
    for &value in &values {
        timing.record_ns(value);
        gauge.set(2.0);
        counter.increment();
    }
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!(stats.count, 100_001);
    assert_eq!(stats.buckets().sum(), 1 + values.iter().map(|&v| u128::from(v)).sum::<u128>());
    assert_eq!(stats.buckets().iter().map(|bucket| bucket.count).sum::<u64>(), stats.count);
    let gauge = metrics.get_gauge("g").expect("registered");
    assert_eq!((gauge.count, gauge.current), (100_001, Some(2.0)));
    assert_eq!(metrics.get_counter("c").map(|stats| stats.value), Some(100_000));
    assert!(stats.buckets().coalesced() > 90_000);
    // The coalesced share is known to its octave: quantiles are within the error they state.
    assert_eq!(stats.error(), 1.0 / 3.0);
    for q in [0.1, 0.5, 0.9, 0.99, 1.0] {
        let exact = values[((q * 1e5) as usize).min(values.len() - 1)] as f64 * 1e-9;
        let reported = stats.quantile(q).expect("not empty");
        assert!((reported / exact - 1.0).abs() <= 0.34, "q {q}: {reported} for {exact}");
    }
    let report = metrics.shutdown(std::time::Duration::from_secs(1));
    assert_eq!((report.recorded, report.dropped), (300_002, 0));
}

#[test]
fn a_registered_series_survives_an_overload_from_its_first_sample() {
    let metrics = stalled();
    let timing = metrics.register_timing("t");
    (0..10_000u64).for_each(|i| timing.record_ns(i));
    metrics.histogram("by.name", 7);
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (10_000, (0..10_000).sum()));
    assert_eq!(metrics.get_timing("by.name").map(|stats| stats.count), Some(1));
}

#[test]
fn unknown_series_are_dropped_and_counted_exactly() {
    let metrics = stalled();
    // More than every lane has rows for from its start, so the last ones are unknown to it.
    let timings: Vec<_> = (0..200).map(|i| metrics.register_timing(&format!("t{i:03}"))).collect();
    let gauge = metrics.register_gauge("g");
    let last = &timings[199];
    for i in 0..10_000u64 {
        last.record_ns(i);
    }
    (0..50).for_each(|i| gauge.set(f64::from(i)));
    let stats = metrics.get_timing("t199").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (ROOM, (0..u128::from(ROOM)).sum()));
    let snapshot = metrics.get_all_metrics();
    let dropped = |name: &str| snapshot.find(name, &[]).map(|series| series.dropped);
    assert_eq!(
        (dropped("t199"), dropped("g"), dropped("t000")),
        (Some(10_000 - ROOM), Some(50), Some(0))
    );
    let all = snapshot.find("telemetry.dropped", &[("reason", "overload")]);
    let all = all.and_then(|series| series.value.as_counter()).map(|views| views.lifetime.value);
    assert_eq!(all, Some(i128::from(10_050 - ROOM)));
    let report = metrics.shutdown(std::time::Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated), (10_050, ROOM));
}

#[test]
fn counters_are_never_lost_to_overload() {
    let metrics = stalled();
    let timing = metrics.register_timing("t");
    (0..2 * ROOM).for_each(|i| timing.record_ns(i));
    metrics.increment_by("new.by.name", 3);
    metrics.register_counter("new.by.handle").increment_by(4);
    let value = |name: &str| metrics.get_counter(name).map(|stats| stats.value);
    assert_eq!((value("new.by.name"), value("new.by.handle")), (Some(3), Some(4)));
}

#[test]
fn a_drained_lane_has_room_again() {
    let metrics = stalled();
    let timing = metrics.register_timing("t");
    for round in 1..=20 {
        (0..ROOM - 512).for_each(|i| timing.record_ns(i));
        let stats = metrics.get_timing("t").expect("registered");
        assert_eq!((stats.count, stats.buckets().coalesced()), (round * (ROOM - 512), 0));
    }
}

#[test]
fn busy_lanes_grow_so_that_a_running_aggregator_coalesces_nothing() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(4, 64).build();
    let timing = metrics.register_timing("t");
    let mut recorded = 0;
    for burst in [1_500, 3_000, 6_000, 12_000, 24_000] {
        (0..burst).for_each(|i| timing.record_ns(i));
        recorded += burst;
        let stats = metrics.get_timing("t").expect("registered");
        assert_eq!((stats.count, stats.buckets().coalesced()), (recorded, 0), "burst {burst}");
    }
}

#[test]
fn threads_beyond_the_lanes_drop_and_count() {
    let metrics = MetricsCollector::builder().manual().max_lanes(1).build();
    let counter = metrics.register_counter("c");
    counter.increment();
    std::thread::scope(|scope| {
        scope.spawn(|| counter.increment_by(5));
    });
    assert_eq!(metrics.get_counter("c").map(|stats| stats.value), Some(1));
    let dropped = metrics.with_tags(&[("reason", "no_lane")]).get_counter("telemetry.dropped");
    assert_eq!(dropped.map(|stats| stats.value), Some(1));
}

#[test]
fn surplus_lanes_are_given_back_and_all_they_held_is_aggregated() {
    let metrics = MetricsCollector::builder().manual().build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    let recorders: Vec<_> = (0..100).map(|_| metrics.recorder()).collect();
    let level = |name: &str| metrics.get_gauge(name).and_then(|gauge| gauge.current);
    for recorder in &recorders {
        recorder.increment_by(&counter, 3);
        recorder.record_ns(&timing, 7);
    }
    let many = (level("telemetry.lanes"), level("telemetry.memory"));
    drop(recorders);
    // A pass gives one lane back.
    (0..100).for_each(|_| drop(metrics.get_all_metrics()));
    let few = (level("telemetry.lanes"), level("telemetry.memory"));
    assert_eq!((many.0, few.0), (Some(100.0), Some(16.0)));
    assert!(few.1 < many.1.map(|bytes| bytes / 3.0), "{many:?} {few:?}");
    assert_eq!(metrics.get_counter("c").map(|stats| stats.value), Some(300));
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (100, 700));
}

#[test]
fn a_gauge_that_is_set_to_its_old_value_after_a_reset_is_current_though_it_was_coalesced() {
    let metrics = stalled();
    let (gauge, filler) = (metrics.register_gauge("g"), metrics.register_timing("t"));
    gauge.set(2.0);
    metrics.reset();
    assert_eq!(metrics.get_gauge("g").and_then(|stats| stats.current), None);
    (0..ROOM).for_each(|_| filler.record_ns(1));
    gauge.set(2.0);
    let stats = metrics.get_gauge("g").expect("registered");
    assert_eq!((stats.count, stats.current), (1, Some(2.0)));
}
