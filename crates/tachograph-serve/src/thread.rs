//! Threads of an endpoint's or a push's own.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::bounds::LONGEST;
use crate::error::Error;

/// A runtime that runs on whichever thread blocks on it, for programs without one.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    if Handle::try_current().is_ok() {
        return Err(Error::runtime("this is async code already: await it instead"));
    }
    runtime::Builder::new_current_thread().enable_all().build().map_err(Error::thread)
}

/// # Errors
/// Where there is no runtime to run on.
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

/// Work for one of the runtime's blocking threads; `None` if it panicked, or if there is no thread
/// for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let is_wanted = Arc::new(());
    let wanted = Arc::downgrade(&is_wanted);
    // Where no thread can be started, tokio panics, but keeps the work for a later one.
    let start = || spawn_blocking(move || wanted.upgrade().map(|_| work()));
    let task = catch_unwind(AssertUnwindSafe(start)).ok()?;
    task.await.ok().flatten()
}

/// A thread that works on something of its own, one piece of work after the other.
///
/// It starts with whatever needs it, so no later work fails for want of a thread; and it keeps no
/// runtime waiting.
#[derive(Debug)]
pub(crate) struct Worker<S> {
    jobs: Option<Sender<Job<S>>>,
    /// Nothing ever comes: the thread drops the other end when it ends.
    ended: Mutex<Receiver<()>>,
}

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// How long dropping a worker waits for the work that is being done.
const END: Duration = Duration::from_secs(1);

impl<S: Send + 'static> Worker<S> {
    pub(crate) fn start(name: &str, state: S) -> io::Result<Self> {
        Self::paced(name, state, LONGEST, |_| ())
    }

    /// One that also does a thing of its own: at once, and then every so often.
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
                    // What was missed in a pause is not made up for.
                    next = Some(next + every).filter(|next| *next > now).unwrap_or(now + every);
                    // Err: the panic hook has told why. The next time may be better.
                    let _ = catch_unwind(AssertUnwindSafe(|| tick(&mut state)));
                }
                match queued.recv_timeout(next.saturating_duration_since(Instant::now())) {
                    // Err: whoever waits for it is told by the reply that does not come.
                    Ok(job) => drop(catch_unwind(AssertUnwindSafe(|| job(&mut state)))),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            drop((state, running));
        })?;
        Ok(Self { jobs: Some(jobs), ended: Mutex::new(ended) })
    }

    /// What the work comes to; `None` if it panicked. Left out when nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, replied) = oneshot::channel();
        let job = move |state: &mut S| {
            if !reply.is_closed() {
                // Err: whoever asked has gone meanwhile.
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
        // Err, which it always is: the thread has ended, or its work takes too long.
        let _ = self.ended.get_mut().map(|ended| ended.recv_timeout(END));
    }
}
