//! Allocations of macros. A test of its own process, for its allocator.

use allocation_counter::measure;
use metrics::{counter, gauge, histogram, with_local_recorder};
use tachograph::MetricsCollector;
use tachograph_metrics::TachographRecorder;

#[test]
fn a_macro_allocates_nothing_after_a_threads_first_use() {
    let collector = MetricsCollector::builder().manual().build();
    let recorder = TachographRecorder::new(collector);
    let all = || {
        counter!("requests", "route" => "/").increment(1);
        counter!("mirrored").absolute(7);
        gauge!("load").set(0.5);
        gauge!("load").increment(0.5);
        histogram!("latency").record(0.001);
        histogram!("latency").record(f64::NAN);
    };
    with_local_recorder(&recorder, || {
        all();
        let repeated = measure(|| (0..100).for_each(|_| all()));
        assert_eq!(repeated.count_total, 0);
    });
}
