//! The places of connections. Listeners give theirs back, because they have a limit of their own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;

/// The places of a server. No library part does this: a full one makes room for a new connection
/// instead of refusing it, because a crowd that only holds places must not keep a scraper out.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    crowded: Arc<Notify>,
}

impl Seats {
    pub(crate) fn new(places: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(places)), crowded: Arc::default() }
    }

    /// The next free one. If all are taken, the connection that has been without a request for
    /// longest must leave.
    pub(crate) async fn next(&self) -> Seat {
        let mut place = Arc::clone(&self.free).try_acquire_owned().ok();
        if place.is_none() {
            // The newest connections have not been heard yet, and most send a request at once.
            yield_now().await;
            self.make_room();
            // Never Err: it is not closed.
            place = Arc::clone(&self.free).acquire_owned().await.ok();
        }
        // If no connection has heeded the last call, it must not hit one that arrives now.
        std::pin::pin!(self.crowded.notified()).enable();
        let shared = Shared { place: Mutex::new(place), heard: Notify::new() };
        Seat { shared: Arc::new(shared), crowded: Arc::clone(&self.crowded) }
    }

    /// Asks the connection to leave that has been without a request for longest.
    pub(crate) fn make_room(&self) {
        self.crowded.notify_one();
    }
}

/// A connection's place, until its client starts to listen. In the extensions of every request.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    shared: Arc<Shared>,
    crowded: Arc<Notify>,
}

#[derive(Debug)]
struct Shared {
    place: Mutex<Option<OwnedSemaphorePermit>>,
    /// Notified of every request, and when the place is given back.
    heard: Notify,
}

impl Seat {
    /// Announces a request.
    pub(crate) fn ask(&self) {
        self.shared.heard.notify_one();
    }

    /// Waits for the next request, or until the place is given back.
    pub(crate) async fn heard(&self) {
        self.shared.heard.notified().await;
    }

    /// Waits until the connection has to leave. Connections are asked in the order in which they
    /// began to wait.
    pub(crate) async fn wanted(&self) {
        self.crowded.notified().await;
    }

    /// Asks the next connection in place of this one, which cannot leave at once.
    pub(crate) fn pass_on(&self) {
        self.crowded.notify_one();
    }

    /// Gives the place back.
    pub(crate) fn leave(&self) {
        drop(self.place().take());
        self.shared.heard.notify_one();
    }

    /// Whether the connection still has its place, so that closing it would make room.
    pub(crate) fn is_taken(&self) -> bool {
        self.place().is_some()
    }

    fn place(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.shared.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
