//! A body that many clients read at once, and the memory that all such bodies take.
//!
//! A client that reads slowly holds on to the body that it was given while newer ones are made. So
//! that a hundred of them do not hold a hundred bodies, all bodies together have a budget: beyond
//! it, those are given up that nobody has taken from for a while, the longest first, and who has
//! not read one to its end is cut off.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// What is copied into a connection at a time, and all that a connection holds of a body.
const PIECE_BYTES: usize = 16 * 1024;

/// A body that somebody has taken from so lately is not given up: a good reader is at work.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// A whole body.
#[derive(Debug)]
pub(crate) struct Rendering {
    state: Mutex<State>,
    bytes: usize,
}

#[derive(Debug)]
struct State {
    /// `None` once it is given up.
    body: Option<Bytes>,
    /// When a piece of it was last taken.
    taken: Instant,
}

impl Rendering {
    /// The whole body; `None` once it is given up.
    pub(crate) fn body(&self) -> Option<Bytes> {
        self.state().body.clone()
    }

    /// How long it is, given up or not.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn piece(&self, at: usize) -> Option<Bytes> {
        let mut state = self.state();
        state.taken = Instant::now();
        let body = state.body.as_ref()?;
        let end = body.len().min(at + PIECE_BYTES);
        // A copy: a slice would keep the whole body alive in the connection's buffer.
        Some(Bytes::copy_from_slice(&body[at..end]))
    }

    /// Nothing can panic while it is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that all bodies together may take.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    alive: Mutex<Vec<Weak<Rendering>>>,
}

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, alive: Mutex::default() }
    }

    /// Takes in a new body, and gives up others while all together are too large. Returns how
    /// many those were. The new one stays, whatever its size.
    pub(crate) fn admit(&self, body: Bytes, now: Instant) -> (Arc<Rendering>, u64) {
        let bytes = body.len();
        let state = Mutex::new(State { body: Some(body), taken: now });
        let new = Arc::new(Rendering { state, bytes });
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.retain(|rendering| rendering.strong_count() > 0);
        let given_up = self.make_room(&mut alive, bytes, now);
        alive.push(Arc::downgrade(&new));
        (new, given_up)
    }

    fn make_room(&self, alive: &mut Vec<Weak<Rendering>>, bytes: usize, now: Instant) -> u64 {
        let mut others: Vec<_> = alive.iter().filter_map(Weak::upgrade).collect();
        let mut held = bytes + others.iter().map(|rendering| rendering.bytes).sum::<usize>();
        others.sort_by_cached_key(|rendering| rendering.state().taken);
        let mut given_up = 0;
        for rendering in others {
            let mut state = rendering.state();
            let left_alone = now.saturating_duration_since(state.taken) >= LEFT_ALONE;
            if held <= self.bytes_max || !left_alone {
                break;
            }
            state.body = None;
            held -= rendering.bytes;
            given_up += 1;
        }
        alive.retain(|it| it.upgrade().is_some_and(|it| it.state().body.is_some()));
        given_up
    }
}

/// One client's way through a body.
#[derive(Debug)]
pub(crate) struct Answer {
    rendering: Arc<Rendering>,
    at: usize,
}

/// The body was given up before the client had read it.
#[derive(Debug, thiserror::Error)]
#[error("the answer was given up: its reader was too slow")]
pub(crate) struct GivenUp;

impl Answer {
    pub(crate) fn new(rendering: Arc<Rendering>) -> Self {
        Self { rendering, at: 0 }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let piece = self.rendering.piece(self.at).ok_or(GivenUp);
        if let Ok(piece) = &piece {
            self.at += piece.len();
        }
        Poll::Ready(Some(piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.rendering.bytes
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.rendering.bytes - self.at) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &mut Answer) -> Option<Result<Bytes, GivenUp>> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match Pin::new(answer).poll_frame(&mut cx) {
            Poll::Ready(frame) => frame.map(|it| it.map(|it| it.into_data().expect("data"))),
            Poll::Pending => panic!("a body that is there does not wait"),
        }
    }

    #[test]
    fn a_body_is_read_in_pieces_to_its_end() {
        let whole: Vec<u8> = (0..PIECE_BYTES as u32 * 5 / 2).map(|i| (i % 251) as u8).collect();
        let (rendering, _) = Budget::new(0).admit(whole.clone().into(), Instant::now());
        let mut answer = Answer::new(rendering);
        let mut got = Vec::new();
        while let Some(piece) = read(&mut answer) {
            got.extend_from_slice(&piece.expect("not given up"));
            assert_eq!(answer.size_hint().exact(), Some((whole.len() - got.len()) as u64));
        }
        assert_eq!(got, whole);
    }

    #[test]
    fn beyond_the_budget_bodies_are_given_up_that_nobody_takes_from() {
        let budget = Budget::new(3 * PIECE_BYTES);
        let start = Instant::now() - 10 * LEFT_ALONE;
        let admit = |bytes, at| budget.admit(vec![7; bytes].into(), start + at);
        let (first, _) = admit(PIECE_BYTES + 1, LEFT_ALONE);
        let (second, _) = admit(PIECE_BYTES + 1, 2 * LEFT_ALONE);
        let (third, given_up) = admit(PIECE_BYTES, LEFT_ALONE * 19 / 10);
        assert_eq!(given_up, 0, "both were taken from a moment ago");
        let mut reader = Answer::new(Arc::clone(&first));
        read(&mut reader).expect("a piece").expect("not given up");
        let (fourth, given_up) = admit(PIECE_BYTES, 4 * LEFT_ALONE);
        assert_eq!(given_up, 2);
        let there = [&first, &second, &third, &fourth].map(|it| it.body().is_some());
        assert_eq!(there, [true, false, false, true], "the first is being read");
        assert!(read(&mut reader).is_some_and(|piece| piece.is_ok()));
        assert!(read(&mut Answer::new(second)).is_some_and(|piece| piece.is_err()));
        drop((first, reader));
        let (_, given_up) = admit(2 * PIECE_BYTES, 9 * LEFT_ALONE);
        assert_eq!(given_up, 0, "what nobody holds takes no memory");
        assert_eq!(admit(100 * PIECE_BYTES, 9 * LEFT_ALONE).1, 1, "alone, any size is fine");
    }
}
