//! Threads that come and go. A test of its own process: it reads the resident memory.

use std::thread;

use tachograph::MetricsCollector;

const SAMPLES: u64 = 10;

/// Resident memory in KiB, where the system tells.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn record(metrics: &MetricsCollector, latency: &tachograph::Timing) {
    for i in 0..SAMPLES / 2 {
        metrics.increment("events");
        latency.record_ns(i);
    }
}

#[test]
fn a_hundred_thousand_threads_lose_nothing_and_leave_memory_flat() {
    let metrics = MetricsCollector::new();
    let latency = metrics.register_timing("latency");
    let mut after_first = None;
    for i in 0..50_000 {
        thread::scope(|scope| scope.spawn(|| record(&metrics, &latency)).join()).expect("no panic");
        if i == 10_000 {
            after_first = resident_kib();
        }
    }
    for _ in 0..50_000 / 8 {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| record(&metrics, &latency));
            }
        });
    }
    let threads = 100_000u64;
    let events = metrics.get_counter("events").map(|stats| stats.value);
    assert_eq!(events, Some(i128::from(threads * SAMPLES / 2)));
    let stats = metrics.get_timing("latency").expect("registered");
    assert_eq!(
        (stats.count, stats.buckets().sum()),
        (threads * SAMPLES / 2, u128::from(threads) * 10)
    );
    let lanes = metrics.get_gauge("telemetry.lanes").and_then(|gauge| gauge.max);
    assert!(lanes <= Some(20.0), "lanes follow the live threads: {lanes:?}");
    if let (Some(before), Some(after)) = (after_first, resident_kib()) {
        // Up to 8 threads' lanes more than one thread's, and what the allocator keeps of stacks.
        assert!(after <= before + 4 * 1_024, "resident memory grew from {before} to {after} KiB");
    }
}
