//! The process's resource use: the `process.*` metrics.
//!
//! Read from `/proc` once a second, off the event path. Values that the system does not provide are
//! omitted.

use std::fs;
use std::time::Duration;

use crate::metrics::ServerMetrics;

const INTERVAL: Duration = Duration::from_secs(1);
/// Ticks per second in `/proc`: the same on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// Samples until it is dropped.
pub(crate) async fn sample(metrics: &ServerMetrics) {
    let started = start_time();
    let mut tick = tokio::time::interval(INTERVAL);
    loop {
        tick.tick().await;
        record(metrics, started);
    }
}

fn record(metrics: &ServerMetrics, started: Option<f64>) {
    if let Some(started) = started {
        metrics.start_time.set(started);
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        if let Some(kibibytes) = status_field(&status, "VmRSS:") {
            metrics.resident_memory.set(kibibytes * 1_024.0);
        }
        if let Some(threads) = status_field(&status, "Threads:") {
            metrics.threads.set(threads);
        }
    }
    if let Some(ticks) = cpu_ticks() {
        metrics.cpu_time.set(ticks / TICKS_PER_SECOND);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory being read.
        metrics.open_files.set(files.count().saturating_sub(1) as f64);
    }
}

/// The number after a key of `/proc/self/status`.
fn status_field(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time.
fn cpu_ticks() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(stat_field(&stat, 14)? + stat_field(&stat, 15)?)
}

/// Seconds since 1970.
fn start_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let system = fs::read_to_string("/proc/stat").ok()?;
    Some(status_field(&system, "btime ")? + stat_field(&stat, 22)? / TICKS_PER_SECOND)
}

/// A field of `/proc/self/stat`, counted from 1 as in its manual. The second one, the program's
/// name, may contain anything, so counting starts at its closing parenthesis.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let after_name = stat.get(stat.rfind(')')? + 1..)?;
    after_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_program_is_called() {
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 11 12 13";
        assert_eq!(stat_field(stat, 4), Some(1.0));
        assert_eq!(stat_field(stat, 14), Some(11.0));
        assert_eq!(stat_field(stat, 3), None);
        assert_eq!(stat_field("", 14), None);
        assert_eq!(status_field("Name:\tx\nThreads:\t12\n", "Threads:"), Some(12.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_threads_files_and_a_past() {
        let collector = tachograph::MetricsCollector::new();
        record(&ServerMetrics::register(&collector), start_time());
        for name in ["resident_memory", "threads", "open_files", "start_time"] {
            let stats = collector.get_gauge(&format!("process.{name}")).expect("a gauge");
            assert!(stats.current > Some(0.0), "{name}: {stats:?}");
        }
        let cpu = collector.get_gauge("process.cpu_time").expect("a gauge");
        assert!(cpu.current.is_some());
    }
}
