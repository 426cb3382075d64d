//! By name, with and without tags, after the thread's first use of each series.

use std::time::Duration;

use crate::{count, exact, level, manual, nonblocking};

#[test]
fn a_counter_by_name() {
    let metrics = manual();
    let record = || {
        metrics.increment("c");
        metrics.increment_by("c", 3);
    };
    record();
    nonblocking(|| (0..100).for_each(|_| record()));
    assert_eq!(count(&metrics, "c"), 404);
}

#[test]
fn an_up_down_counter_by_name_and_a_monotonic_one_that_is_decremented() {
    let metrics = manual();
    metrics.increment_by("total", 10_000);
    let record = || {
        metrics.decrement("level");
        metrics.decrement_by("level", 3);
        metrics.increment("level");
        metrics.decrement("total");
    };
    record();
    nonblocking(|| (0..100).for_each(|_| record()));
    assert_eq!((count(&metrics, "level"), count(&metrics, "total")), (-303, 9_899));
    assert_eq!(count(&metrics, "telemetry.monotonic_decrements"), 101);
}

#[test]
fn a_timing_and_a_histogram_by_name() {
    let metrics = manual();
    let record = |i| {
        metrics.timing("t", Duration::from_nanos(i));
        metrics.histogram("h", i);
    };
    record(0);
    nonblocking(|| (0..100).for_each(record));
    assert_eq!(exact(metrics.get_timing("t")), (101, 4_950));
    assert_eq!(exact(metrics.get_timing("h")), (101, 4_950));
}

#[test]
fn a_gauge_by_name() {
    let metrics = manual();
    metrics.gauge("g", -1.0);
    nonblocking(|| (0..100).for_each(|i| metrics.gauge("g", f64::from(i))));
    assert_eq!(level(metrics.get_gauge("g")), (Some(99.0), Some(99.0), 101));
}

#[test]
fn every_kind_with_tags() {
    let metrics = manual();
    let tags = [("handler", "track"), ("event_type", "/live/track/renamed")];
    let record = |i: u64| {
        // Made anew each time, as a loop does whose tags change.
        let tagged = metrics.with_tags(&tags);
        tagged.increment("c");
        tagged.increment_by("c", i);
        tagged.decrement("l");
        tagged.decrement_by("l", i);
        tagged.timing("t", Duration::from_nanos(i));
        tagged.histogram("h", i);
        tagged.gauge("g", i as f64);
    };
    record(0);
    nonblocking(|| (0..100).for_each(record));
    let value = |name: &str| metrics.with_tags(&tags).get_counter(name).map(|stats| stats.value);
    assert_eq!((value("c"), value("l")), (Some(101 + 4_950), Some(-101 - 4_950)));
    let tagged = metrics.with_tags(&tags);
    assert_eq!(exact(tagged.get_timing("t")), (101, 4_950));
    assert_eq!(exact(tagged.get_timing("h")), (101, 4_950));
    assert_eq!(level(tagged.get_gauge("g")), (Some(99.0), Some(99.0), 101));
}

#[test]
fn names_that_were_reset_in_between() {
    let metrics = manual();
    let record = || {
        metrics.increment("c");
        metrics.timing("t", Duration::from_nanos(5));
        metrics.gauge("g", 1.0);
    };
    record();
    metrics.reset();
    nonblocking(|| (0..100).for_each(|_| record()));
    assert_eq!(count(&metrics, "c"), 100);
    assert_eq!(exact(metrics.get_timing("t")), (100, 500));
    assert_eq!(level(metrics.get_gauge("g")), (Some(1.0), Some(1.0), 100));
}

#[test]
fn a_threads_second_collector_by_name() {
    let (first, metrics) = (manual(), manual());
    first.increment("x");
    let tags = [("a", "b")];
    let record = || {
        metrics.increment("c");
        metrics.with_tags(&tags).timing("t", Duration::from_nanos(5));
    };
    record();
    nonblocking(|| (0..100).for_each(|_| record()));
    assert_eq!(count(&metrics, "c"), 101);
    assert_eq!(exact(metrics.with_tags(&tags).get_timing("t")), (101, 505));
}
