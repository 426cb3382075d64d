//! A sample that is read from a lane and then lost is detected, because records and their outcomes
//! are counted independently.

use crate::aggregate::aggregator::Aggregator;
use crate::lane::batch::Batch;
use std::time::Duration;

use crate::lane::trace::Trace;
use crate::limits::BLOCK_SAMPLES;
use crate::run::collector::MetricsCollector;
use crate::run::engine::ShutdownReport;

/// Records 3 samples of each kind and one block more of timings, including a traced one; loses them
/// if `lose`, then records one of each again.
fn report(lose: bool) -> ShutdownReport {
    let metrics = MetricsCollector::builder().manual().build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    let gauge = metrics.register_gauge("g");
    let record = |times: usize| {
        for n in 0..times {
            counter.increment();
            counter.increment_by(5);
            gauge.set(n as f64);
            timing.record_ns(7);
        }
    };
    record(3);
    let trace = Trace::new([1; 16], [2; 8]).expect("not of zeros");
    timing.record_ns_traced(9, trace);
    (1..BLOCK_SAMPLES).for_each(|_| timing.record_ns(8));
    if lose {
        metrics.core().locked(lose_all);
    }
    record(1);
    metrics.reset();
    record(1);
    metrics.shutdown(Duration::from_secs(1))
}

#[test]
fn samples_that_a_pass_loses_are_missing_from_the_aggregated_ones() {
    let all = 5 * 4 + BLOCK_SAMPLES as u64;
    let lost = 3 * 4 + BLOCK_SAMPLES as u64;
    let counts = |report: ShutdownReport| (report.recorded, report.aggregated, report.dropped);
    assert_eq!(counts(report(false)), (all, all, 0));
    assert_eq!(counts(report(true)), (all, all - lost, 0));
}

/// Reads the content of all lanes and folds none of it.
fn lose_all(aggregator: &mut Aggregator) {
    aggregator.match_readers();
    for reader in &mut aggregator.readers {
        reader.announce();
        while reader.read_block(&mut Batch::default()) {}
        reader.counter_gains(0..u32::MAX, |_, _| ());
    }
}
