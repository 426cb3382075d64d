//! A stream whose reader must not dawdle, and which does not keep the other connections waiting.

use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::seat::Seat;

/// What a connection may write before it is the others' turn. The kernel takes megabytes from who
/// has asked for enough: of a hundred such clients, each would be served to its end before the next
/// scrape is looked at.
const TURN_BYTES: usize = 16 * 1024;

/// A stream that fails when what was written is not taken in time.
///
/// Time runs from the first write that has to wait until the next flush that succeeds: hyper
/// flushes when a whole answer is written. So reading a byte now and then gains no time.
#[derive(Debug)]
pub(crate) struct WriteDeadline<S> {
    stream: S,
    allowed: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    seat: Arc<Seat>,
    /// Bytes written in this turn.
    turn: usize,
    /// Whether the seat has been told that an answer is under way.
    is_under_way: bool,
}

impl<S> WriteDeadline<S> {
    pub(crate) fn new(stream: S, allowed: Duration, seat: Arc<Seat>) -> Self {
        Self { stream, allowed, deadline: None, seat, turn: 0, is_under_way: false }
    }

    /// What the stream says, or that the time is up.
    fn within<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            return outcome;
        }
        self.tell_under_way();
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.allowed)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn tell_under_way(&mut self) {
        self.is_under_way = true;
        self.seat.has_begun_answer();
    }

    /// Pending once after each turn, to be polled again after all who wait now.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.turn < TURN_BYTES {
            return Poll::Ready(());
        }
        self.turn = 0;
        self.tell_under_way();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What a write says, counted.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.turn += bytes;
        }
        self.within(cx, outcome)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    // Vectored, hyper writes a shared body from where it is instead of copying it first.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        if outcome.is_ready() && mem::take(&mut self.is_under_way) {
            self.deadline = None;
            self.seat.has_ended_answer();
        }
        self.within(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.within(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::task::{Wake, Waker};

    use tokio::sync::Notify;

    use super::*;

    /// How often the task was told to go on.
    #[derive(Default)]
    struct Woken(Mutex<usize>);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            *self.0.lock().expect("nobody panics") += 1;
        }
    }

    #[test]
    fn whoever_writes_much_to_a_good_reader_lets_the_others_have_their_turns() {
        let seat = Seat::new(Arc::new(Notify::new()));
        let silent = Seat::new(Arc::new(Notify::new()));
        let sink = tokio::io::sink();
        let mut stream = WriteDeadline::new(sink, Duration::from_secs(1), Arc::clone(&seat));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let (mut left, mut turns) = (10 * TURN_BYTES, 0);
        while left > 0 {
            let piece = vec![0; TURN_BYTES / 4];
            match Pin::new(&mut stream).poll_write(&mut cx, &piece) {
                Poll::Ready(written) => left -= written.expect("a sink takes everything"),
                Poll::Pending => turns += 1,
            }
        }
        assert_eq!((turns, *woken.0.lock().expect("nobody panics")), (9, 9));
        assert!(stream.deadline.is_none(), "the client has never kept it waiting");
        assert!(silent.rank() < seat.rank(), "its answer is under way");
        assert!(Pin::new(&mut stream).poll_flush(&mut cx).is_ready());
        let later = Seat::new(Arc::new(Notify::new()));
        assert!(seat.rank() < later.rank(), "it is as silent as the others");
    }
}
