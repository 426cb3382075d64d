//! What does reading cost, while nothing is recorded?

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use benches::{Table, number, time};
use tachograph::MetricsCollector;

const ROUNDS: usize = 25;
const READS: u32 = 100;

/// A collector with so many counters, and a hundredth as many timings, each recorded.
fn filled(series: usize) -> MetricsCollector {
    let metrics = MetricsCollector::builder().manual().series_per_metric(series).build();
    for i in 0..series {
        metrics.with_tags(&[("i", &i.to_string())]).increment("counter");
    }
    for i in 0..series.div_ceil(100) {
        let name = i.to_string();
        (0..100u64).for_each(|v| metrics.with_tags(&[("i", &name)]).histogram("histogram", v * v));
    }
    metrics.run_pass(Instant::now(), SystemTime::now());
    metrics
}

fn main() {
    let header = ["read", "series", "min ns", "median ns", "budget"];
    let mut table = Table::new(format!("Reading, idle; {ROUNDS} rounds"), &header);
    for series in [10, 1_000, 10_000] {
        let metrics = filled(series);
        let tags = [("i", "0")];
        let one = metrics.with_tags(&tags);
        let counted = one.get_counter("counter").map(|stats| stats.value);
        assert_eq!(counted, Some(1));
        assert_eq!(one.get_timing("histogram").map(|stats| stats.count), Some(100));
        assert_eq!(metrics.get_all_metrics().metric("counter").count(), series);

        let mut row = |name: &str, reads: u32, budget: &str, read: &dyn Fn()| {
            let figures = time(ROUNDS, || (), || (0..reads).for_each(|_| read()));
            let each = |total: f64| number(total / f64::from(reads));
            let (min, median) = (each(figures.min), each(figures.median));
            table.row([name.into(), series.to_string(), min, median, budget.into()]);
        };
        let shared = metrics.snapshot();
        row("limit: clone and drop an Arc", 10_000, "", &|| {
            drop(black_box(Arc::clone(black_box(&shared))));
        });
        row("snapshot()", 10_000, "10", &|| drop(black_box(metrics.snapshot())));
        let reader = RefCell::new(metrics.snapshot_reader());
        row("SnapshotReader::latest", 10_000, "10", &|| {
            black_box(reader.borrow_mut().latest().version());
        });
        row("get_counter", READS, "20,000", &|| {
            black_box(one.get_counter("counter"));
        });
        row("get_timing", READS, "20,000", &|| {
            black_box(one.get_timing("histogram"));
        });
        row("get_all_metrics", 1, "", &|| drop(black_box(metrics.get_all_metrics())));
    }
    table.print();
}
