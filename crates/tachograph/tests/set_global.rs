//! A collector that a program makes the process's own. A test of its own process.
#![cfg(feature = "record")]

use tachograph::{Counter, Lazy, MetricsCollector, global, increment, now, set_global, try_global};

static EVENTS: Lazy<Counter> = Lazy::new("events");

#[test]
fn nothing_is_recorded_before_a_collector_is_set_and_everything_after() {
    let record = || {
        EVENTS.with(Counter::increment);
        increment!("events");
    };
    let mut computed = 0;
    let mut amount = || {
        computed += 1;
        computed
    };
    record();
    increment!("amounts", amount());
    assert!(try_global().is_none() && now().is_none(), "none is made");
    let metrics = MetricsCollector::builder().manual().build();
    set_global(metrics.clone()).expect("the first one");
    assert!(metrics.get_counter("events").is_none());
    record();
    increment!("amounts", amount());
    global().increment("events");
    assert_eq!(metrics.get_counter("events").map(|stats| stats.value), Some(3));
    assert_eq!(metrics.get_counter("amounts").map(|stats| stats.value), Some(1), "once computed");
    assert!(!now().is_none());
    assert!(set_global(metrics).is_err(), "once");
}
