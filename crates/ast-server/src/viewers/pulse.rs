//! Signs of life: when a connection last made progress.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep_until;

/// The signs of life of one connection.
#[derive(Debug)]
pub(crate) struct Pulse(Mutex<Signs>);

#[derive(Clone, Copy, Debug)]
struct Signs {
    /// When the other side last sent something, or made room after there was none.
    alive: Instant,
    /// Since when nothing can be written, if so.
    stalled: Option<Instant>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new(Signs { alive: Instant::now(), stalled: None }))
    }
}

impl Pulse {
    fn signs(&self) -> MutexGuard<'_, Signs> {
        // Only two times: a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_read(&self) {
        self.signs().alive = Instant::now();
    }

    fn has_written(&self) {
        let mut signs = self.signs();
        // If there was room all along, only our own kernel has taken the data.
        if signs.stalled.take().is_some() {
            signs.alive = Instant::now();
        }
    }

    fn cannot_write(&self) {
        self.signs().stalled.get_or_insert_with(Instant::now);
    }

    /// Since when the other side has not read the data that is waiting for it.
    pub(crate) fn stalled(&self) -> Option<Instant> {
        self.signs().stalled
    }

    /// Returns when the other side has read nothing for this long, while there was something to
    /// read.
    pub(crate) async fn has_stalled(&self, limit: Duration) {
        lasts(|| self.stalled(), limit).await;
    }

    /// Returns when the other side has given no sign of life for this long.
    pub(crate) async fn has_stopped(&self, limit: Duration) {
        lasts(|| Some(self.signs().alive), limit).await;
    }
}

/// Returns when the state in question has lasted for `limit`.
async fn lasts(since: impl Fn() -> Option<Instant>, limit: Duration) {
    loop {
        let (since, now) = (since(), Instant::now());
        // If it does not hold now, it may start at any moment, and has then lasted long enough by
        // `due`.
        let due = since.unwrap_or(now) + limit;
        if since.is_some() && due <= now {
            return;
        }
        sleep_until(due.into()).await;
    }
}

/// A connection whose signs of life are noted.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S) -> (Self, Arc<Pulse>) {
        let pulse = Arc::<Pulse>::default();
        (Self { stream, pulse: Arc::clone(&pulse) }, pulse)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pulse.has_read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        match written {
            Poll::Ready(_) => self.pulse.has_written(),
            Poll::Pending => self.pulse.cannot_write(),
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_stall_begins_when_nothing_fits_and_ends_when_anything_is_read() {
        let (near, mut far) = duplex(8);
        let (mut near, pulse) = Watched::new(near);
        near.write_all(b"12345678").await.expect("there is room");
        assert_eq!(pulse.stalled(), None, "nothing has to wait");
        let before = pulse.signs().alive;
        let limit = Duration::from_millis(20);
        tokio::select! {
            _ = near.write_all(b"9") => panic!("there is no room"),
            () = pulse.has_stalled(limit) => {}
        }
        assert!(pulse.stalled().is_some_and(|since| since.elapsed() >= limit));
        assert_eq!(pulse.signs().alive, before, "it has not moved");
        far.read_u8().await.expect("a byte");
        near.write_all(b"9").await.expect("there is room for one");
        assert_eq!(pulse.stalled(), None);
        assert!(pulse.signs().alive > before, "it has");
    }

    #[tokio::test]
    async fn what_the_kernel_takes_is_no_sign_of_life_and_what_comes_is_one() {
        let (near, mut far) = duplex(1 << 10);
        let (mut near, pulse) = Watched::new(near);
        let before = pulse.signs().alive;
        near.write_all(b"ping").await.expect("there is room");
        assert_eq!(pulse.signs().alive, before);
        pulse.has_stopped(Duration::from_millis(5)).await;
        far.write_all(b"pong").await.expect("there is room");
        near.read_u32().await.expect("it came");
        assert!(pulse.signs().alive > before);
    }
}
