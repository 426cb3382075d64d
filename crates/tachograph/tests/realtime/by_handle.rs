//! By handle after the thread's first record, and by a recorder from its first.

use std::time::Duration;

use crate::{count, exact, level, manual, nonblocking};

const ROUNDS: u64 = 100;

#[test]
fn a_counter_by_handle() {
    let metrics = manual();
    let counter = metrics.register_counter("c");
    counter.increment();
    nonblocking(|| {
        for i in 0..ROUNDS {
            counter.increment();
            counter.increment_by(i);
        }
    });
    assert_eq!(count(&metrics, "c"), 1 + 100 + 4_950);
}

#[test]
fn an_up_down_counter_by_handle() {
    let metrics = manual();
    let level = metrics.register_up_down_counter("l");
    level.increment();
    nonblocking(|| {
        for i in 0..ROUNDS {
            level.increment();
            level.decrement();
            level.increment_by(2);
            level.decrement_by(i);
        }
    });
    assert_eq!(count(&metrics, "l"), 1 + 200 - 4_950);
}

#[test]
fn a_timing_by_handle() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    timing.record_ns(0);
    nonblocking(|| {
        for i in 0..ROUNDS {
            timing.record_ns(i);
            timing.record(Duration::from_nanos(i));
            timing.record(Duration::from_secs(2 * 3_600));
        }
    });
    let hours = 100 * 7_200_000_000_000;
    assert_eq!(exact(metrics.get_timing("t")), (301, 2 * 4_950 + hours));
}

#[test]
fn a_histogram_by_handle() {
    let metrics = manual();
    let size = metrics.register_histogram("h");
    size.record(0);
    nonblocking(|| (0..ROUNDS).for_each(|i| size.record(i)));
    assert_eq!(exact(metrics.get_timing("h")), (101, 4_950));
}

#[test]
fn a_gauge_by_handle_set_and_added_to() {
    let metrics = manual();
    let gauge = metrics.register_gauge("g");
    gauge.set(0.0);
    nonblocking(|| {
        for i in 0..ROUNDS {
            gauge.set(i as f64);
            gauge.add(7.0);
        }
    });
    assert_eq!(level(metrics.get_gauge("g")), (Some(106.0), Some(106.0), 201));
}

#[test]
fn a_handle_with_tags() {
    let metrics = manual();
    let tags = [("event_type", "/live/track/renamed")];
    let timing = metrics.with_tags(&tags).register_timing("t");
    timing.record_ns(0);
    nonblocking(|| (0..ROUNDS).for_each(|i| timing.record_ns(i)));
    assert_eq!(exact(metrics.with_tags(&tags).get_timing("t")), (101, 4_950));
}

#[test]
fn a_handle_that_the_thread_meets_only_now() {
    let metrics = manual();
    let (known, new) = (metrics.register_counter("known"), metrics.register_timing("new"));
    known.increment();
    nonblocking(|| (0..ROUNDS).for_each(|i| new.record_ns(i)));
    assert_eq!(exact(metrics.get_timing("new")), (100, 4_950));
}

#[test]
fn every_kind_by_recorder_from_the_first_sample() {
    let metrics = manual();
    let (counter, up_down) = (metrics.register_counter("c"), metrics.register_up_down_counter("l"));
    let (timing, size) = (metrics.register_timing("t"), metrics.register_histogram("h"));
    let gauge = metrics.register_gauge("g");
    let recorder = metrics.recorder();
    nonblocking(|| {
        for i in 0..ROUNDS {
            recorder.increment(&counter);
            recorder.increment_by(&counter, i);
            recorder.increment(&up_down);
            recorder.decrement(&up_down);
            recorder.decrement_by(&up_down, 3);
            recorder.record_ns(&timing, i);
            recorder.record(&timing, Duration::from_nanos(i));
            recorder.record(&size, i);
            recorder.set(&gauge, i as f64);
            recorder.add(&gauge, 0.0);
        }
    });
    assert_eq!((count(&metrics, "c"), count(&metrics, "l")), (5_050, -300));
    assert_eq!(exact(metrics.get_timing("t")), (200, 9_900));
    assert_eq!(exact(metrics.get_timing("h")), (100, 4_950));
    assert_eq!(level(metrics.get_gauge("g")), (Some(99.0), Some(99.0), 200));
}

#[test]
fn a_threads_second_collector_by_handle() {
    let (first, metrics) = (manual(), manual());
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    first.increment("x");
    counter.increment();
    nonblocking(|| {
        for i in 0..ROUNDS {
            counter.increment();
            timing.record_ns(i);
        }
    });
    assert_eq!(count(&metrics, "c"), 101);
    assert_eq!(exact(metrics.get_timing("t")), (100, 4_950));
}

#[test]
fn a_counter_from_a_signal_handler_even_on_a_thread_that_never_recorded() {
    let metrics = manual();
    let counter = metrics.register_counter("c");
    nonblocking(|| (0..100).for_each(|_| counter.increment_from_signal()));
    assert_eq!(count(&metrics, "c"), 100);
}
