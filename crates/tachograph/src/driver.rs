//! The background thread, the only part of the core that does I/O or starts a thread.
//!
//! It drains at the pace of the fullest lane (`pace.rs`) and publishes at a fixed one. A pass that panics is caught,
//! counted and followed by the next.
//!
//! # Synchronization
//! That it is to end, and that it has, goes through a [`Stop`]; both are told by `unpark`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::error::Warning;
use crate::fault;
use crate::fork;
use crate::limits::DRAIN_MAX;
use crate::stop::Stop;
use crate::sync::{Arc, Mutex, MutexGuard, lock};

/// The running driver of a collector; started once.
#[derive(Debug)]
pub(crate) struct Driver {
    running: Mutex<Option<Running>>,
    publish_every: Duration,
}

/// A thread that was started. There is no handle that joins it: in the child of a fork there would
/// be nothing to let go of.
pub(crate) type Running = Arc<Stop<Thread>>;

/// Tells that the thread has ended, however it did.
struct DoneOnDrop(Running);

impl Drop for DoneOnDrop {
    fn drop(&mut self) {
        if let Some(waiter) = self.0.leave() {
            waiter.unpark();
        }
    }
}

impl Driver {
    pub(crate) fn new(publish_every: Duration) -> Self {
        Self { running: Mutex::new(None), publish_every }
    }

    /// Starts the thread, unless it is running.
    pub(crate) fn start(&self, core: &Arc<Core>) {
        let publish_every = self.publish_every;
        let mut running = self.lock();
        if running.is_some() || core.manual {
            return;
        }
        let stop = Arc::new(Stop::new());
        // Weak: the thread ends with the collector even where nobody has asked it to.
        let (weak, stop_of_thread) = (Arc::downgrade(core), Arc::clone(&stop));
        let faults = fault::carry();
        let body = move || {
            faults.take_over();
            let _done = DoneOnDrop(Arc::clone(&stop_of_thread));
            run(&weak, &stop_of_thread, publish_every);
        };
        match fault::io("driver: spawn").and_then(|()| fork::spawn(c"tachograph", body)) {
            Ok(()) => *running = Some(stop),
            Err(error) => {
                core.registry.warn(Warning::DriverFailed { reason: error.to_string().into() });
            }
        }
        // In the child of a fork the parent's calibration holds; one that was under way does not
        // end there.
        if !core.intake.is_child() {
            calibrate(core);
        }
    }

    /// Keeps everyone else from starting and stopping the thread.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        lock(&self.running)
    }

    /// Forgets a thread that the child of a fork does not have, or tells it to end, where it is
    /// the one that has forked.
    #[cfg(unix)]
    pub(crate) fn forget(&self) {
        if let Some(stop) = self.lock().take() {
            stop.ask(None);
        }
    }

    /// Asks the thread to end and waits for it until the deadline. Called on the driver's own
    /// thread, by a callback, it only asks.
    pub(crate) fn stop(&self, deadline: Instant) {
        let Some(stop) = self.lock().take() else { return };
        let stopper = thread::current();
        let id = stopper.id();
        let driver = stop.ask(Some(stopper));
        driver.into_iter().for_each(Thread::unpark);
        if driver.is_some_and(|driver| driver.id() == id) {
            return;
        }
        while !stop.is_done() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            thread::park_timeout(left);
        }
    }
}

/// Makes the time-stamp counter known, where the kernel's own clock uses it; passes compare it
/// before timers read it.
fn calibrate(core: &Arc<Core>) {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let trusted = std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc");
    if !trusted {
        return;
    }
    let clock = core.intake.clock.clone();
    // On a thread of its own: it takes up to 200 ms, and passes must not wait for it. Where the
    // thread cannot be started, timers stay with the monotonic clock.
    let _ = fork::spawn(c"tachograph-tsc", move || clock.calibrate_tsc());
}

fn run(core: &Weak<Core>, stop: &Stop<Thread>, publish_every: Duration) {
    if stop.arrive(thread::current()) {
        return;
    }
    let mut wait = DRAIN_MAX;
    let mut publish_at = Instant::now() + publish_every;
    while !stop.is_asked() {
        let until_publish = publish_at.saturating_duration_since(Instant::now());
        thread::park_timeout(wait.min(until_publish));
        let Some(core) = core.upgrade() else { return };
        let publish = Instant::now() >= publish_at;
        if publish {
            publish_at = next_publish(publish_at, publish_every);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| turn(&core, publish)));
        match outcome {
            Ok(next) => wait = next.unwrap_or(wait),
            Err(_) => core.note_panic(),
        }
    }
}

/// Says how long the next turn may wait; `None` after a panic that was caught on the way.
fn turn(core: &Core, publish: bool) -> Option<Duration> {
    fault::point("driver: a turn");
    if !publish {
        return core.drain();
    }
    let started = Instant::now();
    let wait = core.pass_and_publish(None);
    core.note_pass(started.elapsed());
    wait
}

/// The next publication in the rhythm; publications missed in a stall are not made up for.
fn next_publish(due: Instant, every: Duration) -> Instant {
    (due + every).max(Instant::now())
}
