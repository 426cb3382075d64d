//! Beyond the easy case: blocks that fill up, no free block, an aggregator at work.

use std::time::Duration;

use tachograph::{DropReason, MetricsCollector};

use crate::{count, dropped, exact, level, nonblocking};

/// Lanes of two blocks that never grow: 1,024 samples.
fn stalled() -> MetricsCollector {
    MetricsCollector::builder().manual().lane_blocks(2, 2).build()
}

#[test]
fn a_block_that_fills_up_and_the_next_one() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(4, 4).build();
    let timing = metrics.register_timing("t");
    timing.record_ns(0);
    // After a read the blocks are free again: the lane goes round several times.
    for round in 1..=10 {
        nonblocking(|| (0..1_200).for_each(|i| timing.record_ns(i)));
        let stats = metrics.get_timing("t").expect("registered");
        assert_eq!((stats.count, stats.buckets().coalesced()), (1 + 1_200 * round, 0));
    }
}

#[test]
fn no_free_block_and_a_spill_row() {
    let metrics = stalled();
    let timing = metrics.register_timing("t");
    let (size, gauge) = (metrics.register_histogram("h"), metrics.register_gauge("g"));
    timing.record_ns(0);
    nonblocking(|| {
        for i in 0..5_000 {
            timing.record_ns(i);
            size.record(i);
            gauge.set(i as f64);
            gauge.add(1.0);
        }
        timing.record(Duration::from_secs(2 * 3_600));
    });
    let stats = metrics.get_timing("t").expect("registered");
    assert!(stats.buckets().coalesced() > 4_000);
    assert_eq!(exact(Some(stats)), (5_002, 12_497_500 + 7_200_000_000_000));
    assert_eq!(exact(metrics.get_timing("h")), (5_000, 12_497_500));
    assert_eq!(level(metrics.get_gauge("g")), (Some(5_000.0), Some(5_000.0), 10_000));
    assert_eq!(dropped(&metrics, DropReason::Overload), 0);
}

#[test]
fn no_free_block_by_name() {
    let metrics = stalled();
    let record = |i| {
        metrics.timing("t", Duration::from_nanos(i));
        metrics.with_tags(&[("a", "b")]).gauge("g", i as f64);
    };
    record(0);
    nonblocking(|| (0..5_000).for_each(record));
    assert_eq!(exact(metrics.get_timing("t")), (5_001, 12_497_500));
    let gauge = metrics.with_tags(&[("a", "b")]).get_gauge("g");
    assert_eq!(level(gauge), (Some(4_999.0), Some(4_999.0), 5_001));
}

#[test]
fn no_free_block_and_no_spill_row() {
    let metrics = stalled();
    // More than a lane has rows for from its start, so the last ones are missing.
    let names: Vec<_> = (0..500).map(|i| (format!("t{i}"), format!("g{i}"))).collect();
    let handles: Vec<_> = names
        .iter()
        .map(|(t, g)| (metrics.register_timing(t), metrics.register_gauge(g)))
        .collect();
    handles[499].0.record_ns(0);
    nonblocking(|| {
        for i in 0..10 {
            for (timing, gauge) in &handles {
                timing.record_ns(i);
                gauge.set(1.0);
            }
        }
    });
    let aggregated =
        names.iter().map(|(t, g)| exact(metrics.get_timing(t)).0 + level(metrics.get_gauge(g)).2);
    let aggregated: u64 = aggregated.sum();
    let lost = dropped(&metrics, DropReason::Overload);
    assert!(lost > 5_000, "{lost}");
    assert_eq!(i128::from(aggregated) + lost, 10_001);
}

#[test]
fn a_counter_without_a_cell() {
    let metrics = stalled();
    let recorder = metrics.recorder();
    // By name on this thread's own lane, so that the other recorder's lane knows nothing of it.
    metrics.increment("c");
    let counter = metrics.register_counter("c");
    nonblocking(|| (0..100).for_each(|_| recorder.increment_by(&counter, 2)));
    assert_eq!(count(&metrics, "c"), 201);
}

#[test]
fn while_the_aggregator_and_readers_are_at_work() {
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(1)).build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    let gauge = metrics.register_gauge("g");
    let done = std::sync::atomic::AtomicBool::new(false);
    let load = std::sync::atomic::Ordering::Relaxed;
    let record = |i| {
        counter.increment();
        timing.record_ns(i);
        gauge.add(1.0);
        metrics.increment("by.name");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(load) {
                metrics.get_all_metrics();
                // New series, which installs cells and rows beside the recording thread.
                let version = metrics.snapshot().version().to_string();
                metrics.with_tags(&[("v", &version)]).register_timing("other").record_ns(1);
            }
        });
        record(0);
        nonblocking(|| (0..200_000).for_each(record));
        done.store(true, load);
    });
    assert_eq!((count(&metrics, "c"), count(&metrics, "by.name")), (200_001, 200_001));
    assert_eq!(exact(metrics.get_timing("t")), (200_001, 19_999_900_000));
    assert_eq!(level(metrics.get_gauge("g")), (Some(200_001.0), Some(200_001.0), 200_001));
}
