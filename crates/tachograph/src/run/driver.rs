//! The background thread's work: passes in their rhythm.
//!
//! It drains at the pace of the fullest lane (`pace.rs`) and publishes at a fixed interval. After a
//! pass that panicked, which is caught and counted, the next one follows.

use std::sync::Weak;
use std::thread::{self, Thread};
use std::time::Instant;

use crate::lane::lane::mode;
use crate::limits::DRAIN_MAX;
use crate::run::budget::Budget;
use crate::run::engine::Core;
use crate::run::stop::Stop;
use crate::run::threads::{Running, Started};
use crate::series::warning::Warning;
use crate::sync::{Arc, fault};

/// Starts a collector's threads if recording is on, unless they are running or passes are made
/// manually.
pub(crate) fn start(core: &Arc<Core>) {
    if core.shared.mode() != mode::ON {
        return;
    }
    let mut running = core.threads.lock();
    if running.is_some() || core.manual {
        return;
    }
    // Weak: the thread ends with the collector even if it was not asked to.
    let weak = Arc::downgrade(core);
    let driver = fault::io("driver: spawn")
        .and_then(|()| core.threads.spawn(c"tachograph", move |stop| run(&weak, stop)));
    match driver {
        Ok(driver) => *running = Some(Running { driver, calibration: calibrate(core) }),
        Err(error) => {
            let warning = Warning::DriverFailed { reason: error.to_string().into() };
            core.shared.registry.warn(warning);
        }
    }
}

/// Calibrates the time-stamp counter on a separate thread: it takes up to 200 ms, and passes must
/// not wait for it. If the thread cannot be started, timers stay with the monotonic clock.
fn calibrate(core: &Core) -> Option<Started> {
    let (shared, clock) = (&core.shared, core.shared.clock.clone());
    // In the child of a fork the parent's calibration is still valid; one that was running does not
    // finish there.
    if shared.is_child() || !clock.is_to_be_calibrated() || !tsc_is_used() {
        return None;
    }
    core.threads.spawn(c"tachograph-tsc", move |_| clock.calibrate_tsc()).ok()
}

/// Whether the kernel's own clock uses the time-stamp counter. Passes still compare it before
/// timers read it.
pub(crate) fn tsc_is_used() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

fn run(core: &Weak<Core>, stop: &Stop<Thread>) {
    let Some(publish_every) = core.upgrade().map(|core| core.publish_every) else { return };
    let mut wait = DRAIN_MAX;
    let mut publish_at = Instant::now() + publish_every;
    while !stop.is_asked() {
        let until_publish = publish_at.saturating_duration_since(Instant::now());
        thread::park_timeout(wait.min(until_publish));
        let Some(core) = core.upgrade() else { return };
        let publish = Instant::now() >= publish_at;
        if publish {
            // Publications missed in a stall are skipped.
            publish_at = (publish_at + publish_every).max(Instant::now());
        }
        // Neither lets a panic out. Whoever has the aggregator while this finds it taken drains, too.
        let next = if publish {
            core.pass_and_publish(None, true)
        } else {
            core.drain_within(Budget::UNLIMITED).map(|drained| drained.wait)
        };
        wait = next.unwrap_or(wait);
    }
}
