//! Runs a model, counts what it saw, and refuses a model that has stopped looking.
#![cfg(tachograph_loom)]
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Checks every interleaving of `body` within the preemption bound (2, or what
/// `LOOM_MAX_PREEMPTIONS` says), prints how many there were, and fails if there were fewer than
/// `floor`: a model that loses its concurrency would pass without showing anything.
///
/// # Panics
/// If an interleaving fails, or if there were too few.
#[allow(clippy::print_stderr, reason = "the count is what the reader of a run looks for")]
pub fn check(name: &str, floor: usize, body: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(2));
    model.check(move || {
        // Relaxed: a plain sum; loom runs one execution after the other, on this thread.
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    // Relaxed: all executions have ended.
    let executions = executions.load(Ordering::Relaxed);
    eprintln!("{name}: {executions} executions (floor {floor})");
    assert!(executions >= floor, "{name}: {executions} executions, the floor is {floor}");
}
