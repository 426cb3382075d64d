//! A collector's threads: starting, stopping and forgetting them.
//!
//! # Synchronization
//! A [`Stop`] carries the request to end and the news that it has ended; `unpark` wakes the other
//! side.

use std::ffi::CStr;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::run::background::Background;
use crate::run::stop::Stop;
use crate::sync::{Arc, Mutex, MutexGuard, fault, lock};

/// Called at the start of each background thread.
pub(crate) type ThreadStart = Arc<dyn Fn() + Send + Sync>;

/// The threads of a collector.
pub(crate) struct Threads {
    running: Mutex<Option<Running>>,
    on_start: Option<ThreadStart>,
}

/// The threads that were started for a collector.
pub(crate) struct Running {
    pub(crate) driver: Started,
    /// Calibrates the time-stamp counter, then ends.
    pub(crate) calibration: Option<Started>,
}

/// A thread that was started.
pub(crate) struct Started {
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

impl Threads {
    pub(crate) fn new(on_start: Option<ThreadStart>) -> Self {
        Self { running: Mutex::new(None), on_start }
    }

    /// Starts a thread that can be waited for.
    pub(crate) fn spawn(
        &self,
        name: &'static CStr,
        body: impl FnOnce(&Stop<Thread>) + Send + 'static,
    ) -> io::Result<Started> {
        let stop = Arc::new(Stop::new());
        let (stop_of_thread, on_start) = (Arc::clone(&stop), self.on_start.clone());
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
