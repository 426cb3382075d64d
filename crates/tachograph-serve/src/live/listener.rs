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

#[cfg(test)]
mod tests {
    use tachograph::MetricsCollector;
    use tachograph_history::{FORMAT, History, Meta, Settings};
    use tokio::sync::Semaphore;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_frames_is_sent_a_comment_every_15_s() {
        let metrics = MetricsCollector::builder().manual().build();
        let (program, version) = ("mixer".to_owned(), "1".to_owned());
        let meta = Meta {
            format: FORMAT,
            program,
            version,
            started_ms: 1,
            step_ms: 1_000,
            window_ms: None,
        };
        let lines = Arc::new(Lines::new(&meta, 1, 1 << 20));
        let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("one is free");
        let begin = (Vec::new(), Place::before(1));
        let scrapes = Arc::new(Scrapes::new(&metrics));
        let mut listener = Listener::new(Arc::clone(&lines), begin, scrapes, permit);
        assert!(listener.next().await.expect("a line").starts_with(b"event: meta\n"));
        let begun = Instant::now();
        for comments in 1..=3 {
            // A line that starts with a colon is a comment; the empty line ends it.
            assert_eq!(listener.next().await.as_deref(), Some(&b":\n\n"[..]));
            assert_eq!(begun.elapsed(), comments * Duration::from_secs(15));
        }
        lines.add(&Frame::default(), &[], &History::new(Settings::default()));
        let begun = Instant::now();
        assert!(listener.next().await.expect("a line").starts_with(b"event: frame\nid: 1\n"));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        lines.end();
        assert_eq!(listener.next().await, None);
    }
}
