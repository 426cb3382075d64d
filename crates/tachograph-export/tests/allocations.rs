//! Counts allocations per payload. A separate test binary because it replaces the allocator.

use std::alloc::System;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tachograph::{MetricsCollector, Snapshot, Trace};
use tachograph_export::otlp::{Encoding, Settings};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// This many counters and as many traced timings, either all of a few metrics or each of its own.
fn snapshot(series: u64, is_tagged: bool) -> Arc<Snapshot> {
    let metrics = MetricsCollector::builder().manual().build();
    for i in 0..series {
        let id = i.to_string();
        let tags = [("id", id.as_str()), ("kind", "any")];
        let (counter, timing) = match is_tagged {
            true => ("packets".to_owned(), "turn".to_owned()),
            false => (format!("packets.{i}"), format!("turn.{i}")),
        };
        let tagged = metrics.with_tags(&tags[..2 * usize::from(is_tagged)]);
        tagged.increment(&counter);
        let trace = Trace::new([1; 16], [2; 8]).expect("not zero");
        for sample in 1..50 {
            tagged.register_timing(&timing).record_ns_traced(sample * sample * i, trace);
        }
    }
    metrics.run_pass(Instant::now(), SystemTime::now());
    metrics.get_all_metrics()
}

/// The number of allocations for a payload, after the encoder has written one.
fn allocations(encoding: Encoding, snapshot: &Snapshot) -> usize {
    let mut encoder = Settings::new("test").encoding(encoding).encoder();
    let mut payload = Vec::new();
    let points = encoder.encode(snapshot, &mut payload);
    payload.clear();
    let region = Region::new(ALLOCATOR);
    assert_eq!(encoder.encode(snapshot, &mut payload), points);
    let change = region.change();
    change.allocations + change.reallocations
}

#[test]
fn a_payload_costs_an_allocation_for_each_metric_and_none_for_each_series() {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        for is_tagged in [true, false] {
            let of = |series| allocations(encoding, &snapshot(series, is_tagged));
            let (few, many) = (of(100), of(1_000));
            let metrics = if is_tagged { 0 } else { 2 * 900 };
            // A vector ten times as long grows a few more times.
            let allowed = few + metrics + 40;
            assert!(many <= allowed, "{encoding:?}: {many} for 1,000 series, {few} for 100");
        }
    }
}
