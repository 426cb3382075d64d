//! A collector that a program makes the process's own. A test of its own process.
#![cfg(feature = "record")]

use tachograph::{LazyCounter, MetricsCollector, global, set_global};

static EVENTS: LazyCounter = LazyCounter::new("events");

#[test]
fn static_handles_record_into_the_collector_that_was_set() {
    let metrics = MetricsCollector::builder().manual().build();
    set_global(metrics.clone()).expect("the first one");
    EVENTS.increment();
    global().increment("events");
    assert_eq!(metrics.get_counter("events").map(|stats| stats.value), Some(2));
    assert!(set_global(metrics).is_err(), "once");
}
