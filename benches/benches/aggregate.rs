//! What does a pass cost: a sample, an unchanged series, a changed one?
//!
//! The limit of a sample is an HDR histogram of one's own that records the same values.

use std::time::{Duration, Instant, SystemTime};

use benches::{Figures, Table, number, time};
use hdrhistogram::Histogram;
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

/// The values of a round, below `spread`.
fn values(spread: u64) -> Vec<u64> {
    let mut state = 1;
    (0..SAMPLES).map(|_| next(&mut state) % spread).collect()
}

fn per_sample(Figures { min, median }: Figures) -> Figures {
    Figures { min: min / SAMPLES as f64, median: median / SAMPLES as f64 }
}

/// Nanoseconds a sample of a pass.
fn samples(spread: u64) -> Figures {
    let (metrics, values) = (collector(), values(spread));
    let timing: Timing = metrics.register_timing("timing");
    let record = || values.iter().for_each(|&value| timing.record_ns(value));
    let figures = time(ROUNDS, record, || pass(&metrics));
    let stats = metrics.get_timing("timing").expect("registered");
    let expected = (ROUNDS as u64 + 1) * SAMPLES;
    assert_eq!((stats.count, stats.buckets().coalesced()), (expected, 0));
    per_sample(figures)
}

/// Nanoseconds a sample of a histogram of one's own.
fn own_histogram(spread: u64) -> Figures {
    let values = values(spread);
    let mut histogram = Histogram::<u64>::new(3).expect("three digits are valid");
    let record = || values.iter().for_each(|&value| histogram.record(value).expect("it grows"));
    let figures = time(ROUNDS, || (), record);
    assert_eq!(histogram.len(), (ROUNDS as u64 + 1) * SAMPLES);
    per_sample(figures)
}

fn unchanged(series: usize) -> Figures {
    let metrics = MetricsCollector::builder().manual().series_per_metric(series).build();
    for i in 0..series {
        metrics.with_tags(&[("i", &i.to_string())]).increment("counter");
    }
    let figures = time(ROUNDS, || (), || pass(&metrics));
    assert_eq!(metrics.snapshot().metric("counter").count(), series);
    figures
}

fn changed(series: usize) -> Figures {
    const NEW: usize = 100;
    let metrics = collector();
    let names: Vec<String> = (0..series).map(|i| i.to_string()).collect();
    let mut state = 1;
    let record = || {
        for name in &names {
            let tags = [("i", name.as_str())];
            let tagged = metrics.with_tags(&tags);
            (0..NEW).for_each(|_| {
                tagged.timing("timing", Duration::from_nanos(next(&mut state) % 1_000_000));
            });
        }
    };
    let figures = time(ROUNDS, record, || pass(&metrics));
    let snapshot = metrics.snapshot();
    let stats = snapshot.metric("timing").filter_map(|series| series.value.as_timing());
    let samples: u64 = stats.map(|views| views.lifetime.count).sum();
    assert_eq!(samples, ((ROUNDS + 1) * NEW * series) as u64);
    figures
}

fn main() {
    let header = ["pass", "min", "median", "unit", "budget"];
    let mut table = Table::new(format!("Aggregating; {ROUNDS} rounds"), &header);
    let mut row = |name: &str, figures: Figures, unit: &str, budget: &str| {
        let (min, median) = (number(figures.min), number(figures.median));
        table.row([name.into(), min, median, unit.into(), budget.into()]);
    };
    row("limit: HDR record, below 1 ms", own_histogram(1_000_000), "ns", "");
    row("a sample, below 1 ms: dense", samples(1_000_000), "ns", "6");
    row("limit: HDR record, below 1 us", own_histogram(1_000), "ns", "");
    row("a sample, below 1 us: sparse", samples(1_000), "ns", "6");
    let micros = |Figures { min, median }| Figures { min: min / 1e3, median: median / 1e3 };
    row("10,000 unchanged counters", micros(unchanged(10_000)), "us", "200");
    row("1,000 timings of 100 new samples", micros(changed(1_000)), "us", "10,000");
    table.print();
}
