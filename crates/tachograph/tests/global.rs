//! The process's collector and its static handles. A test of its own process, for its one
//! collector.
#![cfg(feature = "record")]

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use tachograph::{
    Counter, Gauge, Histogram, Lazy, MetricsCollector, Timing, UpDownCounter, gauge, global,
    histogram, increment, now, set_global, timing, try_global, up_down_counter,
};

const SECOND: Duration = Duration::from_secs(1);
const THREADS: u64 = 8;
const ROUNDS: u64 = 1_000;

static EVENTS: Lazy<Counter> = Lazy::new("events");
static BY_TYPE: Lazy<Counter> = Lazy::with_tags("events", &[("b", "2"), ("a", "1")]);
static OPEN: Lazy<UpDownCounter> = Lazy::new("open");
static LATENCY: Lazy<Timing> = Lazy::new("latency");
static SIZE: Lazy<Histogram> = Lazy::with_tags("size", &[("unit", "byte")]);
static DEPTH: Lazy<Gauge> = Lazy::new("depth");
static NEVER: Lazy<Counter> = Lazy::new("never.used");

fn record_all() {
    let start = now();
    EVENTS.with(Counter::increment);
    increment!("events", 2);
    BY_TYPE.with(Counter::increment);
    increment!("events", "b" => "2", "a" => "1");
    OPEN.with(UpDownCounter::increment);
    OPEN.with(|open| open.increment_by(2));
    OPEN.with(UpDownCounter::decrement);
    OPEN.with(|open| open.decrement_by(1));
    up_down_counter!("open", 5);
    up_down_counter!("open", -5);
    up_down_counter!("open", -2, "side" => "left");
    LATENCY.with(|latency| latency.record(SECOND));
    timing!("latency", SECOND);
    timing!("latency", since start);
    SIZE.with(|size| size.record(3));
    histogram!("size", 4, "unit" => "byte");
    gauge!("depth", 1.0);
    DEPTH.with(|depth| depth.add(0.0));
}

#[test]
fn the_first_use_by_many_threads_makes_one_collector_and_loses_nothing() {
    let start = Barrier::new(THREADS as usize);
    let collectors: Vec<usize> = thread::scope(|scope| {
        let record = || {
            start.wait();
            let collector = std::ptr::from_ref(global()).addr();
            (0..ROUNDS).for_each(|_| record_all());
            collector
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(record)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(collectors.iter().all(|&collector| collector == collectors[0]));
    let metrics = global();
    let calls = THREADS * ROUNDS;
    let counter = |name: &str, tags: &[(&str, &str)]| {
        metrics.with_tags(tags).get_counter(name).map(|stats| stats.value)
    };
    assert_eq!(counter("events", &[]), Some(i128::from(3 * calls)));
    assert_eq!(counter("events", &[("a", "1"), ("b", "2")]), Some(i128::from(2 * calls)));
    assert_eq!(counter("open", &[]), Some(i128::from(calls)));
    assert_eq!(counter("open", &[("side", "left")]), Some(-2 * i128::from(calls)));
    assert_eq!(counter("telemetry.monotonic_decrements", &[]), Some(0));
    assert_eq!(counter("never.used", &[]), None);
    assert_eq!(metrics.get_timing("latency").map(|stats| stats.count), Some(3 * calls));
    let sizes = metrics.with_tags(&[("unit", "byte")]).get_timing("size");
    assert_eq!(sizes.map(|stats| stats.count), Some(2 * calls));
    assert_eq!(metrics.get_gauge("depth").map(|stats| stats.count), Some(2 * calls));

    try_global().expect("it is in use").increment("by.name");
    assert_eq!(counter("by.name", &[]), Some(1));

    // It cannot be replaced, and what was brought comes back whole.
    let other = MetricsCollector::builder().manual().build();
    other.increment("mine");
    let refused = set_global(other).expect_err("in use");
    assert!(refused.to_string().contains("already"), "{refused}");
    let mine = refused.into_collector().get_counter("mine");
    assert_eq!(mine.map(|stats| stats.value), Some(1));

    // Off, a static handle registers nothing.
    metrics.set_enabled(false);
    NEVER.with(Counter::increment);
    metrics.set_enabled(true);
    assert_eq!(counter("never.used", &[]), None);

    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    assert_eq!((report.aggregated, report.dropped), (18 * calls + 1, 0));
}
