//! What is not recorded: off, after the end, misuse. Each is counted, or is nothing at all.

use std::time::Duration;

use tachograph::{Counter, DropReason, Gauge, Histogram, MetricsCollector, Recorder, Timing};

use crate::{count, dropped, exact, level, manual, nonblocking};

struct Everything {
    metrics: MetricsCollector,
    counter: Counter,
    timing: Timing,
    size: Histogram,
    gauge: Gauge,
    recorder: Recorder,
}

/// Samples that one call of [`Everything::record`] makes, the 3 by timers among them.
const SAMPLES: i128 = 17;

impl Everything {
    fn new() -> Self {
        let metrics = manual();
        Self {
            counter: metrics.register_counter("c"),
            timing: metrics.register_timing("t"),
            size: metrics.register_histogram("h"),
            gauge: metrics.register_gauge("g"),
            recorder: metrics.recorder(),
            metrics,
        }
    }

    fn record(&self) {
        let Self { metrics, counter, timing, size, gauge, recorder } = self;
        counter.increment();
        timing.record_ns(1);
        size.record(1);
        gauge.set(1.0);
        gauge.add(1.0);
        recorder.increment(counter);
        recorder.record_ns(timing, 1);
        recorder.record(size, 1);
        recorder.set(gauge, 1.0);
        metrics.increment("c");
        metrics.timing("t", Duration::from_nanos(1));
        metrics.histogram("h", 1);
        metrics.gauge("g", 1.0);
        metrics.with_tags(&[("a", "b")]).increment("c");
        drop((timing.start(), recorder.start(timing), metrics.timer("t")));
    }
}

#[test]
fn recording_while_it_is_off() {
    let all = Everything::new();
    all.record();
    all.metrics.set_enabled(false);
    nonblocking(|| {
        all.record();
        // Names that nobody knows: off, nothing is asked for.
        all.metrics.increment("new");
        all.metrics.with_tags(&[("new", "too")]).timing("new.timing", Duration::from_nanos(1));
        drop(all.metrics.timer("new.timer"));
    });
    all.metrics.set_enabled(true);
    assert_eq!(count(&all.metrics, "telemetry.recorded"), SAMPLES);
    nonblocking(|| all.record());
    assert_eq!(count(&all.metrics, "telemetry.recorded"), 2 * SAMPLES);
    assert_eq!(count(&all.metrics, "telemetry.aggregated"), 2 * SAMPLES);
}

#[test]
fn recording_after_shutdown() {
    let all = Everything::new();
    all.record();
    all.metrics.shutdown(Duration::from_secs(10));
    nonblocking(|| all.record());
    assert_eq!(dropped(&all.metrics, DropReason::Shutdown), SAMPLES);
    assert_eq!(count(&all.metrics, "telemetry.recorded"), 2 * SAMPLES);
}

#[test]
fn a_handle_of_another_collector() {
    let (ours, theirs) = (manual(), manual());
    let (counter, timing) = (theirs.register_counter("c"), theirs.register_timing("t"));
    let gauge = theirs.register_gauge("g");
    let recorder = ours.recorder();
    nonblocking(|| {
        recorder.increment(&counter);
        recorder.record_ns(&timing, 1);
        recorder.set(&gauge, 1.0);
    });
    assert_eq!(dropped(&ours, DropReason::ForeignHandle), 3);
    assert_eq!(count(&theirs, "telemetry.recorded"), 0);
}

#[test]
fn not_a_number() {
    let metrics = manual();
    let gauge = metrics.register_gauge("g");
    let record = |value| {
        gauge.set(value);
        gauge.add(value);
        metrics.gauge("g", value);
    };
    record(1.0);
    nonblocking(|| (0..100).for_each(|_| record(f64::NAN)));
    assert_eq!(dropped(&metrics, DropReason::NotANumber), 300);
    assert_eq!(level(metrics.get_gauge("g")), (Some(1.0), Some(2.0), 3));
}

#[test]
fn another_kind_under_a_name_after_the_first() {
    let metrics = manual();
    let handle = metrics.register_timing("t");
    metrics.increment("c");
    let record = || {
        metrics.gauge("c", 1.0);
        metrics.timing("c", Duration::from_nanos(1));
        metrics.increment("t");
        handle.record_ns(1);
    };
    record();
    nonblocking(|| (0..100).for_each(|_| record()));
    assert_eq!(dropped(&metrics, DropReason::KindConflict), 303);
    assert_eq!((count(&metrics, "c"), exact(metrics.get_timing("t")).0), (1, 101));
}

#[test]
fn a_refused_handle() {
    let metrics = manual();
    metrics.increment("c");
    let refused = metrics.register_gauge("c");
    refused.set(1.0);
    nonblocking(|| (0..100).for_each(|_| refused.set(1.0)));
    assert_eq!(dropped(&metrics, DropReason::KindConflict), 101);
}

#[test]
fn a_metric_beyond_the_limit_by_handle() {
    let metrics = MetricsCollector::builder().manual().max_metrics(1).build();
    metrics.increment("c");
    let refused = metrics.register_timing("t");
    refused.record_ns(1);
    nonblocking(|| (0..10_000).for_each(|_| refused.record_ns(1)));
    assert_eq!(dropped(&metrics, DropReason::SeriesLimit), 10_001);
}

#[test]
fn a_thread_beyond_the_lanes() {
    let metrics = MetricsCollector::builder().manual().max_lanes(1).build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    counter.increment();
    let record = || {
        counter.increment();
        timing.record_ns(1);
        metrics.increment("c");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            record();
            nonblocking(|| (0..100).for_each(|_| record()));
        });
    });
    assert_eq!(dropped(&metrics, DropReason::NoLane), 303);
}
