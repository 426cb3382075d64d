//! Threads that an endpoint or a push starts for itself.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::oneshot;

use crate::bounds::LONGEST;
use crate::error::Error;

/// A single-threaded runtime, for programs without one. The thread that blocks on it drives it.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    if Handle::try_current().is_ok() {
        return Err(Error::runtime("this is async code already: await it instead"));
    }
    runtime::Builder::new_current_thread().enable_all().build().map_err(Error::thread)
}

/// # Errors
/// If this is not called on a tokio runtime.
pub(crate) fn need_runtime() -> Result<(), Error> {
    let told = "there is no tokio runtime here: spawn it on a thread of its own instead";
    Handle::try_current().map(|_| ()).map_err(|_| Error::runtime(told))
}

/// Runs a task to its end on a new thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    runtime: Runtime,
    task: impl Future<Output = T> + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(task))
}

/// A thread that owns a state and runs jobs on it, one after another.
///
/// It is started together with its owner, so no later job fails because no thread can be started.
/// Its jobs do not block a runtime.
#[derive(Debug)]
pub(crate) struct Worker<S> {
    jobs: Option<Sender<Job<S>>>,
    /// Never receives anything: the thread drops the other end when it ends.
    ended: Mutex<Receiver<()>>,
}

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// How long dropping a worker waits for the running job.
const END: Duration = Duration::from_secs(1);

impl<S: Send + 'static> Worker<S> {
    pub(crate) fn start(name: &str, state: S) -> io::Result<Self> {
        Self::paced(name, state, LONGEST, |_| ())
    }

    /// Also calls `tick`, at once and then at every interval.
    pub(crate) fn paced(
        name: &str,
        mut state: S,
        every: Duration,
        tick: impl Fn(&mut S) + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, queued) = mpsc::channel::<Job<S>>();
        let (running, ended) = mpsc::channel();
        Builder::new().name(name.to_owned()).spawn(move || {
            let mut next = Instant::now();
            loop {
                let now = Instant::now();
                if now >= next {
                    // Ticks that a pause missed are not made up for.
                    next = Some(next + every).filter(|next| *next > now).unwrap_or(now + every);
                    // Err: the panic hook has reported it. The next tick may succeed.
                    let _ = catch_unwind(AssertUnwindSafe(|| tick(&mut state)));
                }
                match queued.recv_timeout(next.saturating_duration_since(Instant::now())) {
                    // Err: the caller sees it, because its reply never comes.
                    Ok(job) => drop(catch_unwind(AssertUnwindSafe(|| job(&mut state)))),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            drop((state, running));
        })?;
        Ok(Self { jobs: Some(jobs), ended: Mutex::new(ended) })
    }

    /// Runs a job and returns its result; `None` if it panicked. Skipped if the caller has gone.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, replied) = oneshot::channel();
        let job = move |state: &mut S| {
            if !reply.is_closed() {
                // Err: the caller has gone meanwhile.
                let _ = reply.send(work(state));
            }
        };
        self.jobs.as_ref()?.send(Box::new(job)).ok()?;
        replied.await.ok()
    }
}

impl<S> Drop for Worker<S> {
    fn drop(&mut self) {
        self.jobs = None;
        // Always Err: the thread has ended, or its job takes too long.
        let _ = self.ended.get_mut().map(|ended| ended.recv_timeout(END));
    }
}
