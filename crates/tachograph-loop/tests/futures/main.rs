//! Instrumented futures: exact with a mock clock, and on several executors as without.

mod exact;
mod executors;
mod wakers;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use tachograph::{MetricsCollector, TimingStats};

/// A waker that counts.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU64);

impl Counting {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let counting = Arc::<Self>::default();
        (Arc::clone(&counting), Waker::from(counting))
    }

    pub(crate) fn wakes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn of_task(metrics: &MetricsCollector, name: &str) -> TimingStats {
    metrics.with_tags(&[("task", "t")]).get_timing(name).expect("it is registered")
}

pub(crate) fn by_outcome(metrics: &MetricsCollector, name: &str, outcome: &str) -> TimingStats {
    let tags = [("task", "t"), ("outcome", outcome)];
    metrics.with_tags(&tags).get_timing(name).expect("it is registered")
}

/// How many futures ended as ok, error, cancelled and panicked.
pub(crate) fn outcomes(metrics: &MetricsCollector) -> [u64; 4] {
    ["ok", "error", "cancelled", "panicked"].map(|outcome| {
        let counts = ["task.busy.duration", "task.waiting.duration", "task.polls"];
        let [busy, waiting, polls] = counts.map(|name| by_outcome(metrics, name, outcome).count);
        assert_eq!((busy, waiting), (polls, polls), "{outcome}");
        polls
    })
}
