//! Allocations of macros. A test of its own process, for its allocator.

use std::alloc::System;

use metrics::{counter, gauge, histogram, with_local_recorder};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tachograph::MetricsCollector;
use tachograph_metrics::TachographRecorder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_macro_allocates_nothing_after_a_threads_first_use() {
    let collector = MetricsCollector::builder().manual().build();
    let recorder = TachographRecorder::new(collector);
    let all = || {
        counter!("requests", "route" => "/").increment(1);
        counter!("mirrored").absolute(7);
        gauge!("load").set(0.5);
        gauge!("load").increment(0.5);
        histogram!("latency").record(0.001);
        histogram!("latency").record(f64::NAN);
    };
    with_local_recorder(&recorder, || {
        all();
        let round = |_| {
            let region = Region::new(ALLOCATOR);
            (0..100).for_each(|_| all());
            region.change().allocations
        };
        // The least of some rounds: the test harness's thread may allocate in between.
        assert_eq!((0..5).map(round).min(), Some(0));
    });
}
