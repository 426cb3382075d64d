//! Snapshots, reads, resets, windows, shutdown, the switch.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tachograph::{Clock, MetricsCollector, MockClock, Snapshot, Views};

const SECOND: Duration = Duration::from_secs(1);

struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
}

/// A collector driven by hand on a mock clock.
fn driven() -> Driven {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    Driven { metrics, clock, mock }
}

impl Driven {
    fn pass(&self) -> Arc<Snapshot> {
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
        self.metrics.snapshot()
    }

    fn pass_after(&self, by: Duration) -> Arc<Snapshot> {
        self.mock.advance(by);
        self.pass()
    }
}

fn counter(snapshot: &Snapshot, name: &str) -> Option<(i128, i128)> {
    let Views { lifetime, window } = snapshot.find(name, &[])?.value.as_counter()?.clone();
    Some((lifetime.value, window?.value))
}

#[test]
fn a_snapshot_is_immutable_versioned_and_the_last_one_published() {
    let driven = driven();
    driven.metrics.increment("x");
    let first = driven.pass();
    driven.metrics.increment("x");
    let read = driven.metrics.get_all_metrics();
    assert!(Arc::ptr_eq(&first, &driven.metrics.snapshot()), "reads publish nothing");
    assert_eq!((counter(&first, "x"), counter(&read, "x")), (Some((1, 1)), Some((2, 2))));
    let second = driven.pass();
    assert!(first.version() < read.version() && read.version() < second.version());
}

#[test]
fn unchanged_series_are_shared_between_snapshots() {
    let driven = driven();
    driven.metrics.increment("x");
    driven.metrics.increment("y");
    let first = driven.pass();
    driven.metrics.increment("y");
    let second = driven.pass();
    let same = |name: &str| {
        let series = |s: &Arc<Snapshot>| {
            s.series().iter().find(|series| *series.key == *name).map(Arc::clone).expect("exists")
        };
        Arc::ptr_eq(&series(&first), &series(&second))
    };
    assert_eq!((same("x"), same("y")), (true, false));
}

#[test]
fn a_distributions_count_is_the_sum_of_its_buckets() {
    let driven = driven();
    (0..10_000u64).for_each(|i| driven.metrics.timing("t", Duration::from_nanos(i * i)));
    let stats = driven.metrics.get_timing("t").expect("recorded");
    assert_eq!(stats.buckets().iter().map(|bucket| bucket.count).sum::<u64>(), stats.count);
}

#[test]
fn windows_slide_in_steps_and_lifetimes_stay() {
    let driven = driven();
    for _ in 0..6 {
        driven.metrics.increment("x");
        driven.metrics.timing("t", SECOND);
        driven.metrics.gauge("g", 1.0);
        driven.pass_after(10 * SECOND);
    }
    // The first step's sample was folded in its pass, at 10 s; at 60 s all six are in the window.
    assert_eq!(counter(&driven.pass(), "x"), Some((6, 6)));
    assert_eq!(counter(&driven.pass_after(10 * SECOND), "x"), Some((6, 5)));
    let later = driven.pass_after(1_000 * SECOND);
    assert_eq!(counter(&later, "x"), Some((6, 0)));
    let timing = later.find("t", &[]).and_then(|s| s.value.as_timing().cloned()).expect("exists");
    assert_eq!(timing.lifetime.count, 6);
    assert_eq!(timing.window.map(|window| (window.count, window.p50)), Some((0, None)));
    let gauge = later.find("g", &[]).and_then(|s| s.value.as_gauge().cloned()).expect("exists");
    let window = gauge.window.expect("windows are on");
    assert_eq!((gauge.lifetime.current, window.current), (Some(1.0), Some(1.0)));
    assert_eq!((gauge.lifetime.count, window.count, window.max), (6, 0, None));
}

#[test]
fn a_sample_belongs_to_the_step_in_which_it_is_aggregated() {
    let driven = driven();
    driven.metrics.increment("x");
    // The aggregator stalls for 100 s: the steps in between stay empty.
    driven.mock.advance(100 * SECOND);
    assert_eq!(counter(&driven.pass(), "x"), Some((1, 1)));
    assert_eq!(counter(&driven.pass_after(50 * SECOND), "x"), Some((1, 1)));
    assert_eq!(counter(&driven.pass_after(10 * SECOND), "x"), Some((1, 0)));
}

#[test]
fn rates_divide_by_the_window_or_the_time_since_reset() {
    let driven = driven();
    driven.metrics.increment_by("x", 100);
    let early = driven.pass_after(10 * SECOND);
    assert_eq!(early.window_elapsed(), 10 * SECOND);
    let late = driven.pass_after(40 * SECOND);
    let views = late.find("x", &[]).and_then(|s| s.value.as_counter().cloned()).expect("exists");
    assert_eq!(views.window.expect("on").rate(late.window_elapsed()), 2.0);
    // What was recorded in a stall is aggregated after it, so its time counts as well.
    assert_eq!(driven.pass_after(900 * SECOND).window_elapsed(), 900 * SECOND);
    assert_eq!(driven.pass_after(50 * SECOND).window_elapsed(), 950 * SECOND);
    assert_eq!(driven.pass_after(10 * SECOND).window_elapsed(), 60 * SECOND);
}

#[test]
fn windows_can_be_off() {
    let metrics = MetricsCollector::builder().manual().no_window().build();
    metrics.increment("x");
    let snapshot = metrics.get_all_metrics();
    let views = snapshot.find("x", &[]).and_then(|s| s.value.as_counter().cloned());
    assert_eq!(views.map(|v| (v.lifetime.value, v.window)), Some((1, None)));
    assert_eq!(snapshot.window_span(), None);
}

#[test]
fn a_pass_whose_time_runs_backwards_stands_still_and_is_counted() {
    let driven = driven();
    let before = driven.pass_after(30 * SECOND).uptime();
    driven.mock.rewind(20 * SECOND);
    driven.metrics.increment("x");
    let after = driven.pass();
    assert_eq!((before, after.uptime()), (30 * SECOND, 30 * SECOND));
    assert_eq!(counter(&after, "x"), Some((1, 1)));
    assert_eq!(counter(&after, "telemetry.clock.anomalies").map(|c| c.0), Some(1));
}

#[test]
fn reset_forgets_values_and_keeps_what_has_a_handle() {
    let driven = driven();
    let metrics = &driven.metrics;
    let kept = metrics.register_counter("kept");
    let level = metrics.register_gauge("level");
    kept.increment_by(5);
    level.set(5.0);
    metrics.increment("by.name");
    metrics.timing("t", SECOND);
    let created = driven.pass_after(SECOND).find("kept", &[]).map(|s| s.created);
    driven.pass_after(SECOND);
    metrics.reset();
    let snapshot = metrics.snapshot();
    assert_eq!(counter(&snapshot, "kept"), Some((0, 0)));
    assert!(snapshot.find("by.name", &[]).is_none() && snapshot.find("t", &[]).is_none());
    assert_eq!(snapshot.uptime(), Duration::ZERO);
    assert!(snapshot.find("kept", &[]).map(|s| s.created) > created);
    assert_eq!(
        metrics.get_gauge("level").map(|stats| (stats.count, stats.current)),
        Some((0, None))
    );
    assert!(metrics.get_counter("by.name").is_none());
    kept.increment();
    metrics.increment("by.name");
    level.set(7.0);
    let snapshot = driven.pass();
    assert_eq!(
        (counter(&snapshot, "kept"), counter(&snapshot, "by.name")),
        (Some((1, 1)), Some((1, 1)))
    );
    let stats = metrics.get_gauge("level").expect("registered");
    assert_eq!((stats.current, stats.min, stats.count), (Some(7.0), Some(7.0), 1));
}

#[test]
fn reset_counters_leaves_the_rest_and_neither_touches_conservation() {
    let driven = driven();
    let metrics = &driven.metrics;
    metrics.increment_by("x", 5);
    metrics.gauge("g", 2.0);
    metrics.timing("t", SECOND);
    let recorded = metrics.get_counter("telemetry.recorded").map(|stats| stats.value);
    metrics.reset_counters();
    assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(0));
    assert_eq!(metrics.get_gauge("g").and_then(|stats| stats.current), Some(2.0));
    assert_eq!(metrics.get_timing("t").map(|stats| stats.count), Some(1));
    metrics.reset();
    assert_eq!(metrics.get_counter("telemetry.recorded").map(|stats| stats.value), recorded);
    assert_eq!(recorded, Some(3));
}

#[test]
fn off_nothing_is_recorded_or_registered_and_reading_goes_on() {
    let driven = driven();
    let metrics = &driven.metrics;
    let handle = metrics.register_counter("x");
    handle.increment();
    metrics.gauge("g", 2.5);
    metrics.timing("t", SECOND);
    driven.pass();
    handle.increment();
    metrics.set_enabled(false);
    handle.increment();
    metrics.increment("y");
    metrics.timer("z").stop();
    metrics.recorder().increment(&handle);
    for snapshot in [driven.pass_after(SECOND), metrics.get_all_metrics()] {
        assert_eq!(counter(&snapshot, "x").map(|(value, _)| value), Some(2));
        assert!(snapshot.find("g", &[]).is_some() && snapshot.find("t", &[]).is_some());
        assert!(snapshot.find("y", &[]).is_none() && snapshot.find("z", &[]).is_none());
    }
    assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(2));
    assert_eq!(metrics.get_gauge("g").and_then(|stats| stats.current), Some(2.5));
    assert_eq!(metrics.get_timing("t").map(|stats| stats.count), Some(1));
    let registered_while_off = metrics.register_counter("w");
    metrics.set_enabled(true);
    assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(2));
    assert!(metrics.get_counter("y").is_none() && metrics.get_timing("z").is_none());
    registered_while_off.increment();
    assert_eq!(metrics.get_counter("w").map(|stats| stats.value), Some(1));
}

#[test]
fn a_timer_across_the_switch_records_nothing() {
    let driven = driven();
    let metrics = &driven.metrics;
    let timing = metrics.register_timing("t");
    let (started_on, by_name) = (timing.start(), metrics.timer("t"));
    metrics.set_enabled(false);
    drop((started_on, by_name));
    let (started_off, by_name) = (timing.start(), metrics.timer("t"));
    metrics.set_enabled(true);
    assert_eq!((started_off.elapsed(), by_name.elapsed()), (None, None));
    assert_eq!((started_off.stop(), by_name.stop()), (Duration::ZERO, Duration::ZERO));
    assert_eq!(metrics.get_timing("t").map(|stats| stats.count), Some(0));
}

#[test]
fn a_collector_can_be_built_off_and_switched_on() {
    let metrics = MetricsCollector::builder().enabled(false).build();
    metrics.increment("x");
    let registered = metrics.register_gauge("g");
    registered.set(1.0);
    assert!(!metrics.enabled() && metrics.get_counter("x").is_none());
    assert!(metrics.get_gauge("g").is_none(), "never on, so nothing was recorded");
    metrics.set_enabled(true);
    metrics.increment("x");
    assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(1));
}

#[test]
fn shutdown_reports_what_became_of_every_sample() {
    let metrics = MetricsCollector::new();
    let handle = metrics.register_timing("t");
    (0..1_000).for_each(|i| handle.record_ns(i));
    metrics.increment_by("x", 5);
    metrics.gauge("g", f64::NAN);
    let report = metrics.shutdown(SECOND);
    assert_eq!((report.recorded, report.aggregated, report.dropped), (1_002, 1_001, 1));
    assert_eq!(report.unfinished_lanes, 0, "the caller's own lane is finished");
    handle.record_ns(1);
    metrics.increment("x");
    metrics.set_enabled(true);
    metrics.increment("never.seen");
    let again = metrics.shutdown(SECOND);
    assert_eq!((again.recorded, again.aggregated, again.dropped), (1_005, 1_001, 4));
    assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(5));
    // What is exported: nothing of it vanishes with the last pass.
    for snapshot in [metrics.snapshot(), metrics.get_all_metrics()] {
        assert_eq!(counter(&snapshot, "x").map(|(value, _)| value), Some(5));
        let timing = snapshot.find("t", &[]).and_then(|series| series.value.as_timing());
        assert_eq!(timing.map(|views| views.lifetime.count), Some(1_000));
    }
    let dropped = metrics.with_tags(&[("reason", "shutdown")]).get_counter("telemetry.dropped");
    assert_eq!(dropped.map(|stats| stats.value), Some(3));
}

#[test]
fn shutdown_names_lanes_that_may_still_be_recording() {
    let metrics = MetricsCollector::new();
    let recorder = metrics.recorder();
    assert_eq!(metrics.shutdown(SECOND).unfinished_lanes, 1);
    drop(recorder);
    assert_eq!(metrics.shutdown(SECOND).unfinished_lanes, 0);
}

#[test]
fn handles_and_recorders_outlive_their_collector() {
    let metrics = MetricsCollector::new();
    let (handle, recorder) = (metrics.register_counter("x"), metrics.recorder());
    let timer = metrics.timer("t");
    drop(metrics);
    handle.increment();
    recorder.increment(&handle);
    drop(timer);
}

#[test]
fn a_handle_of_another_collector_is_refused_and_counted() {
    let (ours, theirs) = (MetricsCollector::new(), MetricsCollector::new());
    let foreign = theirs.register_counter("x");
    ours.recorder().increment(&foreign);
    assert_eq!(theirs.get_counter("x").map(|stats| stats.value), Some(0));
    let dropped = ours.with_tags(&[("reason", "foreign_handle")]).get_counter("telemetry.dropped");
    assert_eq!(dropped.map(|stats| stats.value), Some(1));
}

#[test]
fn several_collectors_on_one_thread_do_not_mix() {
    let collectors: Vec<_> = (0..5).map(|_| MetricsCollector::new()).collect();
    for round in 0..3 {
        for (i, metrics) in collectors.iter().enumerate() {
            metrics.increment_by("x", i as u64);
            metrics.register_gauge("g").set(f64::from(round));
        }
    }
    for (i, metrics) in collectors.iter().enumerate() {
        assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(3 * i as i128));
        assert_eq!(metrics.get_gauge("g").map(|stats| stats.count), Some(3));
    }
}

#[test]
fn the_background_aggregator_publishes_by_itself() {
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(5)).build();
    metrics.increment("x");
    let deadline = Instant::now() + 30 * SECOND;
    while counter(&metrics.snapshot(), "x") != Some((1, 1)) {
        assert!(Instant::now() < deadline, "not published");
        std::thread::yield_now();
    }
}

#[test]
fn a_panic_of_the_warning_callback_loses_nothing() {
    let metrics = MetricsCollector::builder()
        .publish_every(Duration::from_millis(1))
        .on_warning(|_| panic!("a user's mistake"))
        .build();
    metrics.increment("x");
    metrics.gauge("x", 1.0);
    let version = metrics.snapshot().version();
    let deadline = Instant::now() + 30 * SECOND;
    while metrics.snapshot().version() < version + 3 {
        assert!(Instant::now() < deadline, "the aggregator has ended");
        std::thread::yield_now();
    }
    assert_eq!(metrics.get_counter("x").map(|stats| stats.value), Some(1));
}

#[test]
fn a_snapshot_survives_serialisation() {
    let driven = driven();
    driven.metrics.with_tags(&[("k", "v,=")]).timing("t", SECOND);
    driven.metrics.gauge("g", -0.5);
    driven.metrics.decrement("level");
    let snapshot = driven.pass();
    let json = serde_json::to_string(&*snapshot).expect("serialises");
    let back: Snapshot = serde_json::from_str(&json).expect("deserialises");
    assert_eq!(back, *snapshot);
}

#[test]
fn a_snapshot_reader_sees_each_publication_and_outlives_the_collector() {
    let metrics = MetricsCollector::builder().manual().build();
    let counter = metrics.register_counter("c");
    let mut reader = metrics.snapshot_reader();
    let first = reader.latest().version();
    assert!(Arc::ptr_eq(reader.latest(), &metrics.snapshot()), "nothing new was published");
    counter.increment();
    metrics.run_pass(Instant::now(), SystemTime::now());
    assert!(reader.latest().version() > first);
    let value = |snapshot: &Snapshot| snapshot.find("c", &[]).map(|c| c.value.clone());
    assert_eq!(value(reader.latest()), value(&metrics.snapshot()));
    counter.increment();
    drop(metrics);
    let last = reader.latest().find("c", &[]).expect("registered").value.as_counter().cloned();
    assert_eq!(last.map(|views| views.lifetime.value), Some(2), "the final pass was published");
}
