//! Static handles and the process's collector, after the first use; in one test, since all share
//! one collector.

use std::time::Duration;

use tachograph::{LazyCounter, LazyGauge, LazyHistogram, LazyTiming, LazyUpDownCounter, global};

use crate::{count, exact, level, nonblocking};

static EVENTS: LazyCounter = LazyCounter::new("static.events");
static OPEN: LazyUpDownCounter = LazyUpDownCounter::new("static.open");
static LATENCY: LazyTiming = LazyTiming::new("static.latency");
static SIZE: LazyHistogram = LazyHistogram::with_tags("static.size", &[("a", "b")]);
static DEPTH: LazyGauge = LazyGauge::new("static.depth");

fn record(i: u64) {
    EVENTS.increment();
    EVENTS.increment_by(i);
    OPEN.increment();
    OPEN.decrement();
    OPEN.increment_by(2);
    LATENCY.record_ns(i);
    LATENCY.record(Duration::from_nanos(i));
    drop(LATENCY.start());
    SIZE.record(i);
    DEPTH.set(i as f64);
    DEPTH.add(1.0);
    global().increment("by.name");
}

#[test]
fn every_kind_by_static_handle() {
    record(0);
    nonblocking(|| (0..100).for_each(record));
    let metrics = global();
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
