//! Fault 5: more is recorded than the aggregator keeps up with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tachograph::{Gauge, MetricsCollector, Timing};

use crate::{SANITIZED, exact};

const THREADS: u64 = 4;
const RECORDS: u64 = if SANITIZED { 20_000 } else { 200_000 };

/// More timings than a lane has spill rows for from its start.
const SERIES: usize = 300;

/// Records to every series in turn, so that what has no room meets rows that are there, are not
/// there, and are made meanwhile.
fn record(timings: &[Timing], gauge: &Gauge) {
    for i in 0..RECORDS {
        timings[i as usize % SERIES].record_ns(i);
        gauge.set(i as f64);
    }
}

fn conserves_every_sample(passes: impl Fn(&MetricsCollector) + Sync) {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let timings: Vec<Timing> =
        (0..SERIES).map(|i| metrics.register_timing(&format!("t{i}"))).collect();
    let gauge = metrics.register_gauge("g");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let passing = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                passes(&metrics);
                std::thread::yield_now();
            }
        });
        let threads: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| record(&timings, &gauge))).collect();
        let ends: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        done.store(true, Ordering::Relaxed);
        passing.join().expect("no panic");
        ends.into_iter().for_each(|end| end.expect("no panic"));
    });
    check(&metrics);
}

/// Each series: recorded = aggregated + dropped, and where nothing was dropped the sum, too.
fn check(metrics: &MetricsCollector) {
    let snapshot = metrics.get_all_metrics();
    let (mut aggregated, mut lost) = (0, 0);
    for i in 0..SERIES {
        let series = snapshot.find(&format!("t{i}"), &[]).expect("registered");
        let stats = series.value.as_timing().map(|views| views.lifetime.clone());
        let (count, sum) = exact(stats);
        let values = (i as u64..RECORDS).step_by(SERIES);
        assert_eq!(count + series.dropped, THREADS * values.clone().count() as u64, "t{i}");
        if series.dropped == 0 {
            assert_eq!(sum, u128::from(THREADS) * values.map(u128::from).sum::<u128>(), "t{i}");
        }
        (aggregated, lost) = (aggregated + count, lost + series.dropped);
    }
    let gauge = snapshot.find("g", &[]).expect("registered");
    let levels = gauge.value.as_gauge().map_or(0, |views| views.lifetime.count);
    assert_eq!(levels + gauge.dropped, THREADS * RECORDS);
    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, 2 * THREADS * RECORDS);
    assert_eq!(report.aggregated, aggregated + levels);
    assert_eq!(report.dropped, lost + gauge.dropped);
}

#[test]
fn fault_5_overload_without_a_single_pass_conserves_every_sample() {
    conserves_every_sample(|_| {});
}

#[test]
fn fault_5_overload_of_a_slow_aggregator_conserves_every_sample() {
    conserves_every_sample(|metrics| {
        metrics.get_timing("t7");
        std::thread::sleep(Duration::from_millis(3));
    });
}

#[test]
fn fault_5_overload_beside_passes_at_full_speed_conserves_every_sample() {
    conserves_every_sample(|metrics| drop(metrics.get_all_metrics()));
}
