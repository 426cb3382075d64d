//! What does a pass cost per sample, per unchanged series and per changed series?
//!
//! The limit for a sample is a plain HDR histogram that records the same values.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use benches::{Budgets, Figures, Options, Table, next, time};
use hdrhistogram::Histogram;
use tachograph::{MetricsCollector, Tagged, Timing};

const SAMPLES: u64 = 100_000;

fn rounds() -> usize {
    Options::get().rounds(15)
}

/// A manual collector whose lane holds one round's samples.
fn collector(series: usize) -> MetricsCollector {
    let builder = MetricsCollector::builder().manual().lane_blocks(256, 256);
    builder.series_per_metric(series).build()
}

fn pass(metrics: &MetricsCollector) {
    metrics.run_pass(Instant::now(), SystemTime::now());
}

/// The values of one round, below `spread`.
fn values(spread: u64) -> Vec<u64> {
    let mut state = 1;
    (0..SAMPLES).map(|_| next(&mut state) % spread).collect()
}

fn per_sample(Figures { min, median }: Figures) -> Figures {
    Figures { min: min / SAMPLES as f64, median: median / SAMPLES as f64 }
}

/// Nanoseconds per sample of a pass.
fn samples(spread: u64) -> Figures {
    let (metrics, values) = (collector(1), values(spread));
    let timing: Timing = metrics.register_timing("timing");
    let record = || values.iter().for_each(|&value| timing.record_ns(value));
    let figures = time(rounds(), record, || pass(&metrics));
    let stats = metrics.get_timing("timing").expect("registered");
    let expected = (rounds() as u64 + 1) * SAMPLES;
    assert_eq!((stats.count, stats.buckets().coalesced()), (expected, 0));
    per_sample(figures)
}

/// Nanoseconds per sample of a plain HDR histogram.
fn own_histogram(spread: u64) -> Figures {
    let values = values(spread);
    let mut histogram = Histogram::<u64>::new(3).expect("three digits are valid");
    let record = || values.iter().for_each(|&value| histogram.record(value).expect("it grows"));
    let figures = time(rounds(), || (), record);
    assert_eq!(histogram.len(), (rounds() as u64 + 1) * SAMPLES);
    per_sample(figures)
}

fn tagged(metrics: &MetricsCollector, names: &[String], record: impl Fn(Tagged<'_>)) {
    for name in names {
        record(metrics.with_tags(&[("i", name.as_str())]));
    }
}

fn names(series: usize) -> Vec<String> {
    (0..series).map(|i| i.to_string()).collect()
}

fn unchanged_counters(series: usize) -> Figures {
    let metrics = collector(series);
    tagged(&metrics, &names(series), |tagged| tagged.increment("counter"));
    let figures = time(rounds(), || (), || pass(&metrics));
    assert_eq!(metrics.snapshot().metric("counter").count(), series);
    figures
}

fn changed_counters(series: usize) -> Figures {
    let (metrics, names) = (collector(series), names(series));
    let record = || tagged(&metrics, &names, |tagged| tagged.increment("counter"));
    let figures = time(rounds(), record, || pass(&metrics));
    let snapshot = metrics.snapshot();
    let counts = snapshot.metric("counter").filter_map(|series| series.value.as_counter());
    let total: i128 = counts.map(|views| views.lifetime.value).sum();
    assert_eq!(total, ((rounds() + 1) * series) as i128);
    figures
}

/// Each with a hundred new samples, or as many as the lane can hold for all of them.
fn changed_timings(series: usize) -> Figures {
    let new = if series > 1_000 { 10 } else { 100 };
    let (metrics, names) = (collector(series), names(series));
    let state = Cell::new(1);
    let record = || {
        tagged(&metrics, &names, |tagged| {
            (0..new).for_each(|_| {
                let mut now = state.get();
                tagged.timing("timing", Duration::from_nanos(next(&mut now) % 1_000_000));
                state.set(now);
            });
        });
    };
    let figures = time(rounds(), record, || pass(&metrics));
    let snapshot = metrics.snapshot();
    let stats = snapshot.metric("timing").filter_map(|series| series.value.as_timing());
    let (count, coalesced) = stats.fold((0, 0), |(count, coalesced), views| {
        let stats = &views.lifetime;
        (count + stats.count, coalesced + stats.buckets().coalesced())
    });
    assert_eq!((count, coalesced), (((rounds() + 1) * new * series) as u64, 0));
    figures
}

fn main() {
    let header = ["pass", "min", "median", "unit"];
    let mut table = Table::new("aggregate", format!("Aggregating; {} rounds", rounds()), &header);
    let mut budgets = Budgets::new("budget-aggregate");
    let mut row = |name: &str, figures: Figures, unit: &str, most: Option<f64>| {
        let Figures { min, median } = figures;
        table.row([name.into(), min.into(), median.into(), unit.into()]);
        if let Some(most) = most {
            budgets.at_most(name, median, most, unit);
        }
    };
    row("limit: HDR record, below 1 ms", own_histogram(1_000_000), "ns", None);
    row("a sample, below 1 ms: dense", samples(1_000_000), "ns", Some(6.0));
    row("limit: HDR record, below 1 us", own_histogram(1_000), "ns", None);
    row("a sample, below 1 us: sparse", samples(1_000), "ns", Some(6.0));
    let micros = |Figures { min, median }| Figures { min: min / 1e3, median: median / 1e3 };
    for (series, most) in [(10, None), (1_000, None), (10_000, Some(200.0))] {
        let name = format!("a pass over {series} unchanged counters");
        row(&name, micros(unchanged_counters(series)), "us", most);
    }
    for series in [10, 1_000, 10_000] {
        let name = format!("publishing {series} changed counters");
        row(&name, micros(changed_counters(series)), "us", None);
    }
    for (series, most) in [(10, None), (1_000, Some(10_000.0)), (10_000, None)] {
        let new = if series > 1_000 { 10 } else { 100 };
        let name = format!("publishing {series} timings of {new} new samples");
        row(&name, micros(changed_timings(series)), "us", most);
    }
    table.print();
    budgets.print();
}
