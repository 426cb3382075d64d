//! Calls a program's own function with each change, on a separate thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tachograph_alert::Transition;
use tokio::runtime::Builder;

use crate::alerts::outbox::Outbox;
use crate::thread;

pub(crate) type Callback = dyn Fn(&Transition) + Send + Sync;

/// How long dropping a caller waits for the queued changes.
const END: Duration = Duration::from_millis(500);

/// The thread of one callback. If a call hangs, the changes behind it wait in the outbox.
#[derive(Debug)]
pub(crate) struct Caller {
    outbox: Arc<Outbox>,
    /// Never receives anything: the thread drops the other end when it ends.
    ended: Receiver<()>,
}

impl Caller {
    pub(crate) fn start(callback: Arc<Callback>, outbox: Arc<Outbox>) -> io::Result<Self> {
        let (running, ended) = mpsc::channel();
        let runtime = Builder::new_current_thread().build()?;
        let called = Arc::clone(&outbox);
        // Not joined: nobody waits for a call that hangs.
        let _detached = thread::spawn("tachograph-call", runtime, async move {
            run(&*callback, &called).await;
            drop((callback, running));
        })?;
        Ok(Self { outbox, ended })
    }
}

/// Calls until the outbox is closed and empty.
async fn run(callback: &Callback, outbox: &Outbox) {
    loop {
        while let Some(change) = outbox.batch(1).first() {
            match catch_unwind(AssertUnwindSafe(|| callback(change))) {
                Ok(()) => outbox.take(),
                Err(_) => outbox.refuse("it panicked".to_owned()),
            }
        }
        if outbox.is_closed() {
            return;
        }
        outbox.changed().await;
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.outbox.close();
        // Always Err: the thread has ended, or its call takes too long.
        let _ = self.ended.recv_timeout(END);
    }
}
