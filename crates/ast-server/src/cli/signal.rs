//! The signals that the program handles. A separate thread catches them, so that they are seen
//! whatever the rest of the program waits for.

use std::io;
use std::process::exit;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// By then the program has ended, whatever it waits for.
const STOP_MAX: Duration = Duration::from_millis(4_500);

/// The signals received so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    stops: u32,
    hang_ups: u32,
}

/// The signals to stop the program, or to read its settings again.
pub(super) struct Signals {
    seen: watch::Receiver<Seen>,
    heeded: Seen,
}

impl Signals {
    /// Catches SIGINT, SIGTERM and SIGHUP from now on. After a signal to stop, the program ends
    /// within five seconds, on its own or forced.
    pub(super) fn catch() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let caught = {
            let _context = runtime.enter();
            Caught {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
            }
        };
        let (tell, seen) = watch::channel(Seen::default());
        let run = move || runtime.block_on(caught.tell(&tell));
        thread::Builder::new().name("ast-signals".to_owned()).spawn(run)?;
        Ok(Self { seen, heeded: Seen::default() })
    }

    /// Waits for the next request to stop.
    pub(super) async fn stop(&mut self) {
        let heeded = self.heeded.stops;
        // Err: the thread has ended, which only happens with the program.
        if let Ok(seen) = self.seen.wait_for(|seen| seen.stops > heeded).await {
            self.heeded.stops = seen.stops;
        }
    }

    /// Waits for the next request: `true` to read the settings again, `false` to stop.
    pub(super) async fn next(&mut self) -> bool {
        let heeded = self.heeded;
        match self.seen.wait_for(|seen| *seen != heeded).await {
            Ok(seen) if seen.stops == heeded.stops => {
                self.heeded = *seen;
                true
            }
            Ok(seen) => {
                self.heeded.stops = seen.stops;
                false
            }
            Err(_) => false,
        }
    }
}

struct Caught {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Caught {
    async fn tell(mut self, seen: &watch::Sender<Seen>) {
        while self.one(seen).await {}
        let late = async {
            tokio::time::sleep(STOP_MAX).await;
            tracing::error!("the server has not stopped in time, and ends as it is");
            exit(1);
        };
        let more = async { while self.one(seen).await || !seen.is_closed() {} };
        tokio::join!(late, more);
    }

    /// Passes a signal on; `false` for one that asks to stop.
    async fn one(&mut self, seen: &watch::Sender<Seen>) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {
                seen.send_modify(|seen| seen.hang_ups += 1);
                return true;
            }
        }
        seen.send_modify(|seen| seen.stops += 1);
        false
    }
}
