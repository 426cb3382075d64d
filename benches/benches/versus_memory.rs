//! How many bytes does a series take in other libraries? Counts requests to the allocator.

use std::alloc::System;
use std::any::Any;
use std::time::{Instant, SystemTime};

use benches::{Table, durations, rivals};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tachograph::MetricsCollector;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SERIES: usize = 1_000;

/// Bytes per series that `make` requested and that are still held.
fn each(make: impl Fn() -> Box<dyn Any>) -> f64 {
    let held = || {
        let stats = ALLOCATOR.stats();
        stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
    };
    let before = held();
    let kept = make();
    let bytes = held() - before;
    drop(kept);
    bytes / SERIES as f64
}

fn pass(metrics: &MetricsCollector) {
    metrics.run_pass(Instant::now(), SystemTime::now());
}

fn our_counters(names: &[String]) -> Box<dyn Any> {
    let metrics = MetricsCollector::builder().manual().build();
    for name in names {
        metrics.with_tags(&[("i", name)]).register_counter("counter").increment();
    }
    (0..4).for_each(|_| pass(&metrics));
    Box::new(metrics)
}

fn our_timings(names: &[String], samples: &[u64]) -> Box<dyn Any> {
    let metrics = MetricsCollector::builder().manual().build();
    for name in names {
        let timing = metrics.with_tags(&[("i", name)]).register_timing("timing");
        samples.iter().for_each(|&nanos| timing.record_ns(nanos));
        pass(&metrics);
    }
    (0..4).for_each(|_| pass(&metrics));
    Box::new(metrics)
}

fn main() {
    let names: Vec<String> = (0..SERIES).map(|i| i.to_string()).collect();
    let samples = durations(1_000);
    let title =
        format!("Against other libraries, bytes a series, of {SERIES}; everything included");
    let header = ["library", "counter", "timing", "verdict", "what it keeps"];
    let mut table = Table::new("versus-memory", title, &header);
    let ours = [each(|| our_counters(&names)), each(|| our_timings(&names, &samples))];
    table.row([
        "ours".into(),
        ours[0].into(),
        ours[1].into(),
        "".into(),
        "both views, the last snapshot, collector and lane; within 0.05 %, of samples that overload coalesced within 3.2 %".into(),
    ]);
    let timings = rivals::timing_sizes();
    let counters = rivals::counter_sizes();
    let mut libraries: Vec<_> = counters.iter().chain(&timings).map(|(name, _)| *name).collect();
    libraries.sort_unstable();
    libraries.dedup();
    for library in libraries {
        let bytes = |of: &rivals::Sizes| {
            let make = of.iter().find(|(name, _)| *name == library)?.1;
            Some(each(|| make(&names, &samples)))
        };
        let (counter, timing) = (bytes(&counters), bytes(&timings));
        let ratios = [counter.map(|bytes| bytes / ours[0]), timing.map(|bytes| bytes / ours[1])];
        let ratios: Vec<f64> = ratios.into_iter().flatten().collect();
        table.row([
            library.into(),
            counter.into(),
            timing.into(),
            rivals::verdict(&ratios).into(),
            rivals::kept(library).into(),
        ]);
    }
    table.print();
}
