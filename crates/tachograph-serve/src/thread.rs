//! A runtime on a thread of its own, for programs without one.

use std::future::Future;
use std::io;
use std::thread::{Builder, JoinHandle};

use tokio::runtime::{self, Runtime};

/// Threads that write pages or payloads; each stays for some seconds after its work.
const BLOCKING_THREADS: usize = 4;

/// A runtime that runs on whichever thread blocks on it.
pub(crate) fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("tachograph-blocking")
        .build()
}

/// Runs a task to its end on a new thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    runtime: Runtime,
    task: impl Future<Output = T> + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(task))
}
