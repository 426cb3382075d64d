//! Conservation and read-own-writes while many threads record, read and go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tachograph::{MetricsCollector, Snapshot, TimingStats, Value};

const THREADS: u64 = 8;
const RECORDS: u64 = 1_000_000;

/// Tells the readers to end when the recorders have, even by a failed assertion.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn count(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).map_or(0, |stats| stats.value)
}

/// Samples that a snapshot knows of.
fn samples(snapshot: &Snapshot) -> i128 {
    let recorded = snapshot.find("telemetry.recorded", &[]);
    let views = recorded.and_then(|series| series.value.as_counter());
    views.map_or(0, |views| views.lifetime.value)
}

fn exact(stats: Option<TimingStats>) -> (u64, u128) {
    stats.map_or((0, 0), |stats| (stats.count, stats.buckets().sum()))
}

/// One thread's share: records of every kind through every way there is, checking its own writes
/// now and then.
fn record_mixed(metrics: &MetricsCollector, thread: u64) {
    let (shared, timing) = (metrics.register_counter("shared"), metrics.register_timing("timing"));
    let gauge = metrics.register_gauge("gauge");
    let (level, name) = (metrics.register_up_down_counter("level"), thread.to_string());
    let own = [("thread", name.as_str())];
    let tagged = metrics.with_tags(&own);
    let (mut increments, mut values) = (0, (0u64, 0u128));
    for i in 0..RECORDS {
        match i % 8 {
            0 | 1 => shared.increment(),
            2 => shared.increment_by(i),
            3 => timing.record_ns(i * 37 % 5_000_000),
            4 => {
                tagged.increment("own");
                increments += 1;
            }
            5 => {
                tagged.histogram("own.size", i);
                values = (values.0 + 1, values.1 + u128::from(i));
            }
            6 => gauge.set(i as f64),
            _ => level.decrement_by(3),
        }
        if i % 100_000 == 99_999 {
            assert_eq!(tagged.get_counter("own").map(|stats| stats.value), Some(increments));
            assert_eq!(exact(tagged.get_timing("own.size")), values);
        }
    }
}

#[test]
fn eight_threads_record_exactly_while_others_read() {
    let metrics = MetricsCollector::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut version, mut recorded) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let snapshot = metrics.snapshot();
                assert!(snapshot.version() >= version, "versions only grow");
                version = snapshot.version();
                let now = samples(&snapshot);
                assert!(now >= recorded, "{recorded} samples were recorded, then {now}");
                assert!(now <= i128::from(THREADS * RECORDS), "{now} samples, more than there are");
                recorded = now;
                for views in snapshot.series().iter().filter_map(|s| s.value.as_timing()) {
                    let sum: u64 = views.lifetime.buckets().iter().map(|b| b.count).sum();
                    assert_eq!(sum, views.lifetime.count);
                }
                std::thread::yield_now();
            }
        });
        scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let now = count(&metrics, "shared");
                assert!(now >= last, "a counter never goes back");
                last = now;
                std::thread::yield_now();
            }
        });
        let _done = SetOnDrop(&done);
        std::thread::scope(|recorders| {
            for thread in 0..THREADS {
                let metrics = &metrics;
                recorders.spawn(move || record_mixed(metrics, thread));
            }
        });
    });
    check_totals(&metrics);
    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, THREADS * RECORDS);
    assert_eq!((report.aggregated, report.dropped), (THREADS * RECORDS, 0));
}

fn check_totals(metrics: &MetricsCollector) {
    let of = |kind: u64| (0..RECORDS).filter(move |i| i % 8 == kind);
    let eighth = RECORDS / 8;
    let threads = u128::from(THREADS);
    let increments = u128::from(2 * eighth) + of(2).map(u128::from).sum::<u128>();
    assert_eq!(count(metrics, "shared"), (threads * increments) as i128);
    assert_eq!(count(metrics, "level"), -((THREADS * eighth * 3) as i128));
    let timings: u128 = of(3).map(|i| u128::from(i * 37 % 5_000_000)).sum();
    assert_eq!(exact(metrics.get_timing("timing")), (THREADS * eighth, threads * timings));
    assert_eq!(metrics.get_gauge("gauge").map(|stats| stats.count), Some(THREADS * eighth));
    let snapshot = metrics.get_all_metrics();
    for series in snapshot.metric("own") {
        assert!(matches!(&series.value, Value::Counter(v) if v.lifetime.value == eighth.into()));
    }
    assert_eq!(snapshot.metric("own").count() as u64, THREADS);
    let sizes: u128 = of(5).map(u128::from).sum();
    for series in snapshot.metric("own.size") {
        let views = series.value.as_timing().map(|views| views.lifetime.clone());
        assert_eq!(exact(views), (eighth, sizes));
    }
    assert!(snapshot.series().iter().all(|series| series.dropped == 0));
}

#[test]
fn resets_and_switches_in_between_never_lose_track_of_a_sample() {
    let metrics = MetricsCollector::new();
    let timing = metrics.register_timing("t");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                metrics.reset();
                metrics.reset_counters();
                metrics.get_all_metrics();
            }
        });
        let _done = SetOnDrop(&done);
        let recorders: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for i in 0..100_000u64 {
                        timing.record_ns(i);
                        metrics.increment("c");
                    }
                })
            })
            .collect();
        recorders.into_iter().for_each(|thread| thread.join().expect("no panic"));
    });
    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, 800_000);
    assert_eq!(report.recorded, report.aggregated + report.dropped);
}

#[test]
fn series_that_appear_during_a_pass_lose_nothing() {
    let metrics = MetricsCollector::builder().series_per_metric(10_000).build();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    metrics.get_all_metrics();
                }
            });
        }
        let _done = SetOnDrop(&done);
        for id in 0..4_000 {
            let id = id.to_string();
            let tags = [("id", id.as_str())];
            let tagged = metrics.with_tags(&tags);
            tagged.increment("counted");
            tagged.gauge("level", 3.0);
            tagged.timing("timed", Duration::from_nanos(7));
        }
    });
    let snapshot = metrics.get_all_metrics();
    let counters = snapshot.metric("counted").filter_map(|series| series.value.as_counter());
    assert_eq!(counters.map(|views| views.lifetime.value).sum::<i128>(), 4_000);
    let levels = snapshot.metric("level").filter_map(|series| series.value.as_gauge());
    assert!(levels.map(|views| views.lifetime.current).all(|current| current == Some(3.0)));
    let timings = snapshot.metric("timed").filter_map(|series| series.value.as_timing());
    assert_eq!(timings.map(|views| views.lifetime.count).sum::<u64>(), 4_000);
}

#[test]
fn reads_beside_the_background_passes_are_no_clock_anomalies() {
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(1)).build();
    let version = metrics.snapshot().version();
    // Each read takes a time of its own, in turns with the passes.
    while metrics.snapshot().version() < version + 1_000 {
        metrics.get_counter("telemetry.passes");
    }
    assert_eq!(count(&metrics, "telemetry.clock.anomalies"), 0);
}
