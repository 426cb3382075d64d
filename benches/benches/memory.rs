//! How many bytes does everything take? Counts requests to the allocator, without its overhead.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use benches::{Budgets, Options, Table, durations, next};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tachograph::{Builder, MetricsCollector};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SIZES: [usize; 3] = [10, 1_000, 10_000];
const SAMPLES: usize = 1_000;
const KIB: f64 = 1_024.0;

/// Bytes held now.
fn held() -> f64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

fn builder(series: usize) -> Builder {
    MetricsCollector::builder().manual().series_per_metric(series).max_series(series + 1_000)
}

/// Passes until only the last snapshot is held.
fn passes(metrics: &MetricsCollector) {
    for _ in 0..4 {
        metrics.run_pass(Instant::now(), SystemTime::now());
    }
}

/// The memory of an idle collector.
fn collector() -> f64 {
    let before = held();
    let metrics = MetricsCollector::builder().manual().build();
    passes(&metrics);
    held() - before
}

/// Recorded through handles that are kept, or by name.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Handle,
    Name,
}

/// The memory per series, after `record` has recorded all of them.
fn each_series(series: usize, record: impl Fn(&MetricsCollector, &str)) -> f64 {
    let metrics = builder(series).build();
    metrics.increment("warm");
    // This many between passes, so that the lane has its blocks before measuring starts.
    for _ in 0..3 {
        (0..4 * SAMPLES).for_each(|_| metrics.timing("warm.too", Duration::from_nanos(1)));
        passes(&metrics);
    }
    let before = held();
    for i in 0..series {
        record(&metrics, &i.to_string());
        // Keeps the ring from filling up.
        if i % 4 == 3 {
            metrics.run_pass(Instant::now(), SystemTime::now());
        }
    }
    passes(&metrics);
    let bytes = held() - before;
    assert_eq!(metrics.get_counter("telemetry.coalesced").map(|stats| stats.value), Some(0));
    assert_eq!(metrics.snapshot().metric("series").count(), series);
    bytes / series as f64
}

fn each_counter(series: usize, by: By) -> f64 {
    each_series(series, |metrics, i| {
        let tags = [("i", i)];
        let tagged = metrics.with_tags(&tags);
        match by {
            By::Handle => tagged.register_counter("series").increment(),
            By::Name => tagged.increment("series"),
        }
    })
}

fn each_timing(series: usize) -> f64 {
    let durations = durations(SAMPLES);
    each_series(series, |metrics, i| {
        let timing = metrics.with_tags(&[("i", i)]).register_timing("series");
        durations.iter().for_each(|&nanos| timing.record_ns(nanos));
    })
}

/// The memory of this many timings that have each seen every magnitude.
fn wide_timings(series: usize) -> f64 {
    let before = held();
    let metrics = builder(series).build();
    let mut state = 1;
    for i in 0..series {
        let timing = metrics.with_tags(&[("i", &i.to_string())]).register_timing("series");
        for _ in 0..2 {
            (0..4_000)
                .for_each(|_| timing.record_ns(next(&mut state) << 9 >> (next(&mut state) % 30)));
            metrics.run_pass(Instant::now(), SystemTime::now());
        }
    }
    passes(&metrics);
    let bytes = held() - before;
    black_box(metrics.snapshot());
    bytes
}

fn main() {
    let quick = Options::get().quick;
    let header = ["what", "series", "bytes each"];
    let mut table = Table::new("memory", "Memory held", &header);
    let mut budgets = Budgets::new("budget-memory");
    let mut add = |what: &str, series: Option<usize>, bytes: f64, most: Option<(f64, &str)>| {
        let series_of_it = series.map_or_else(String::new, |series| series.to_string());
        table.row([what.into(), series_of_it.clone().into(), bytes.into()]);
        if let Some((most, unit)) = most {
            let what =
                if series.is_some() { format!("{what}, {series_of_it}") } else { what.into() };
            let each = if unit == "KiB" { bytes / KIB } else { bytes };
            budgets.at_most(&what, each, most, unit);
        }
    };
    add("a collector", None, collector(), Some((256.0, "KiB")));
    for series in SIZES {
        let bytes = each_counter(series, By::Handle);
        add("a counter series", Some(series), bytes, (series > 10).then_some((300.0, "bytes")));
    }
    for series in SIZES {
        add("a counter series by name", Some(series), each_counter(series, By::Name), None);
    }
    for series in &SIZES[..if quick { 2 } else { 3 }] {
        let bytes = each_timing(*series);
        add("a timing series, 1,000 samples", Some(*series), bytes, Some((20.0, "KiB")));
    }
    if !quick {
        let bytes = wide_timings(4_000);
        add("4,000 wide timings together", None, bytes, None);
        budgets.at_most("all distributions together", bytes / KIB / KIB, 256.0, "MiB");
    }
    table.print();
    budgets.print();
}
