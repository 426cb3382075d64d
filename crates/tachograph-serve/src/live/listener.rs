//! A listener: a stream of server-sent events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tachograph_history::Frame;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use crate::live::lines::{Lines, Piece, Place, event};
use crate::pages::scrapes::Scrapes;

/// How long a connection may be silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A listener, with what it still has to be sent.
#[derive(Debug)]
pub(crate) struct Listener {
    lines: Arc<Lines>,
    changes: watch::Receiver<bool>,
    place: Place,
    /// Merged frames from before the lines.
    older: std::vec::IntoIter<Arc<Frame>>,
    scrapes: Arc<Scrapes>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    pub(crate) fn new(
        lines: Arc<Lines>,
        (older, place): (Vec<Arc<Frame>>, Place),
        scrapes: Arc<Scrapes>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        scrapes.note_listener(true);
        let changes = lines.changes();
        Self { lines, changes, place, older: older.into_iter(), scrapes, _permit: permit }
    }

    /// What to send next, once there is something; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if *self.changes.borrow_and_update() {
                return None;
            }
            if let Some(text) = self.read() {
                return Some(text);
            }
            match timeout(KEEP_ALIVE, self.changes.changed()).await {
                Ok(changed) => changed.ok()?,
                Err(_) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    fn read(&mut self) -> Option<Bytes> {
        if self.older.len() > 0 {
            let next = self.lines.read_definitions(&mut self.place);
            let older = || self.older.next().map(|it| event("frame", None, &it.to_line()));
            return next.or_else(older);
        }
        Some(match self.lines.read(&mut self.place)? {
            Piece::Text(text) => text,
            Piece::Lost(frames) => {
                self.scrapes.note_lost(frames);
                event("lost", None, &format!("{{\"frames\":{frames}}}"))
            }
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.scrapes.note_listener(false);
    }
}
