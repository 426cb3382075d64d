//! What does a pass cost: a sample, an unchanged series, a changed one?

use std::time::{Duration, Instant, SystemTime};

use benches::{Figures, Table, number, time};
use tachograph::{MetricsCollector, Timing};

const ROUNDS: usize = 15;
const SAMPLES: u64 = 100_000;

/// A manual collector whose lane holds a round's samples.
fn collector() -> MetricsCollector {
    MetricsCollector::builder().manual().lane_blocks(256, 256).build()
}

fn pass(metrics: &MetricsCollector) {
    metrics.run_pass(Instant::now(), SystemTime::now());
}

/// Numbers that look random and are the same each time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Nanoseconds a sample, for values below `spread`.
fn samples(spread: u64) -> Figures {
    let metrics = collector();
    let timing: Timing = metrics.register_timing("timing");
    let mut state = 1;
    let record = || (0..SAMPLES).for_each(|_| timing.record_ns(next(&mut state) % spread));
    let figures = time(ROUNDS, record, || pass(&metrics));
    let stats = metrics.get_timing("timing").expect("registered");
    let expected = (ROUNDS as u64 + 1) * SAMPLES;
    assert_eq!((stats.count, stats.buckets().coalesced()), (expected, 0));
    let each = |total: f64| total / SAMPLES as f64;
    Figures { min: each(figures.min), median: each(figures.median) }
}

fn unchanged(series: usize) -> Figures {
    let metrics = MetricsCollector::builder().manual().series_per_metric(series).build();
    for i in 0..series {
        metrics.with_tags(&[("i", &i.to_string())]).increment("counter");
    }
    time(ROUNDS, || (), || pass(&metrics))
}

fn changed(series: usize) -> Figures {
    let metrics = collector();
    let names: Vec<String> = (0..series).map(|i| i.to_string()).collect();
    let mut state = 1;
    let record = || {
        for name in &names {
            let tags = [("i", name.as_str())];
            let tagged = metrics.with_tags(&tags);
            (0..100).for_each(|_| {
                tagged.timing("timing", Duration::from_nanos(next(&mut state) % 1_000_000));
            });
        }
    };
    time(ROUNDS, record, || pass(&metrics))
}

fn main() {
    let header = ["pass", "min", "median", "unit", "budget"];
    let mut table = Table::new(format!("Aggregating; {ROUNDS} rounds"), &header);
    let mut row = |name: &str, figures: Figures, unit: &str, budget: &str| {
        let (min, median) = (number(figures.min), number(figures.median));
        table.row([name.into(), min, median, unit.into(), budget.into()]);
    };
    row("a sample, below 1 ms: dense", samples(1_000_000), "ns", "6");
    row("a sample, below 1 us: sparse", samples(1_000), "ns", "6");
    let micros = |Figures { min, median }| Figures { min: min / 1e3, median: median / 1e3 };
    row("10,000 unchanged counters", micros(unchanged(10_000)), "us", "200");
    row("1,000 timings of 100 new samples", micros(changed(1_000)), "us", "10,000");
    table.print();
}
