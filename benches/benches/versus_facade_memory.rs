//! What do recorders of the `metrics` facade hold after an hour in which nobody scrapes?
//!
//! A thousand samples a second of one histogram, a counter and a gauge; the hour passes on a mock
//! clock, with our aggregator's passes as often as in a real one.

use std::alloc::System;
use std::time::{Duration, SystemTime};

use benches::{Options, Table, durations, number};
use metrics::{Recorder, counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tachograph::{Clock, MetricsCollector};
use tachograph_metrics::TachographRecorder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PER_SECOND: usize = 1_000;
const MARKS: usize = 6;

/// Bytes requested from the allocator and still held.
fn held() -> f64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// Bytes held at each sixth of the time, over those of a recorder that has recorded one sample.
/// `tick` comes ten times a second.
fn run(recorder: &dyn Recorder, seconds: usize, tick: &dyn Fn()) -> Vec<f64> {
    let samples = durations(PER_SECOND);
    let record = |nanos: u64| {
        histogram!("latency", "route" => "/").record(nanos as f64 * 1e-9);
        counter!("requests", "route" => "/").increment(1);
        gauge!("load").set(nanos as f64);
    };
    with_local_recorder(recorder, || record(1));
    let before = held();
    let sixth = |_| {
        for _ in 0..seconds / MARKS {
            for part in samples.chunks(PER_SECOND / 10) {
                with_local_recorder(recorder, || part.iter().for_each(|&nanos| record(nanos)));
                tick();
            }
        }
        held() - before
    };
    (0..MARKS).map(sixth).collect()
}

fn main() {
    let seconds = if Options::get().quick { 60 } else { 3_600 };
    let (clock, hand) = Clock::mock();
    let collector = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let pass = || {
        hand.advance(Duration::from_millis(100));
        collector.run_pass(clock.now(), SystemTime::UNIX_EPOCH);
    };
    let ours = run(&TachographRecorder::new(collector.clone()), seconds, &pass);
    let prometheus = PrometheusBuilder::new().build_recorder();
    let theirs = run(&prometheus, seconds, &|| ());

    let title = format!(
        "The `metrics` facade: KiB gained while nobody scrapes, {PER_SECOND} samples a second"
    );
    let header = ["after", "tachograph-metrics", "metrics-exporter-prometheus", "ratio"];
    let mut table = Table::new("versus-facade-memory", title, &header);
    for (i, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
        table.row([
            format!("{} s", number((seconds / MARKS * (i + 1)) as f64)).into(),
            (ours / 1024.0).into(),
            (theirs / 1024.0).into(),
            (theirs / ours).into(),
        ]);
    }
    table.print();
}
