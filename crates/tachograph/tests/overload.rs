//! A stopped aggregator: what is kept, what is dropped, and that the counts say which.

use std::time::Duration;

use tachograph::{Clock, MetricsCollector, TimingStats};

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
    let buckets = stats.buckets();
    assert_eq!((buckets.min(), buckets.max()), (Some(0), values.last().copied()));
    for q in [0.1, 0.5, 0.9, 0.99, 1.0] {
        let exact = values[((q * 1e5) as usize).min(values.len() - 1)] as f64 * 1e-9;
        let reported = stats.quantile(q).expect("not empty");
        assert!((reported / exact - 1.0).abs() <= 0.032, "q {q}: {reported} for {exact}");
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
    // As many as a lane reserves rows for, and one more.
    let timings: Vec<_> = (0..65).map(|i| metrics.register_timing(&format!("t{i:03}"))).collect();
    let last = &timings[64];
    (0..ROOM).for_each(|i| last.record_ns(i));
    timings.iter().for_each(|timing| timing.record_ns(7));
    (0..9).for_each(|_| last.record_ns(7));
    let stats = metrics.get_timing("t064").expect("registered");
    assert_eq!((stats.count, stats.buckets().sum()), (ROOM, (0..u128::from(ROOM)).sum()));
    assert_eq!(metrics.get_timing("t063").map(|stats| stats.count), Some(1));
    let snapshot = metrics.get_all_metrics();
    let dropped = |name: &str| snapshot.find(name, &[]).map(|series| series.dropped);
    assert_eq!((dropped("t064"), dropped("t063")), (Some(10), Some(0)));
    let all = snapshot.find("telemetry.dropped", &[("reason", "overload")]);
    let all = all.and_then(|series| series.value.as_counter()).map(|views| views.lifetime.value);
    assert_eq!(all, Some(10));
    // The pass has made more rows.
    (0..2 * ROOM).for_each(|_| last.record_ns(7));
    assert_eq!(metrics.get_timing("t064").map(|stats| stats.count), Some(3 * ROOM));
    let report = metrics.shutdown(std::time::Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated), (3 * ROOM + 74, 3 * ROOM + 64));
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

/// The exact quantile of sorted values.
fn quantile(sorted: &[u64], q: f64) -> u64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[test]
fn any_overload_keeps_extremes_exactly_and_each_quantile_within_three_percent() {
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..40 {
        let metrics = stalled();
        let (timing, gauge) = (metrics.register_timing("t"), metrics.register_gauge("g"));
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        // Every magnitude or one octave; more than once, so that epochs of the extremes change.
        let octave = rng.u32(0..50);
        for _ in 0..rng.u32(1..4) {
            for _ in 0..rng.usize(1..20_000) {
                let value = match round % 2 {
                    0 => rng.u64(..) >> rng.u32(0..64),
                    _ => rng.u64(1 << octave..2 << octave),
                };
                timing.record_ns(value);
                values.push(value);
                let level = f64::from(rng.i32(-1_000..1_000));
                gauge.set(level);
                levels.push(level);
            }
            metrics.get_all_metrics();
        }
        values.sort_unstable();
        levels.sort_by(f64::total_cmp);
        let stats = metrics.get_timing("t").expect("registered");
        let buckets = stats.buckets();
        assert_eq!(stats.count, values.len() as u64);
        assert_eq!(buckets.sum(), values.iter().map(|&value| u128::from(value)).sum::<u128>());
        let ends = (values.first().copied(), values.last().copied());
        assert_eq!((buckets.min(), buckets.max()), ends, "round {round}");
        for millionths in (0..=1_000_000).step_by(1_000) {
            let q = f64::from(millionths) / 1e6;
            let exact = quantile(&values, q) as f64 * 1e-9;
            let told = stats.quantile(q).expect("not empty");
            let most = stats.error_at(q).expect("not empty");
            assert!(most <= 0.032, "{most}");
            assert!((told - exact).abs() <= exact * most, "round {round}, {q}: {told} for {exact}");
        }
        let level = metrics.get_gauge("g").expect("registered");
        let ends = (levels.first().copied(), levels.last().copied());
        assert_eq!((level.min, level.max), ends, "round {round}");
    }
}

#[test]
fn extremes_from_before_a_reset_do_not_come_back() {
    let metrics = stalled();
    let (timing, gauge) = (metrics.register_timing("t"), metrics.register_gauge("g"));
    let both = |value: u32| {
        timing.record_ns(value.into());
        gauge.set(value.into());
    };
    for _ in 0..3 {
        (0..10_000).for_each(both);
        metrics.reset();
        (0..2_000).for_each(|_| both(5_000));
        (0..2_000).for_each(|i| both(4_000 + i));
        let stats = metrics.get_timing("t").expect("registered");
        assert_eq!((stats.buckets().min(), stats.buckets().max()), (Some(4_000), Some(5_999)));
        let level = metrics.get_gauge("g").expect("registered");
        assert_eq!((level.min, level.max), (Some(4_000.0), Some(5_999.0)));
    }
}

#[test]
fn a_gauges_range_is_that_of_the_windows_values_and_not_of_an_older_current_one() {
    let (clock, hand) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone()).lane_blocks(4, 4);
    let metrics = builder.window(Duration::from_secs(1), 1).build();
    let (gauge, filler) = (metrics.register_gauge("g"), metrics.register_timing("t"));
    let (full, other) = (metrics.recorder(), metrics.recorder());
    (0..ROOM).for_each(|_| full.record_ns(&filler, 1));
    full.set(&gauge, 2.0);
    other.set(&gauge, 0.0);
    // Aggregates the samples of all series, but not the coalesced ones of others.
    assert_eq!(metrics.get_timing("t").map(|stats| stats.count), Some(ROOM));
    hand.advance(Duration::from_secs(1));
    metrics.run_pass(clock.now(), clock.wall());
    let snapshot = metrics.snapshot();
    let series = snapshot.find("g", &[]).expect("registered");
    let views = series.value.as_gauge().expect("a gauge");
    let window = views.window.expect("a window");
    assert_eq!((window.count, window.current), (1, Some(0.0)));
    assert_eq!((window.min, window.max, window.mean), (Some(2.0), Some(2.0), Some(2.0)));
    assert_eq!((views.lifetime.min, views.lifetime.max), (Some(0.0), Some(2.0)));
}

#[test]
fn one_coalesced_sample_costs_the_resolution_around_it_alone() {
    let metrics = stalled();
    let timing = metrics.register_timing("t");
    (0..ROOM).for_each(|i| timing.record_ns(1_000_000 + i));
    timing.record_ns(50_000);
    let stats = metrics.get_timing("t").expect("registered");
    assert_eq!(stats.buckets().coalesced(), 1);
    assert_eq!(stats.error_at(0.5), Some(1.0 / 2048.0));
    assert!(stats.error_at(0.0) > Some(0.03) && stats.error() > 0.03);
    assert_eq!((stats.error_at(1.1), stats.error_at(f64::NAN)), (None, None));
    // A difference knows what was gained.
    let before = metrics.get_all_metrics();
    timing.record_ns(50_000);
    let gained = metrics.get_all_metrics().since(&before);
    let gained = gained.find("t", &[]).and_then(|series| series.value.as_timing());
    let error = gained.and_then(|views| views.lifetime.error_at(0.0));
    assert_eq!(error, Some(1.0 / 2048.0));
}

#[test]
fn overload_is_told_once_a_minute_with_the_count_and_the_worst_series() {
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let (clock, hand) = tachograph::Clock::mock();
    let metrics = MetricsCollector::builder()
        .manual()
        .clock(clock.clone())
        .lane_blocks(2, 2)
        .on_warning(move |warning| tell.lock().expect("no panic").push(warning.to_string()))
        .build();
    let (mild, bad) = (metrics.register_timing("mild"), metrics.register_timing("bad"));
    let mut coalesced = 0;
    for _ in 0..180 {
        (0..1_024).for_each(|_| mild.record_ns(1));
        (0..3).for_each(|_| bad.record_ns(1));
        mild.record_ns(1);
        coalesced += 4;
        hand.advance(Duration::from_secs(1));
        metrics.run_pass(clock.now(), SystemTime::UNIX_EPOCH);
    }
    let told = told.lock().expect("no panic");
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("4 samples were coalesced, 3 of them of `bad`"), "{told:?}");
    assert!(told[1].starts_with("240 samples were coalesced, 180 of them of `bad`"), "{told:?}");
    let all = metrics.get_counter("telemetry.coalesced").map(|stats| stats.value);
    assert_eq!(all, Some(coalesced));
}

/// Every quantile of a timing, its ends and its sum, against the sorted values.
fn assert_within_the_bounds(stats: &TimingStats, values: &mut [u64]) {
    values.sort_unstable();
    let buckets = stats.buckets();
    assert_eq!(stats.count, values.len() as u64);
    assert_eq!(buckets.sum(), values.iter().map(|&value| u128::from(value)).sum::<u128>());
    let ends = (values.first().copied(), values.last().copied());
    assert_eq!((buckets.min(), buckets.max()), ends);
    for millionths in (0..=1_000_000).step_by(100) {
        let rank = (millionths * values.len()).div_ceil(1_000_000).max(1);
        let exact = values[rank - 1] as f64;
        let told = stats.quantile(millionths as f64 / 1e6).expect("not empty") / 1e-9;
        // A float's last digits, beside what is promised.
        let most = exact * 0.032 + 1e-6 * exact;
        assert!((told - exact).abs() <= most, "quantile {millionths}: {told} for {exact}");
    }
}

/// 100,000 samples a second, and nobody drains for ten seconds.
#[test]
fn while_the_aggregator_stalls_for_ten_seconds_nothing_is_lost_but_resolution() {
    let (clock, hand) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let timing = metrics.register_timing("t");
    let pass = || metrics.run_pass(clock.now(), clock.wall());
    let mut random = fastrand::Rng::with_seed(7);
    let mut all: Vec<u64> = Vec::new();
    let mut record = |samples: usize, all: &mut Vec<u64>| {
        for _ in 0..samples {
            // Any magnitude from nanoseconds to minutes.
            let value = random.u64(..) >> random.u32(27..64);
            timing.record_ns(value);
            all.push(value);
        }
    };
    pass();
    record(1_000, &mut all);
    hand.advance(Duration::from_millis(100));
    pass();
    let mut stalled = Vec::new();
    for _ in 0..10 {
        record(100_000, &mut stalled);
        hand.advance(Duration::from_secs(1));
    }
    all.extend(&stalled);
    pass();
    let snapshot = metrics.snapshot();
    let series = snapshot.find("t", &[]).expect("registered");
    let views = series.value.as_timing().expect("a timing");
    assert!(views.lifetime.buckets().coalesced() > 800_000, "it was an overload");
    assert_within_the_bounds(&views.lifetime, &mut all);
    // All but what 64 blocks have room for, the one that was begun before among them.
    let told = metrics.get_counter("telemetry.coalesced").map_or(0, |stats| stats.value);
    assert!((1_000_000 - 64 * 512..1_000_000 - 63 * 512).contains(&told), "{told}");
    let report = metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.dropped), (1_001_000, 0));
}
