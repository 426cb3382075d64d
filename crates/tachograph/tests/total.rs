//! A metric's series together, and windows by name, against sorted lists.

use std::time::Duration;

use tachograph::{Clock, Kind, MetricsCollector, Value};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_metrics_series_together_are_as_one_that_recorded_it_all() {
    let metrics = MetricsCollector::builder().manual().build();
    let mut durations = Vec::new();
    for route in 0..20u64 {
        let tag = route.to_string();
        let tags = [("route", &*tag)];
        let tagged = metrics.with_tags(&tags);
        for i in 0..500u64 {
            // The routes differ: no route's p99 is that of all.
            let nanos = (route + 1) * 1_000_000 + (i * 7_919) % 500_000;
            tagged.timing("request.duration", Duration::from_nanos(nanos));
            durations.push(nanos);
        }
        tagged.increment_by("requests", route);
        tagged.decrement_by("open", route);
        tagged.gauge("queue", route as f64);
    }
    durations.sort_unstable();
    let Some(Value::Timing(timing)) = metrics.total("request.duration") else {
        panic!("no timing")
    };
    for stats in [&timing.lifetime, timing.window.as_ref().expect("there are windows")] {
        assert_eq!(stats.count, 10_000);
        assert_eq!(stats.buckets().sum(), durations.iter().map(|&n| u128::from(n)).sum::<u128>());
        for (q, told) in [(0.5, stats.p50), (0.95, stats.p95), (0.99, stats.p99)] {
            let exact = durations[(q * 10_000.0) as usize - 1] as f64 / 1e9;
            let told = told.expect("recorded");
            assert!((told - exact).abs() <= exact / 1_000.0, "{q}: {told}, not {exact}");
        }
    }
    let count = |name: &str| metrics.total(name).and_then(|v| Some(v.as_counter()?.lifetime.value));
    assert_eq!((count("requests"), count("open")), (Some(190), Some(-190)));
    let Some(Value::Gauge(queue)) = metrics.total("queue") else { panic!("no gauge") };
    let queue = queue.lifetime;
    assert_eq!((queue.current, queue.min, queue.max), (Some(190.0), Some(0.0), Some(19.0)));
    assert_eq!((queue.mean, queue.count), (Some(9.5), 20));
    assert!(metrics.total("unknown").is_none());
    let registered = metrics.register_up_down_counter("registered");
    assert_eq!(count("registered"), Some(0));
    drop(registered);
    let snapshot = metrics.get_all_metrics();
    assert_eq!(snapshot.total("requests"), metrics.total("requests"));
    assert_eq!(
        snapshot.metric("registered").next().map(|s| s.metric.kind),
        Some(Kind::UpDownCounter)
    );
}

#[test]
fn windows_are_read_by_name_as_lifetimes_are() {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let tagged = metrics.with_tags(&[("k", "v")]);
    let record = |value: u64| {
        metrics.timing("t", Duration::from_secs(value));
        metrics.increment_by("c", value);
        tagged.gauge("g", value as f64);
    };
    // An hour at one second each, then two minutes at two.
    record(1);
    metrics.run_pass(clock.now(), clock.wall());
    mock.advance(120 * SECOND);
    metrics.run_pass(clock.now(), clock.wall());
    record(2);
    assert_eq!(metrics.get_timing_window("t").and_then(|stats| stats.p50), Some(2.0));
    assert_eq!(metrics.get_timing("t").and_then(|stats| stats.min), Some(1.0));
    assert_eq!(metrics.get_counter_window("c").map(|stats| stats.value), Some(2));
    assert_eq!(metrics.get_counter("c").map(|stats| stats.value), Some(3));
    assert_eq!(tagged.get_gauge_window("g").and_then(|stats| stats.min), Some(2.0));
    assert_eq!(tagged.get_gauge("g").and_then(|stats| stats.min), Some(1.0));
    assert!(metrics.get_gauge_window("g").is_none() && metrics.get_timing_window("c").is_none());
    let plain = MetricsCollector::builder().manual().no_window().build();
    plain.increment("c");
    assert!(plain.get_counter_window("c").is_none() && plain.get_counter("c").is_some());
    let off = MetricsCollector::builder().manual().enabled(false).build();
    off.register_counter("c");
    assert!(off.total("c").is_none() && off.get_counter_window("c").is_none());
}
