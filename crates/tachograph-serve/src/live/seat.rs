//! The place of a connection. Listeners give it back, because they have a limit of their own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit};

/// A connection's place, until its client starts to listen. In the extensions of every request.
#[derive(Clone, Debug)]
pub(crate) struct Seat(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    place: Mutex<Option<OwnedSemaphorePermit>>,
    /// Notified of every request, and when the place is given back.
    heard: Notify,
}

impl Seat {
    pub(crate) fn new(place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Shared { place: Mutex::new(Some(place)), heard: Notify::new() }))
    }

    /// Announces a request.
    pub(crate) fn ask(&self) {
        self.0.heard.notify_one();
    }

    /// Waits for the next request, or until the place is given back.
    pub(crate) async fn heard(&self) {
        self.0.heard.notified().await;
    }

    /// Gives the place back.
    pub(crate) fn leave(&self) {
        drop(self.place().take());
        self.0.heard.notify_one();
    }

    /// Whether the connection still has its place, so that closing it would make room.
    pub(crate) fn is_taken(&self) -> bool {
        self.place().is_some()
    }

    fn place(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
