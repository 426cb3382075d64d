//! Samples that carry a trace, by every way, with room for it and without.

use std::cell::Cell;
use std::time::Duration;

use tachograph::{DropReason, Histogram, MetricsCollector, Recorder, Timing, Trace};

use crate::{count, dropped, exact, manual, nonblocking};

fn trace(number: u64) -> Trace {
    Trace::new(u128::from(number).to_be_bytes(), number.to_be_bytes()).expect("not all zero")
}

thread_local!(static CURRENT: Cell<Option<Trace>> = const { Cell::new(None) });

struct Everything {
    metrics: MetricsCollector,
    timing: Timing,
    size: Histogram,
    recorder: Recorder,
}

/// Samples that one call of [`Everything::record`] makes of each of both handles' series.
const OF_EACH: u64 = 9;

impl Everything {
    fn of(metrics: MetricsCollector) -> Self {
        let (timing, size) = (metrics.register_timing("t"), metrics.register_histogram("h"));
        Self { recorder: metrics.recorder(), timing, size, metrics }
    }

    /// Whose collector knows the trace that a thread is in.
    fn new() -> Self {
        Self::of(MetricsCollector::builder().manual().current_trace(|| CURRENT.get()).build())
    }

    /// Everything that takes a value, three ways for each handle.
    fn values(&self, number: u64) {
        let Self { metrics, timing, size, recorder } = self;
        let (trace, duration) = (trace(number), Duration::from_nanos(number));
        timing.record_traced(duration, trace);
        timing.record_ns_traced(number, trace);
        timing.record_in_span(duration);
        recorder.record_ns_traced(timing, number, trace);
        recorder.record_traced(timing, duration, trace);
        metrics.timing_traced("t", duration, trace);
        (0..3).for_each(|_| size.record_traced(number, trace));
        size.record_in_span(number);
        (0..4).for_each(|_| recorder.record_traced(size, number, trace));
        metrics.histogram_traced("h", number, trace);
        metrics.with_tags(&[("a", "b")]).timing_traced("t", duration, trace);
    }

    /// Timers of each sort: dropped, stopped, discarded.
    fn timers(&self, number: u64) {
        let Self { metrics, timing, recorder, .. } = self;
        let trace = trace(number);
        drop(timing.start().with_trace(trace));
        recorder.start(timing).stop_traced(trace);
        drop(metrics.timer("t").in_span());
        timing.start().with_trace(trace).discard();
    }

    fn record(&self, number: u64) {
        self.values(number);
        self.timers(number);
    }

    fn counts(&self) -> [u64; 2] {
        ["t", "h"].map(|name| exact(self.metrics.get_timing(name)).0)
    }

    /// The trace of the greatest sample of the histogram.
    fn exemplar(&self) -> Option<Trace> {
        let snapshot = self.metrics.get_all_metrics();
        let series = snapshot.find("h", &[]).expect("registered");
        series.exemplar.as_ref().map(|exemplar| exemplar.trace)
    }
}

#[test]
fn every_way_by_handle_recorder_name_and_timer() {
    let all = Everything::new();
    all.record(1);
    CURRENT.set(Some(trace(7)));
    nonblocking(|| (2..=20).for_each(|number| all.record(number)));
    CURRENT.set(None);
    assert_eq!(all.counts(), [OF_EACH * 20; 2]);
    // Of equal ones the first, which came before that of the span.
    assert_eq!(all.exemplar(), Some(trace(20)));
    assert_eq!(count(&all.metrics, "telemetry.exemplars_dropped"), 0);
}

#[test]
fn outside_a_span_the_sample_alone() {
    let metrics = manual();
    let size = metrics.register_histogram("h");
    size.record(0);
    nonblocking(|| (0..100).for_each(|i| size.record_in_span(i)));
    assert_eq!(exact(metrics.get_timing("h")), (101, 4_950));
}

#[test]
fn a_handle_that_the_thread_meets_only_now_and_a_recorder_from_its_first_sample() {
    let metrics = manual();
    let (known, new) = (metrics.register_counter("known"), metrics.register_timing("new"));
    let recorder = metrics.recorder();
    known.increment();
    nonblocking(|| {
        (1..=100).for_each(|i| new.record_ns_traced(i, trace(i)));
        (1..=100).for_each(|i| recorder.record_ns_traced(&new, i, trace(i)));
    });
    assert_eq!(exact(metrics.get_timing("new")), (200, 10_100));
}

#[test]
fn a_threads_second_collector() {
    let (first, second) = (manual(), Everything::new());
    first.increment("x");
    second.record(1);
    nonblocking(|| (2..=20).for_each(|number| second.record(number)));
    assert_eq!(second.counts(), [OF_EACH * 20; 2]);
}

#[test]
fn blocks_that_fill_up_and_come_back() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(8, 8).build();
    let size = metrics.register_histogram("h");
    size.record(0);
    for round in 1..=10 {
        // Of 512 slots in a block two are left over; plain ones between them shift that.
        nonblocking(|| {
            for i in 1..=1_000 {
                size.record_traced(i, trace(i));
                if i % 7 == 0 {
                    size.record(i);
                }
            }
        });
        assert_eq!(exact(metrics.get_timing("h")).0, 1 + 1_142 * round);
    }
    assert_eq!(count(&metrics, "telemetry.exemplars_dropped"), 0);
    assert_eq!(count(&metrics, "telemetry.coalesced"), 0);
}

#[test]
fn no_free_block_and_a_spill_row() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let all = Everything::of(metrics);
    all.values(1);
    nonblocking(|| (2..=1_000).for_each(|number| all.values(number)));
    // What timers add, apart.
    assert_eq!(all.counts(), [6_000, 9_000]);
    assert!(count(&all.metrics, "telemetry.coalesced") > 8_000);
    let dropped_traces = count(&all.metrics, "telemetry.exemplars_dropped");
    assert!(dropped_traces > 8_000, "{dropped_traces}");
    assert_eq!(dropped(&all.metrics, DropReason::Overload), 0);
}

#[test]
fn off_and_after_the_end() {
    let all = Everything::new();
    all.record(1);
    all.metrics.set_enabled(false);
    nonblocking(|| {
        (2..=20).for_each(|number| all.record(number));
        all.metrics.timing_traced("new", Duration::from_nanos(1), trace(1));
    });
    all.metrics.set_enabled(true);
    assert_eq!(all.counts(), [OF_EACH; 2]);
    all.metrics.shutdown(Duration::from_secs(10));
    nonblocking(|| all.values(2));
    // The values of both handles, and the tagged one.
    assert_eq!(dropped(&all.metrics, DropReason::Shutdown), 6 + 9 + 1);
}

#[test]
fn a_conflicting_name_a_refused_handle_another_collectors_handle() {
    let (metrics, theirs) = (manual(), manual());
    metrics.increment("c");
    let (refused, foreign) = (metrics.register_timing("c"), theirs.register_timing("t"));
    let recorder = metrics.recorder();
    let record = || {
        refused.record_ns_traced(1, trace(1));
        metrics.timing_traced("c", Duration::from_nanos(1), trace(1));
        metrics.histogram_traced("c", 1, trace(1));
        drop(metrics.timer("c"));
        metrics.timer("c").stop_traced(trace(1));
        recorder.record_ns_traced(&foreign, 1, trace(1));
    };
    record();
    nonblocking(|| (0..100).for_each(|_| record()));
    assert_eq!(dropped(&metrics, DropReason::KindConflict), 5 * 101);
    assert_eq!(dropped(&metrics, DropReason::ForeignHandle), 101);
    assert_eq!(count(&metrics, "c"), 1);
}
