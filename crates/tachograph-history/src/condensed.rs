//! A recording merged until it fits a number of bytes.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tachograph::Unit;

use crate::definition::Definition;
use crate::frame::{Frame, Mark};
use crate::history::steps;
use crate::line::Meta;
use crate::standing::Standing;
use crate::text::format;

/// Collects a recording of any length, and merges its frames so that its lines take at most a given
/// number of bytes, for example what a browser can hold.
///
/// Every time the limit is reached, frames are merged to twice their length: counts, sums, minima,
/// maxima and buckets are kept, and no frame is merged across a mark. Where marks leave nothing to
/// merge, the oldest frames are dropped, and [`Condensed::left_out`] is their time. Memory is
/// bounded by the limit.
#[derive(Clone, Debug)]
pub struct Condensed {
    bytes_max: usize,
    step: Duration,
    definitions: Vec<Arc<Definition>>,
    frames: Vec<Arc<Frame>>,
    /// The bytes of the lines of all definitions and frames.
    bytes: usize,
    taken: u64,
    dropped: usize,
    left_out: Duration,
}

/// What a report tells of a recording besides its frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// Where the recording is from.
    pub file: String,
    /// The recording's own meta line.
    pub meta: Meta,
    /// When its first frame begins, in milliseconds since 1970.
    pub begin_ms: u64,
    /// When its last frame ends.
    pub end_ms: u64,
    /// The number of its frames.
    pub frames: u64,
    /// What a reader has to know of it, in sentences.
    pub notes: Vec<String>,
}

impl Condensed {
    /// The bytes of lines that a browser holds well.
    pub const BROWSER_BYTES: usize = 16 << 20;

    /// For frames of `step`, and lines of at most `bytes_max` bytes.
    pub fn new(step: Duration, bytes_max: usize) -> Self {
        Self {
            bytes_max,
            step: step.max(Duration::from_millis(1)),
            definitions: Vec::new(),
            frames: Vec::new(),
            bytes: 0,
            taken: 0,
            dropped: 0,
            left_out: Duration::ZERO,
        }
    }

    /// Adds a definition, before the first frame that uses it.
    pub fn define(&mut self, definition: &Arc<Definition>) {
        self.bytes += definition.to_line().len();
        self.definitions.push(Arc::clone(definition));
    }

    /// Adds the next frame.
    pub fn push(&mut self, frame: &Arc<Frame>) {
        self.taken += 1;
        self.bytes += frame.to_line().len();
        self.frames.push(Arc::clone(frame));
        if self.bytes > self.bytes_max {
            self.shrink();
        }
    }

    /// Merges to the present step, and to twice that while it is still almost full; drops the
    /// oldest frame if only marks are left between frames.
    fn shrink(&mut self) {
        self.merge();
        let spans = self.frames.iter().map(|frame| frame.span());
        let covered = spans.fold(Duration::ZERO, Duration::saturating_add);
        // A merging that frees little would soon be repeated.
        while self.bytes > self.bytes_max / 16 * 15 && self.step < covered {
            self.step = self.step.saturating_mul(2);
            self.merge();
        }
        // Down to half, so that dropping is rare too.
        if self.bytes > self.bytes_max {
            self.drop_oldest(self.bytes_max / 2);
        }
    }

    fn drop_oldest(&mut self, bytes_max: usize) {
        let (mut count, mut standing) = (0, Standing::default());
        while self.bytes > bytes_max && count + 1 < self.frames.len() {
            let frame = &self.frames[count];
            self.bytes -= frame.to_line().len();
            self.left_out =
                self.left_out.saturating_add(Duration::from_millis(self.span_ms(frame)));
            standing.note(frame);
            count += 1;
        }
        self.frames.drain(..count);
        if let Some(first) = self.frames.first_mut() {
            self.bytes -= first.to_line().len();
            standing.begin(first);
            self.bytes += first.to_line().len();
        }
        self.dropped += count;
    }

    fn merge(&mut self) {
        let size =
            |frames: &[Arc<Frame>]| frames.iter().map(|it| it.to_line().len()).sum::<usize>();
        self.bytes -= size(&self.frames);
        self.frames = steps(std::mem::take(&mut self.frames), self.step).collect();
        self.bytes += size(&self.frames);
    }

    /// Merges the frames that came after the last merging, so that all have about the same length.
    #[must_use]
    pub fn finish(mut self) -> Self {
        if self.taken > (self.frames.len() + self.dropped) as u64 {
            self.merge();
        }
        self
    }

    /// The definitions, in the order in which they were added.
    pub fn definitions(&self) -> &[Arc<Definition>] {
        &self.definitions
    }

    /// The frames, oldest first.
    pub fn frames(&self) -> &[Arc<Frame>] {
        &self.frames
    }

    /// The time that a frame was recorded in.
    fn span_ms(&self, frame: &Frame) -> u64 {
        let step_ms = u64::try_from(self.step.as_millis()).unwrap_or(u64::MAX);
        let is_whole = !frame.marks.contains(&Mark::Start);
        if is_whole { frame.span_ms } else { frame.span_ms.min(step_ms) }
    }

    /// How long a frame is: the recording's own step, or a multiple of it.
    pub fn step(&self) -> Duration {
        self.step
    }

    /// The number of frames that were added.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How much time at the beginning is left out, with its frames.
    pub fn left_out(&self) -> Duration {
        self.left_out
    }

    /// What a report tells of the recording; `None` if it has no frames. A frame that holds
    /// everything since the program's start counts as a step. `file` says where it is from.
    pub fn facts(&self, file: &str, meta: &Meta) -> Option<Facts> {
        let (first, last) = (self.frames.first()?, self.frames.last()?);
        Some(Facts {
            file: file.to_owned(),
            meta: meta.clone(),
            begin_ms: first.end_ms.saturating_sub(self.span_ms(first)),
            end_ms: last.end_ms,
            frames: self.taken,
            notes: self.notes(Duration::from_millis(meta.step_ms)),
        })
    }

    /// What was merged or left out; `step` is the recording's own.
    fn notes(&self, step: Duration) -> Vec<String> {
        let time = |time: Duration| format(time.as_secs_f64(), &Unit::Seconds);
        let merged = (self.step > step).then(|| {
            format!(
                "its frames of {} are merged to {}, so that a browser can hold them: counts, sums \
                 and extremes are kept, only the resolution in time is coarser",
                time(step),
                time(self.step)
            )
        });
        let short = !self.left_out.is_zero();
        let short = short.then(|| format!("its first {} are left out", time(self.left_out)));
        merged.into_iter().chain(short).collect()
    }

    /// The recording as its lines, with the length of the merged frames in the meta line.
    pub fn to_lines(&self, meta: &Meta) -> String {
        let step_ms = u64::try_from(self.step.as_millis()).unwrap_or(u64::MAX);
        let mut lines = Meta { step_ms, ..meta.clone() }.to_line();
        lines.reserve(self.bytes);
        lines.extend(self.definitions.iter().map(|it| it.to_line()));
        lines.extend(self.frames.iter().map(|it| it.to_line()));
        lines
    }
}
