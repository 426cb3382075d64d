//! Static handles, macros and the process's collector, after the first use; in one test, since all
//! share one collector.

use std::time::Duration;

use tachograph::{
    Counter, Gauge, Histogram, Lazy, Timing, UpDownCounter, gauge, global, increment, now, timing,
    try_global, up_down_counter,
};

use crate::{count, exact, level, nonblocking};

static EVENTS: Lazy<Counter> = Lazy::new("static.events");
static OPEN: Lazy<UpDownCounter> = Lazy::new("static.open");
static LATENCY: Lazy<Timing> = Lazy::new("static.latency");
static SIZE: Lazy<Histogram> = Lazy::with_tags("static.size", &[("a", "b")]);
static DEPTH: Lazy<Gauge> = Lazy::new("static.depth");

fn record(i: u64) {
    let start = now();
    EVENTS.with(Counter::increment);
    increment!("static.events", i);
    OPEN.with(|open| {
        open.increment();
        open.decrement();
        open.increment_by(2);
    });
    up_down_counter!("static.open", -1);
    up_down_counter!("static.open", 1);
    LATENCY.with(|latency| latency.record_ns(i));
    timing!("static.latency", Duration::from_nanos(i));
    timing!("static.latency", since start);
    SIZE.with(|size| size.record(i));
    gauge!("static.depth", i as f64);
    DEPTH.with(|depth| depth.add(1.0));
    if let Some(metrics) = try_global() {
        metrics.increment("by.name");
    }
}

#[test]
fn every_kind_by_static_handle() {
    nonblocking(|| (0..100).for_each(record));
    let metrics = global();
    record(0);
    nonblocking(|| (0..100).for_each(record));
    assert_eq!((count(metrics, "static.events"), count(metrics, "by.name")), (101 + 4_950, 101));
    assert_eq!(count(metrics, "static.open"), 202);
    assert_eq!(metrics.get_timing("static.latency").map(|stats| stats.count), Some(303));
    assert_eq!(exact(metrics.with_tags(&[("a", "b")]).get_timing("static.size")), (101, 4_950));
    assert_eq!(level(metrics.get_gauge("static.depth")), (Some(100.0), Some(100.0), 202));
    metrics.set_enabled(false);
    nonblocking(|| (0..100).for_each(record));
    metrics.set_enabled(true);
    assert_eq!(count(metrics, "by.name"), 101);
}
