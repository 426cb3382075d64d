//! A plug-in: a shared library that measures itself with a collector of its own, from when it is
//! started until it is stopped. Then it may be unloaded: nothing of the collector runs any more.
//! `tests/unload.rs` loads it.
#![allow(unsafe_code, reason = "functions that a loader finds by their names")]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tachograph::MetricsCollector;

static COLLECTOR: Mutex<Option<MetricsCollector>> = Mutex::new(None);

/// Starts the plug-in's collector, with its background threads.
// SAFETY: no other library has this name.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_start() {
    *COLLECTOR.lock().unwrap_or_else(PoisonError::into_inner) = Some(MetricsCollector::new());
}

/// Does what the plug-in is for, and measures it.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_work(times: u64) {
    let collector = COLLECTOR.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(metrics) = &*collector else { return };
    for _ in 0..times {
        let timer = metrics.timer("plugin.work");
        metrics.increment("plugin.calls");
        drop(timer);
    }
}

/// Stops the collector; says how many records it has aggregated, and whether it knows of all.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_stop() -> i64 {
    let collector = COLLECTOR.lock().unwrap_or_else(PoisonError::into_inner).take();
    let report = collector.map(|metrics| metrics.shutdown(Duration::from_secs(5)));
    let whole = report.filter(|report| !report.timed_out && report.recorded == report.aggregated);
    whole.map_or(-1, |report| report.aggregated.cast_signed())
}
