//! Runs a model, counts its executions, and fails if there were too few.
#![cfg(tachograph_loom)]
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use tachograph::{Builder, MetricsCollector, Snapshot, Value};

/// Checks every interleaving of `body` within the preemption bound (2, or `LOOM_MAX_PREEMPTIONS`),
/// prints their number, and fails if it is below `floor`: a model that loses its concurrency would
/// otherwise pass without checking anything. A floor is at least nine tenths of the model's present
/// number, so that losing one place where threads alternate shows; raise it when the number grows.
///
/// # Panics
/// If an interleaving fails, or if there were too few.
#[allow(clippy::print_stderr, reason = "the reader of a run looks for this count")]
pub fn check(name: &str, floor: usize, body: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(2));
    // A whole collector takes thousands of steps, nearly all of them without an alternative.
    model.max_branches = 50_000;
    model.check(move || {
        // Relaxed: a plain sum; loom runs one execution after the other, on this thread.
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    // Relaxed: all executions have ended.
    let executions = executions.load(Ordering::Relaxed);
    eprintln!("{name}: {executions} executions (floor {floor})");
    // Seeded bugs change the number of executions; the model itself must catch them.
    let floor = if std::env::var_os("TACHOGRAPH_NO_FLOORS").is_some() { 0 } else { floor };
    assert!(executions >= floor, "{name}: {executions} executions, the floor is {floor}");
}

/// Settings of a collector with manual passes and room for 4 samples per lane.
pub fn collector() -> Builder {
    MetricsCollector::builder().manual().no_window()
}

/// Runs and publishes a pass.
pub fn pass(metrics: &MetricsCollector) {
    metrics.run_pass(Instant::now(), SystemTime::now());
}

/// A counter's total; `None` if it is not in the snapshot.
pub fn total(snapshot: &Snapshot, name: &str, tags: &[(&str, &str)]) -> Option<i128> {
    match &snapshot.find(name, tags)?.value {
        Value::Counter(views) | Value::UpDownCounter(views) => Some(views.lifetime.value),
        _ => None,
    }
}

/// Reads everything and checks that each of `calls` is accounted for: recorded = aggregated +
/// dropped. Returns the number dropped.
///
/// # Panics
/// If a call is missing or counted twice.
pub fn account(metrics: &MetricsCollector, calls: i128) -> i128 {
    let snapshot = metrics.get_all_metrics();
    let own = |name| total(&snapshot, name, &[]).expect("telemetry is always there");
    let dropped: i128 = snapshot
        .metric("telemetry.dropped")
        .filter_map(|series| series.value.as_counter())
        .map(|views| views.lifetime.value)
        .sum();
    assert_eq!(own("telemetry.recorded"), calls, "every call is known");
    assert_eq!(own("telemetry.aggregated") + dropped, calls, "and what became of it");
    dropped
}
