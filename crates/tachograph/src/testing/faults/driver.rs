//! The driver's thread panics, cannot start, or stalls.

use std::sync::mpsc;
use std::time::Duration;

use super::{SECOND, level, total};
use crate::limits::BLOCK_SAMPLES;
use crate::sync::fault::Plan;
use crate::{Clock, MetricsCollector, MockClock, Warning};

/// Waits for another thread; only a failure takes the whole minute.
fn eventually(what: &str, mut has_come: impl FnMut() -> bool) {
    let tries = 60_000;
    let come = (0..tries).any(|_| {
        let come = has_come();
        if !come {
            std::thread::sleep(Duration::from_millis(1));
        }
        come
    });
    assert!(come, "{what} never came");
}

#[test]
fn the_driver_survives_panics_of_its_passes_and_says_so() {
    let (plan, (told, warned)) = (Plan::default(), mpsc::channel());
    let installed = plan.install();
    plan.panic_at("pass: settled", 1);
    plan.panic_at("drain: a block is read", 1);
    let metrics = MetricsCollector::builder()
        .publish_every(Duration::from_millis(1))
        .on_warning(move |warning| drop(told.send(warning.clone())))
        .build();
    drop(installed);
    let latency = metrics.register_timing("latency");
    eventually("two panics", || {
        latency.record_ns(1);
        plan.panics() == 2
    });
    assert_eq!(warned.recv(), Ok(Warning::AggregatorPanicked));
    // By itself, without the help of a read.
    let after = metrics.snapshot().version();
    eventually("new snapshots", || metrics.snapshot().version() >= after + 3);
    let snapshot = metrics.get_all_metrics();
    assert_eq!(total(&snapshot, "telemetry.panics"), 2);
    let dropped = total(&snapshot, "telemetry.dropped");
    let (recorded, aggregated) =
        (total(&snapshot, "telemetry.recorded"), total(&snapshot, "telemetry.aggregated"));
    assert_eq!((recorded, dropped), (aggregated, 0));
}

#[test]
fn a_driver_that_cannot_start_is_reported_and_reads_still_drain() {
    let (plan, (told, warned)) = (Plan::default(), mpsc::channel());
    let installed = plan.install();
    plan.run_at("driver: spawn", || {});
    let metrics = MetricsCollector::builder()
        .publish_every(Duration::from_millis(1))
        .on_warning(move |warning| drop(told.send(warning.clone())))
        .build();
    drop(installed);
    let hits = metrics.register_counter("hits");
    (0..1_000).for_each(|_| hits.increment());
    assert_eq!(metrics.get_counter("hits").map(|stats| stats.value), Some(1_000));
    let warning = warned.try_recv().expect("the read has delivered it");
    assert!(matches!(&warning, Warning::DriverFailed { reason } if reason.contains("no thread")));
    assert!(warning.to_string().contains("`publish`"), "{warning}");
    // Switched on again, it starts and publishes by itself.
    metrics.set_enabled(true);
    let before = metrics.snapshot().version();
    eventually("new snapshots", || metrics.snapshot().version() >= before + 2);
    assert_eq!(total(&metrics.snapshot(), "hits"), 1_000);
}

/// A collector whose passes another thread makes, at the times of a mock clock.
fn stallable() -> (MetricsCollector, MockClock, Clock) {
    let (clock, hand) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 8).max_series(16);
    (metrics.max_metrics(16).clock(clock.clone()).build(), hand, clock)
}

#[test]
fn a_stall_of_a_minute_loses_nothing_and_takes_no_memory() {
    const SAMPLES: u64 = 100_000;
    let (metrics, hand, clock) = stallable();
    let latency = metrics.register_timing("latency");
    let hits = metrics.register_counter("hits");
    metrics.run_pass(clock.now(), clock.wall());
    let before = metrics.snapshot();
    let plan = Plan::default();
    std::thread::scope(|scope| {
        let (metrics, clock, plan) = (&metrics, &clock, &plan);
        // Declared in here, so that nobody waits for it if the test fails.
        let (stalled, is_stalled) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        scope.spawn(move || {
            let _installed = plan.install();
            plan.run_at("pass: settled", move || {
                stalled.send(()).expect("the test waits");
                may_go_on.recv().expect("the test goes on");
            });
            metrics.run_pass(clock.now(), clock.wall());
        });
        is_stalled.recv().expect("the pass stalls");
        // Two threads record meanwhile, and nothing they do waits for the pass.
        let recorders = [0, 1].map(|_| {
            let (latency, hits, hand) = (latency.clone(), hits.clone(), hand.clone());
            scope.spawn(move || {
                for value in 0..SAMPLES {
                    latency.record_ns(value);
                    hits.increment();
                    if value % (SAMPLES / 30) == 0 {
                        hand.advance(SECOND);
                    }
                }
            })
        });
        recorders.into_iter().for_each(|thread| thread.join().expect("no panic"));
        // Visible to anyone meanwhile, without waiting: the snapshot has not changed.
        assert_eq!(metrics.snapshot().version(), before.version());
        let age = clock.wall().duration_since(metrics.snapshot().timestamp());
        assert!(age.is_ok_and(|age| age >= 60 * SECOND));
        go_on.send(()).expect("the pass waits");
    });
    metrics.run_pass(clock.now(), clock.wall());
    let snapshot = metrics.snapshot();
    assert!(level(&snapshot, "telemetry.pass.age") >= 60.0);
    let stats = metrics.get_timing("latency").expect("registered");
    assert_eq!((stats.count, total(&snapshot, "telemetry.dropped")), (2 * SAMPLES, 0));
    assert_eq!(stats.buckets().sum(), u128::from(SAMPLES * (SAMPLES - 1)));
    assert_eq!(total(&snapshot, "hits"), i128::from(2 * SAMPLES));
    // Two lanes of at most 8 blocks: everything else was coalesced in place.
    let kept = 2 * 2 * BLOCK_SAMPLES as u64;
    assert!(stats.buckets().coalesced() >= 2 * SAMPLES - 2 * kept, "{stats:?}");
    let grown = level(&snapshot, "telemetry.memory") - level(&before, "telemetry.memory");
    assert!(grown < 50_000.0, "{grown} bytes");
}
