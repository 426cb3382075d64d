//! The background thread, the only part of the core that does I/O or starts a thread.
//!
//! It drains at the pace of the fullest lane (`pace.rs`) and publishes at a fixed interval. A pass
//! that panics is caught and counted, and the next one follows.
//!
//! # Synchronization
//! A [`Stop`] carries the request to end and the news that it has ended; `unpark` wakes the other
//! side.

use std::ffi::CStr;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::lane::shared::Shared;
use crate::limits::DRAIN_MAX;
use crate::run::background::Background;
use crate::run::stop::Stop;
use crate::series::warning::Warning;
use crate::sync::fault;
use crate::sync::{Arc, Mutex, MutexGuard, lock};

/// The operations that the background thread drives.
pub(crate) trait Driven: Send + Sync + 'static {
    fn shared(&self) -> &Shared;

    /// Whether passes are made manually.
    fn is_manual(&self) -> bool;

    fn warn(&self, warning: Warning);

    /// Drains the lanes' blocks, which keeps them from filling up between two publications. Returns
    /// how long the next drain may wait; `None` after a panic.
    fn drain(&self) -> Option<Duration>;

    /// Makes and publishes a full pass, and notes how long it took, without the callbacks before
    /// it. Returns the same as `drain`.
    fn publish_now(&self) -> Option<Duration>;

    /// Counts and reports a panic between two passes.
    fn note_panic(&self);
}

/// Called at the start of each background thread.
pub(crate) type ThreadStart = Arc<dyn Fn() + Send + Sync>;

/// The driver of a collector, while it runs.
pub(crate) struct Driver {
    running: Mutex<Option<Running>>,
    publish_every: Duration,
    on_thread_start: Option<ThreadStart>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("running", &self.running).finish_non_exhaustive()
    }
}

/// The threads that were started for a collector.
#[derive(Debug)]
pub(crate) struct Running {
    driver: Started,
    /// Calibrates the time-stamp counter, then ends.
    calibration: Option<Started>,
}

/// A thread that was started.
#[derive(Debug)]
struct Started {
    stop: Arc<Stop<Thread>>,
    thread: Background,
}

/// Calibrating ends within 200 ms. Its thread is waited for up to this long, whatever the deadline:
/// it cannot be asked to end, and its code may be unloaded next.
const CALIBRATION_MAX: Duration = Duration::from_secs(1);

/// Signals that the thread has ended, for whatever reason.
struct DoneOnDrop(Arc<Stop<Thread>>);

impl Drop for DoneOnDrop {
    fn drop(&mut self) {
        if let Some(waiter) = self.0.leave() {
            waiter.unpark();
        }
    }
}

impl Started {
    /// Asks the thread to end and waits until it has, or until the deadline. If called on the
    /// thread itself, it only asks.
    fn stop(self, deadline: Instant) {
        let stopper = thread::current();
        let id = stopper.id();
        let thread = self.stop.ask(Some(stopper));
        thread.into_iter().for_each(Thread::unpark);
        if thread.is_some_and(|thread| thread.id() == id) {
            return;
        }
        while !self.stop.is_done() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            thread::park_timeout(left);
        }
        // It has signalled that it is done, and does nothing more that could block.
        self.thread.join();
    }

    /// Forgets a thread that does not exist in the child of a fork, or asks it to end if it is the
    /// thread that forked.
    fn forget(self) {
        self.stop.ask(None);
        self.thread.forget();
    }
}

impl Running {
    pub(crate) fn forget(self) {
        let Self { driver, calibration } = self;
        [Some(driver), calibration].into_iter().flatten().for_each(Started::forget);
    }
}

impl Driver {
    pub(crate) fn new(publish_every: Duration, on_thread_start: Option<ThreadStart>) -> Self {
        Self { running: Mutex::new(None), publish_every, on_thread_start }
    }

    pub(crate) fn publish_every(&self) -> Duration {
        self.publish_every
    }

    /// Starts the threads, unless they are running.
    pub(crate) fn start(&self, core: &Arc<impl Driven>) {
        let publish_every = self.publish_every;
        let mut running = self.lock();
        if running.is_some() || core.is_manual() {
            return;
        }
        // Weak: the thread ends with the collector even if it was not asked to.
        let weak = Arc::downgrade(core);
        let driver = fault::io("driver: spawn")
            .and_then(|()| self.spawn(c"tachograph", move |stop| run(&weak, stop, publish_every)));
        match driver {
            Ok(driver) => {
                *running = Some(Running { driver, calibration: self.calibrate(&**core) });
            }
            Err(error) => {
                core.warn(Warning::DriverFailed { reason: error.to_string().into() });
            }
        }
    }

    /// Starts a thread that can be waited for.
    fn spawn(
        &self,
        name: &'static CStr,
        body: impl FnOnce(&Stop<Thread>) + Send + 'static,
    ) -> io::Result<Started> {
        let stop = Arc::new(Stop::new());
        let (stop_of_thread, on_start) = (Arc::clone(&stop), self.on_thread_start.clone());
        let faults = fault::carry();
        let thread = Background::start(name, move || {
            faults.take_over();
            let _done = DoneOnDrop(Arc::clone(&stop_of_thread));
            // A panic here comes from the user's callback, and the thread continues.
            let _ = catch_unwind(AssertUnwindSafe(|| on_start.iter().for_each(|act| act())));
            if !stop_of_thread.arrive(thread::current()) {
                body(&stop_of_thread);
            }
        })?;
        Ok(Started { stop, thread })
    }

    /// Calibrates the time-stamp counter on a separate thread: it takes up to 200 ms, and passes
    /// must not wait for it. If the thread cannot be started, timers stay with the monotonic clock.
    fn calibrate(&self, core: &impl Driven) -> Option<Started> {
        // In the child of a fork the parent's calibration is still valid; one that was running does
        // not finish there.
        if core.shared().is_child() || !core.shared().clock.is_to_be_calibrated() || !tsc_is_used()
        {
            return None;
        }
        let clock = core.shared().clock.clone();
        self.spawn(c"tachograph-tsc", move |_| clock.calibrate_tsc()).ok()
    }

    /// Prevents others from starting and stopping the threads.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        lock(&self.running)
    }

    /// Asks the threads to end and waits for them: for the driver until the deadline, for the
    /// calibration until it is done. If a callback calls it on one of these threads, it only asks.
    pub(crate) fn stop(&self, deadline: Instant) {
        let Some(Running { driver, calibration }) = self.lock().take() else { return };
        driver.stop(deadline);
        if let Some(calibration) = calibration {
            calibration.stop(deadline.max(Instant::now() + CALIBRATION_MAX));
        }
    }
}

/// Whether the kernel's own clock uses the time-stamp counter. Passes still compare it before
/// timers read it.
pub(crate) fn tsc_is_used() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

fn run(core: &Weak<impl Driven>, stop: &Stop<Thread>, publish_every: Duration) {
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
        let outcome = catch_unwind(AssertUnwindSafe(|| turn(&*core, publish)));
        match outcome {
            Ok(next) => wait = next.unwrap_or(wait),
            Err(_) => core.note_panic(),
        }
    }
}

/// Returns how long the next turn may wait; `None` after a caught panic.
fn turn(core: &impl Driven, publish: bool) -> Option<Duration> {
    fault::point("driver: a turn");
    if publish { core.publish_now() } else { core.drain() }
}

/// The next publication in the rhythm; publications missed in a stall are skipped.
fn next_publish(due: Instant, every: Duration) -> Instant {
    (due + every).max(Instant::now())
}
