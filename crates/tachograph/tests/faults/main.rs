//! Faults and what becomes of them, by their numbers on the reliability page: 5 overload, 6 ends
//! in any order, 7 clocks, 8 values. Others need a process of their own: 1 `threads.rs`, 2
//! `thread_end.rs` and `allocator.rs`, 9 `hostile_text.rs`.

mod clocks;
mod ends;
mod overload;
mod values;

use tachograph::{DropReason, MetricsCollector, TimingStats};

/// Sanitizers slow everything down ten times and more.
const SANITIZED: bool = cfg!(any(tachograph_asan, tachograph_tsan));

fn count(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).map_or(-1, |stats| stats.value)
}

/// Count and sum.
fn exact(stats: Option<TimingStats>) -> (u64, u128) {
    stats.map_or((u64::MAX, 0), |stats| (stats.count, stats.buckets().sum()))
}

fn dropped(metrics: &MetricsCollector, reason: DropReason) -> i128 {
    let tags = [("reason", reason.name())];
    metrics.with_tags(&tags).get_counter("telemetry.dropped").map_or(-1, |stats| stats.value)
}
