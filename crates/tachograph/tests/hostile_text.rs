//! Fault 9: hostile names, tags and values. A test of its own process: it reads the resident
//! memory.

mod common;

use common::resident;
use tachograph::{MetricsCollector, Snapshot};

/// Sanitizers' memory and speed are their own.
const SANITIZED: bool = cfg!(any(tachograph_asan, tachograph_tsan));

const VALUES: u64 = if SANITIZED { 20_000 } else { 1_000_000 };

/// Runs `act`, which may take 32 MiB for good.
fn within_32_mib(act: impl FnOnce()) {
    let before = resident();
    act();
    if let (Some(before), Some(after), false) = (before, resident(), SANITIZED) {
        let grown = after.saturating_sub(before);
        assert!(grown <= 32 << 20, "resident memory grew from {before} to {after} bytes");
    }
}

/// Series of a counter, and their sum.
fn total(snapshot: &Snapshot, name: &str) -> (usize, i128) {
    let values = snapshot.metric(name).filter_map(|series| series.value.as_counter());
    let values: Vec<i128> = values.map(|views| views.lifetime.value).collect();
    (values.len(), values.iter().sum())
}

fn count(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).map_or(-1, |stats| stats.value)
}

/// A million values that differ; control characters, quotes, separators and text that writes
/// from right to left among them.
fn a_million_values(metrics: &MetricsCollector) {
    const AWKWARD: [&str; 8] = ["\0", "\n", "\u{7f}", "\"", "\\", ",=[]", "\u{202e}", "\u{fffd}"];
    let mut sum = 0;
    for i in 0..VALUES {
        let value = format!("{}{i}", AWKWARD[i as usize % AWKWARD.len()]);
        metrics.with_tags(&[("user", &value)]).increment_by("requests", i);
        sum += i128::from(i);
    }
    let snapshot = metrics.get_all_metrics();
    // The limit, and the series that takes what is beyond it.
    assert_eq!(total(&snapshot, "requests"), (2_001, sum));
    let overflow = metrics.with_tags(&[("overflow", "true")]).get_counter("requests");
    let within: i128 = (0..2_000).sum();
    assert_eq!(overflow.map(|stats| stats.value), Some(sum - within));
    assert_eq!(count(metrics, "telemetry.overflowed"), i128::from(VALUES) - 2_000);
}

/// Metrics without end: the limit holds, the rest is counted as dropped.
fn names_without_end(metrics: &MetricsCollector) {
    let names = VALUES / 10;
    let recorded = count(metrics, "telemetry.recorded");
    for i in 0..names {
        metrics.increment(&format!("metric.{i}\r\n# TYPE x counter"));
    }
    assert_eq!(count(metrics, "telemetry.recorded"), recorded + i128::from(names));
    let dropped = metrics.with_tags(&[("reason", "series_limit")]).get_counter("telemetry.dropped");
    // One metric is there already.
    assert_eq!(dropped.map(|stats| stats.value), Some(i128::from(names) - 1_999));
    let names = metrics.get_gauge("telemetry.metrics").and_then(|gauge| gauge.current);
    assert!(
        names >= Some(2_000.0) && names < Some(2_100.0),
        "the collector's own besides: {names:?}"
    );
}

/// Names, keys and values of 1 MB, each cut; every offset of a character across the cut.
fn a_megabyte_at_a_time(metrics: &MetricsCollector) {
    for lead in 0..8 {
        // 4 bytes a character, moved by one byte each time.
        let long = "a".repeat(lead) + &"\u{1f600}".repeat(250_000);
        let tagged = [("k", long.as_str()), (long.as_str(), "v")];
        for _ in 0..3 {
            metrics.with_tags(&tagged).increment("long.tags");
        }
    }
    let snapshot = metrics.get_all_metrics();
    assert_eq!(total(&snapshot, "long.tags"), (8, 24));
    for series in snapshot.metric("long.tags") {
        for (key, value) in series.tags.iter() {
            assert!(key.len() <= 256 && value.len() <= 256);
            let cut = key.len().max(value.len());
            assert!(cut > 252, "cut at the last whole character: {cut}");
        }
    }
    assert!(count(metrics, "telemetry.truncated") >= 16);
}

#[test]
fn fault_9_hostile_text_is_capped_in_memory_and_exact_in_total() {
    let metrics = MetricsCollector::new();
    metrics.increment("warm");
    metrics.get_all_metrics();
    within_32_mib(|| {
        a_megabyte_at_a_time(&metrics);
        a_million_values(&metrics);
    });
    let report = metrics.shutdown(std::time::Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    assert_eq!((report.recorded, report.dropped), (VALUES + 25, 0));
}

#[test]
fn fault_9_metrics_without_end_are_capped_and_counted() {
    let metrics = MetricsCollector::new();
    metrics.increment("warm");
    within_32_mib(|| names_without_end(&metrics));
    let report = metrics.shutdown(std::time::Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
}

#[test]
fn fault_9_awkward_text_keeps_series_apart_and_comes_back_as_it_was() {
    let metrics = MetricsCollector::builder().manual().build();
    let texts: Vec<String> =
        (0..=0x2fffu32).filter_map(char::from_u32).step_by(7).map(|c| format!("{c}x{c}")).collect();
    for text in &texts {
        metrics.with_tags(&[("t", text)]).increment("x");
    }
    let snapshot = metrics.get_all_metrics();
    assert_eq!(total(&snapshot, "x"), (texts.len(), texts.len() as i128));
    for text in &texts {
        let series = snapshot.find("x", &[("t", text)]).expect("recorded");
        assert_eq!(series.tags.iter().collect::<Vec<_>>(), [("t", text.as_str())]);
    }
}
