//! Fault 1: threads that come and go. A test of its own process: it reads the resident memory.

mod common;

use std::thread;

use common::resident;
use tachograph::{MetricsCollector, Timing};

/// Sanitizers' memory and speed are their own.
const SANITIZED: bool = cfg!(any(tachograph_asan, tachograph_tsan));

/// Threads, unless the environment says otherwise: a million in docs/SOAK.md.
const THREADS: u64 = if SANITIZED { 4_000 } else { 100_000 };

/// Threads after which memory must be flat.
const FIRST: u64 = 10_000;

const SAMPLES: u64 = 10;

fn record(metrics: &MetricsCollector, latency: &Timing) {
    for i in 0..SAMPLES / 2 {
        metrics.increment("events");
        latency.record_ns(i);
    }
}

/// Lives of threads: half of them alone, the others eight at a time. Each ends with samples that
/// nobody has read.
fn live_and_end(threads: u64, metrics: &MetricsCollector, latency: &Timing) {
    for _ in 0..threads / 16 {
        for _ in 0..8 {
            thread::scope(|scope| {
                scope.spawn(|| record(metrics, latency)).join().expect("no panic");
            });
        }
        thread::scope(|scope| {
            let eight = [(); 8].map(|()| scope.spawn(|| record(metrics, latency)));
            eight.into_iter().for_each(|thread| thread.join().expect("no panic"));
        });
    }
}

#[test]
fn fault_1_short_lived_threads_lose_nothing_and_leave_memory_flat() {
    let all = std::env::var("TACHOGRAPH_THREADS").ok().and_then(|text| text.parse().ok());
    let all: u64 = all.unwrap_or(THREADS);
    // What grows for other reasons than threads is held still: a window fills for its first
    // minute, and a lane gets more blocks when the aggregator falls behind.
    let metrics = MetricsCollector::builder().no_window().lane_blocks(8, 8).build();
    let latency = metrics.register_timing("latency");
    let first = FIRST.min(all / 2);
    live_and_end(first, &metrics, &latency);
    let after_first = resident();
    live_and_end(all - first, &metrics, &latency);
    let after_all = resident();

    let threads = first / 16 * 16 + (all - first) / 16 * 16;
    let events = metrics.get_counter("events").map(|stats| stats.value);
    assert_eq!(events, Some(i128::from(threads * SAMPLES / 2)));
    let stats = metrics.get_timing("latency").expect("registered");
    assert_eq!(
        (stats.count, stats.buckets().sum()),
        (threads * SAMPLES / 2, u128::from(threads) * 10)
    );
    let lanes = metrics.get_gauge("telemetry.lanes").and_then(|gauge| gauge.max);
    assert!(lanes <= Some(8.0), "lanes follow the live threads: {lanes:?}");
    if let (Some(before), Some(after), false) = (after_first, after_all, SANITIZED) {
        assert!(after <= before + (1 << 20), "resident memory grew from {before} to {after} bytes");
    }
}
