//! A body being sent to one client.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Bytes passed to a connection at a time: a slice of the body that all clients share.
const PIECE_BYTES: usize = 64 * 1024;

/// Ends the connection of a client that has not read the whole body in time, however steadily it
/// reads, because it keeps the body in memory. The connection itself handles clients that read
/// nothing.
#[derive(Debug)]
pub(crate) struct Answer {
    rest: Bytes,
    until: Instant,
}

#[derive(Debug, thiserror::Error)]
#[error("the client took too long to read the answer")]
pub(crate) struct TooSlow;

impl Answer {
    pub(crate) fn new(body: Bytes, within: Duration) -> Self {
        Self { rest: body, until: Instant::now() + within }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = TooSlow;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooSlow>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        if Instant::now() > self.until {
            return Poll::Ready(Some(Err(TooSlow)));
        }
        let bytes = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &mut Answer) -> Option<Result<Bytes, TooSlow>> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match Pin::new(answer).poll_frame(&mut cx) {
            Poll::Ready(frame) => frame.map(|it| it.map(|it| it.into_data().expect("data"))),
            Poll::Pending => panic!("a body that is there does not wait"),
        }
    }

    #[test]
    fn a_body_is_read_in_pieces_to_its_end_without_a_copy() {
        let whole: Vec<u8> = (0..PIECE_BYTES as u32 * 5 / 2).map(|i| (i % 251) as u8).collect();
        let body = Bytes::from(whole.clone());
        let mut answer = Answer::new(body.clone(), Duration::from_secs(60));
        let mut got = Vec::new();
        while let Some(piece) = read(&mut answer) {
            let piece = piece.expect("in time");
            assert_eq!(piece.as_ptr(), body[got.len()..].as_ptr());
            got.extend_from_slice(&piece);
            assert_eq!(answer.size_hint().exact(), Some((whole.len() - got.len()) as u64));
        }
        assert_eq!(got, whole);
    }

    #[test]
    fn a_reader_that_takes_too_long_gets_no_more() {
        let mut answer = Answer::new(vec![7; 2 * PIECE_BYTES].into(), Duration::from_secs(60));
        assert!(read(&mut answer).is_some_and(|piece| piece.is_ok()));
        answer.until = Instant::now() - Duration::from_secs(1);
        assert!(read(&mut answer).is_some_and(|piece| piece.is_err()));
    }
}
