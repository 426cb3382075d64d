//! Every way to record, where nothing may block: under RealtimeSanitizer, which ends the process
//! at an allocation, a lock, or a system call that may wait. `cargo xtask sanitize realtime` runs
//! it; without the private cfg `tachograph_rtsan` there is nothing in here.
//!
//! What it cannot see: a lock of the standard library that nobody else holds, hence the core's
//! own lock function is declared to it as blocking; and the monotonic clock, which the kernel
//! answers without a system call where its clock source allows that. Reading it is taken as fine.
#![cfg(tachograph_rtsan)]
#![cfg_attr(tachograph_rtsan, feature(sanitize))]

mod audio;
mod bites;
mod bounds;
mod by_handle;
mod by_name;
mod by_static;
mod reading;
mod refused;
mod timers;
mod traced;

use tachograph::{DropReason, GaugeStats, MetricsCollector, TimingStats};

/// Runs `act` where nothing may block.
#[inline(never)]
#[sanitize(realtime = "nonblocking")]
fn nonblocking(act: impl FnOnce()) {
    act();
}

/// Without a background thread: what is counted is counted by the test's own reads.
fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn count(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).map_or(-1, |stats| stats.value)
}

/// Count and sum.
fn exact(stats: Option<TimingStats>) -> (u64, u128) {
    stats.map_or((u64::MAX, 0), |stats| (stats.count, stats.buckets().sum()))
}

/// Last, greatest and number of values.
fn level(stats: Option<GaugeStats>) -> (Option<f64>, Option<f64>, u64) {
    stats.map_or((None, None, u64::MAX), |stats| (stats.current, stats.max, stats.count))
}

fn dropped(metrics: &MetricsCollector, reason: DropReason) -> i128 {
    let tags = [("reason", reason.name())];
    metrics.with_tags(&tags).get_counter("telemetry.dropped").map_or(-1, |stats| stats.value)
}
