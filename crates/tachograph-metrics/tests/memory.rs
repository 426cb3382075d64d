//! Memory while nobody scrapes. A test of its own process, for its allocator.

use std::alloc::System;
use std::time::{Duration, SystemTime};

use metrics::{Recorder, counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tachograph::{Clock, MetricsCollector};
use tachograph_metrics::TachographRecorder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SECONDS: u64 = 200;
const PER_SECOND: u64 = 1_000;

/// As long as the window, and a step more.
const WARM_UP: u64 = 70;

/// Bytes gained after each tenth, while a thousand samples a second come and nobody reads.
fn gained(recorder: &dyn Recorder, mut second: impl FnMut()) -> Vec<isize> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut seconds = |count| {
        for _ in 0..count {
            with_local_recorder(recorder, || {
                for _ in 0..PER_SECOND {
                    histogram!("latency", "route" => "/").record(random.f64() * 0.01);
                    counter!("requests", "route" => "/").increment(1);
                    gauge!("load").set(random.f64());
                }
            });
            second();
        }
    };
    // Whatever is allocated once: handles, lanes, the window's steps.
    seconds(WARM_UP);
    let region = Region::new(ALLOCATOR);
    let tenth = |_| {
        seconds(SECONDS / 10);
        let stats = region.change();
        stats.bytes_allocated as isize - stats.bytes_deallocated as isize
    };
    (0..10).map(tenth).collect()
}

#[test]
fn it_does_not_grow_with_what_is_recorded() {
    let (clock, hand) = Clock::mock();
    let collector = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let ours = gained(&TachographRecorder::new(collector.clone()), || {
        hand.advance(Duration::from_secs(1));
        collector.run_pass(clock.now(), SystemTime::UNIX_EPOCH);
    });
    let theirs = gained(&PrometheusBuilder::new().build_recorder(), || ());

    // They keep every value until somebody scrapes: 8 bytes for each.
    let samples = (SECONDS * PER_SECOND) as isize;
    assert!(theirs[9] >= 8 * samples, "{theirs:?}");
    // Ours varies by the rows of a distribution.
    assert!(ours.iter().all(|&bytes| 50 * bytes < theirs[9]), "{ours:?} {theirs:?}");
    let stats = collector.with_tags(&[("route", "/")]).get_timing("latency").expect("recorded");
    assert_eq!(stats.count, (WARM_UP + SECONDS) * PER_SECOND);
}
