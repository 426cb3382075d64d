//! What does reading cost while nothing is recorded?

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use benches::{Budgets, Options, Table, time};
use tachograph::MetricsCollector;

const READS: u32 = 100;

/// A collector with this many counters and a hundredth as many timings, all recorded.
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
    let rounds = Options::get().rounds(25);
    let header = ["read", "series", "min", "median"];
    let mut table =
        Table::new("read", format!("Reading, idle: ns a read; {rounds} rounds"), &header);
    let mut budgets = Budgets::new("budget-read");
    for series in [10, 1_000, 10_000] {
        let metrics = filled(series);
        let tags = [("i", "0")];
        let one = metrics.with_tags(&tags);
        let counted = one.get_counter("counter").map(|stats| stats.value);
        assert_eq!(counted, Some(1));
        assert_eq!(one.get_timing("histogram").map(|stats| stats.count), Some(100));
        assert_eq!(metrics.get_all_metrics().metric("counter").count(), series);

        let mut row = |name: &str, reads: u32, most: Option<f64>, read: &dyn Fn()| {
            let figures = time(rounds, || (), || (0..reads).for_each(|_| read()));
            let [min, median] = [figures.min, figures.median].map(|all| all / f64::from(reads));
            table.row([name.into(), series.to_string().into(), min.into(), median.into()]);
            if let Some(most) = most {
                budgets.at_most(&format!("{name}, {series} series"), median, most, "ns");
            }
        };
        let shared = metrics.snapshot();
        row("limit: clone and drop an Arc", 10_000, None, &|| {
            drop(black_box(Arc::clone(black_box(&shared))));
        });
        row("snapshot()", 10_000, Some(10.0), &|| drop(black_box(metrics.snapshot())));
        let reader = RefCell::new(metrics.snapshot_reader());
        row("SnapshotReader::latest", 10_000, Some(10.0), &|| {
            black_box(reader.borrow_mut().latest().version());
        });
        row("get_counter", READS, Some(20_000.0), &|| {
            black_box(one.get_counter("counter"));
        });
        row("get_timing", READS, Some(20_000.0), &|| {
            black_box(one.get_timing("histogram"));
        });
        row("get_all_metrics", 1, None, &|| drop(black_box(metrics.get_all_metrics())));
    }
    table.print();
    budgets.print();
}
