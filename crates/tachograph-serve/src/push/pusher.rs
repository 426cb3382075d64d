//! A running push: one task makes payloads, one delivers them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tachograph::MetricsCollector;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout_at};

use crate::bounds::bounded;
use crate::error::Error;
use crate::push::delivery::Delivery;
use crate::push::queue::Queue;
use crate::push::report::{Loss, PushReport, Pushes};
use crate::push::source::Writer;
use crate::thread;

/// The state shared by the tasks and the handle of a push.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) metrics: MetricsCollector,
    pub(crate) queue: Queue,
    pub(crate) pushes: Pushes,
}

/// A running push. Dropping it stops it at once, without a final payload.
#[must_use = "a push ends when its handle is dropped"]
#[derive(Debug)]
pub struct Pusher {
    shared: Arc<Shared>,
    deadline: watch::Sender<Option<Instant>>,
    tasks: JoinSet<()>,
}

impl Pusher {
    /// `first` is the time until the first payload.
    pub(crate) fn start(
        delivery: Delivery,
        deadline: watch::Sender<Option<Instant>>,
        writer: Writer,
        first: Duration,
        every: Duration,
    ) -> Self {
        let shared = Arc::clone(&delivery.shared);
        let mut tasks = JoinSet::new();
        let mut ticks = interval_at(Instant::now() + first, every);
        // After the whole process was paused, one payload says as much as ten.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let was_on = shared.metrics.enabled();
        let writer = Arc::new(Mutex::new(writer));
        let maker = Maker { shared: Arc::clone(&shared), writer, was_on };
        tasks.spawn(maker.run(ticks, deadline.subscribe()));
        tasks.spawn(delivery.run());
        Self { shared, deadline, tasks }
    }

    /// The report so far.
    pub fn report(&self) -> PushReport {
        self.shared.pushes.report()
    }

    /// Pushes everything recorded so far, delivers what is queued, and ends, all within the
    /// timeout. Whatever is not delivered by then is dropped, and counted in the report.
    pub async fn shutdown(mut self, timeout: Duration) -> PushReport {
        let deadline = Instant::now() + bounded(timeout, Duration::ZERO);
        self.deadline.send_replace(Some(deadline));
        let done = async { while self.tasks.join_next().await.is_some() {} };
        if timeout_at(deadline, done).await.is_err() {
            self.tasks.shutdown().await;
        }
        let left = self.report().waiting();
        self.shared.pushes.note_dropped(Loss::Shutdown, left);
        self.report()
    }
}

/// Makes payloads.
struct Maker {
    shared: Arc<Shared>,
    writer: Arc<Mutex<Writer>>,
    /// Whether the collector was enabled when the last payload was made.
    was_on: bool,
}

impl Maker {
    /// Makes a payload at every tick, and a final one at the end.
    async fn run(mut self, mut ticks: Interval, mut deadline: watch::Receiver<Option<Instant>>) {
        loop {
            let is_last = tokio::select! {
                _ = ticks.tick() => false,
                // Err: the handle is gone, and the tasks with it.
                _ = deadline.changed() => true,
            };
            if is_last || self.shared.queue.has_room() {
                self.make().await;
            } else {
                self.shared.pushes.note_postponed();
            }
            if is_last {
                break;
            }
        }
        self.shared.queue.close();
    }

    async fn make(&mut self) {
        let Shared { metrics, queue, pushes } = &*self.shared;
        // If it is switched off or shut down, there is nothing new, except what was recorded before
        // that.
        let is_on = metrics.enabled();
        if !std::mem::replace(&mut self.was_on, is_on) && !is_on {
            return;
        }
        let (metrics, writer) = (metrics.clone(), Arc::clone(&self.writer));
        let written = on_a_blocking_thread(move || {
            // A panic leaves the writer valid.
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write(&metrics.get_all_metrics())
        });
        match written.await {
            Some(Some(payload)) => {
                pushes.note_payload(payload.body.len());
                pushes.note_dropped(Loss::QueueFull, queue.push(payload));
                pushes.note_waiting(queue.len());
            }
            // There is nothing to send.
            Some(None) => {}
            None => {
                pushes.note_payload(0);
                pushes.note_dropped(Loss::Panicked, 1);
            }
        }
    }
}

/// Runs work on one of the runtime's blocking threads; `None` if it panicked, or if no thread can
/// be started for it.
async fn on_a_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let is_wanted = Arc::new(());
    let wanted = Arc::downgrade(&is_wanted);
    // If no thread can be started, tokio panics, but keeps the work for a later one.
    let start = || spawn_blocking(move || wanted.upgrade().map(|_| work()));
    let task = catch_unwind(AssertUnwindSafe(start)).ok()?;
    task.await.ok().flatten()
}

/// A running push on a separate thread. Dropping it stops it at once, without a final payload.
#[must_use = "a push ends when its handle is dropped"]
#[derive(Debug)]
pub struct PusherThread {
    shared: Arc<Shared>,
    stop: oneshot::Sender<Duration>,
    thread: JoinHandle<PushReport>,
}

impl PusherThread {
    pub(crate) fn start(runtime: Runtime, pusher: Pusher) -> Result<Self, Error> {
        let shared = Arc::clone(&pusher.shared);
        let (stop, stopped) = oneshot::channel();
        let push = async move {
            match stopped.await {
                Ok(timeout) => pusher.shutdown(timeout).await,
                Err(_) => pusher.report(),
            }
        };
        let thread = thread::spawn("tachograph-push", runtime, push).map_err(Error::thread)?;
        Ok(Self { shared, stop, thread })
    }

    /// The report so far.
    pub fn report(&self) -> PushReport {
        self.shared.pushes.report()
    }

    /// Like [`Pusher::shutdown`]. Returns when the thread has ended; it blocks, so do not call it
    /// from async code.
    pub fn shutdown(self, timeout: Duration) -> PushReport {
        // Err: the thread has already ended.
        let _ = self.stop.send(timeout);
        // Err: the panic hook has reported the reason.
        self.thread.join().unwrap_or_else(|_| self.shared.pushes.report())
    }
}
