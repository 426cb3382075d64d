//! How many bytes a series takes: what is requested from the allocator and still held, without its
//! overhead. A process of its own, for its allocator, which counts by thread.
#![cfg(feature = "record")]

use std::time::{Instant, SystemTime};

use allocation_counter::measure;
use tachograph::MetricsCollector;

const SERIES: usize = 1_000;

/// Bytes of each of many series with a tag.
fn each(record: fn(&MetricsCollector, &[(&str, &str)]), is_removed: bool) -> i64 {
    let metrics = MetricsCollector::builder().manual().build();
    let pass = || metrics.run_pass(Instant::now(), SystemTime::now());
    metrics.increment("warm");
    pass();
    let held = measure(|| {
        for number in 0..SERIES {
            let i = number.to_string();
            let tags = [("i", i.as_str())];
            record(&metrics, &tags);
            // A few between two passes, as when a program starts: these share their start.
            if number % 4 == 3 {
                pass();
            }
            assert_eq!(is_removed && metrics.remove("series", &tags), is_removed);
        }
        // Until only the last snapshot is held.
        for _ in 0..4 {
            pass();
        }
    });
    let shown = metrics.snapshot().metric("series").count();
    assert_eq!(shown, if is_removed { 0 } else { SERIES });
    held.bytes_current / SERIES as i64
}

#[test]
fn a_series_takes_no_more_bytes_than_before() {
    // Identity, state, texts, a step of the window, a cell in one lane, and the series in the last
    // snapshot, which is a third of it.
    let counter = each(|it, tags| it.with_tags(tags).register_counter("series").increment(), false);
    assert!((300..=570).contains(&counter), "{counter} bytes");
}

/// `Builder::max_series` tells them.
#[test]
fn a_removed_series_takes_no_more_bytes_than_the_documents_say() {
    let counter = each(|it, tags| it.with_tags(tags).register_counter("series").increment(), true);
    let timing = each(|it, tags| it.with_tags(tags).register_timing("series").record_ns(7), true);
    let gauge = each(|it, tags| it.with_tags(tags).register_gauge("series").set(7.0), true);
    let each = [counter, timing, gauge];
    assert!(counter <= 430 && timing <= 540 && gauge <= 540, "{each:?} bytes");
}
