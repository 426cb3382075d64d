//! The lines of a past time range, written piece by piece while they are read.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use futures_util::stream::unfold;
use tachograph_history::{Definition, Frame, Meta, steps};

use crate::live::site::Live;
use crate::pages::answer::TooSlow;

/// The approximate size of a piece.
const PIECE_BYTES: usize = 64 * 1024;

type Lines = Box<dyn Iterator<Item = String> + Send>;

/// The lines of frames merged into steps: the meta line, the definitions, the frames.
pub(crate) fn lines(
    meta: &Meta,
    frames: Vec<Arc<Frame>>,
    definitions: Vec<Arc<Definition>>,
    step: Duration,
) -> Lines {
    let used: HashSet<_> = frames.iter().flat_map(|frame| frame.numbers()).collect();
    let used = definitions.into_iter().filter(move |it| used.contains(&it.number));
    let defined = used.map(|definition| definition.to_line());
    let frames = steps(frames, step).map(|frame| frame.to_line());
    Box::new(std::iter::once(meta.to_line()).chain(defined).chain(frames))
}

/// A body of lines, for a client that must read it in time. Only one piece is in memory at a time.
pub(crate) fn body(live: Arc<Live>, lines: Lines, within: Duration) -> Body {
    let until = Instant::now() + within;
    Body::from_stream(unfold(Some(lines), move |lines| {
        let live = Arc::clone(&live);
        async move {
            let mut lines = lines?;
            if Instant::now() > until {
                return Some((Err(TooSlow), None));
            }
            let write = move |_: &mut _| {
                let mut piece = String::new();
                while piece.len() < PIECE_BYTES
                    && let Some(line) = lines.next()
                {
                    piece += &line;
                }
                (piece, lines)
            };
            // None: it panicked, which ends the answer early; its length then shows that.
            let (piece, lines) = live.writer.run(write).await?;
            (!piece.is_empty()).then(|| (Ok(Bytes::from(piece)), Some(lines)))
        }
    }))
}
