//! A recording as a report needs it: of a size that a browser holds.

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tachograph::Unit;
use tachograph_history::compare::Run;
use tachograph_history::doctor::{Finding, findings};
use tachograph_history::{Condensed, History, Meta, Settings, format};

use crate::failure::Failure;
use crate::joined::{Piece, Recording};
use crate::output;

/// The interval between two signs of progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// Age bounds the history before this does.
const HISTORY_BYTES: usize = 1 << 30;

#[derive(Debug, Serialize)]
pub(super) struct Recorded {
    pub(super) file: PathBuf,
    pub(super) meta: Meta,
    pub(super) begin_ms: u64,
    pub(super) end_ms: u64,
    /// The number of frames in the file.
    frames: u64,
    /// What a reader has to know of it.
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    condensed: Condensed,
    #[serde(skip)]
    pub(super) findings: Vec<Finding>,
}

impl Recorded {
    /// # Errors
    /// If the file cannot be read, or is no recording, or has no frames.
    pub(super) fn read(file: &Path, bytes_max: usize) -> Result<Self, Failure> {
        let mut recording = Recording::open(file)?;
        let mut progress = Progress { file, shown: Instant::now() };
        // Findings are those that the program itself would have had.
        let mut history = History::new(Settings { bytes: HISTORY_BYTES, ..Settings::default() });
        let mut condensed = None;
        while let Some(piece) = recording.next()? {
            let Some(meta) = recording.joined().meta() else { continue };
            let step = Duration::from_millis(meta.step_ms);
            let condensed = condensed.get_or_insert_with(|| Condensed::new(step, bytes_max));
            match piece {
                Piece::Series(definition) => {
                    condensed.define(&definition);
                    history.define(definition);
                }
                Piece::Frame(frame) => {
                    let frame = Arc::new(frame);
                    condensed.push(&frame);
                    history.push(&frame);
                    progress.show(condensed.taken());
                }
            }
        }
        progress.end();
        let condensed = condensed.map(Condensed::finish);
        let meta = recording.joined().meta();
        let span = condensed.as_ref().and_then(|it| it.begin_ms().zip(it.end_ms()));
        let (Some(condensed), Some((begin_ms, end_ms)), Some(meta)) = (condensed, span, meta)
        else {
            return Err(Failure::Input(format!(
                "{}: the recording has no frames: record for longer than one step",
                file.display()
            )));
        };
        Ok(Self {
            file: file.to_owned(),
            begin_ms,
            end_ms,
            frames: condensed.taken(),
            notes: notes(&condensed, meta, recording.is_torn()),
            meta: meta.clone(),
            condensed,
            findings: findings(&history),
        })
    }

    pub(super) fn run(&self) -> Run {
        Run::new(self.condensed.definitions(), self.condensed.frames())
    }

    pub(super) fn lines(&self) -> String {
        self.condensed.to_lines(&self.meta)
    }
}

fn notes(condensed: &Condensed, meta: &Meta, is_torn: bool) -> Vec<String> {
    let time = |time: Duration| format(time.as_secs_f64(), &Unit::Seconds);
    let mut notes = Vec::new();
    let step = Duration::from_millis(meta.step_ms);
    if condensed.step() > step {
        notes.push(format!(
            "its frames of {} are merged to {}, so that a browser can hold them: counts, sums and \
             extremes are kept, only the resolution in time is coarser",
            time(step),
            time(condensed.step())
        ));
    }
    if condensed.dropped() > 0 {
        notes.push(format!("the first {} frames are left out", condensed.dropped()));
    }
    if is_torn {
        notes.push("it is cut: its last line is incomplete and was ignored".to_owned());
    }
    notes
}

/// A line on the terminal that is written again and again.
struct Progress<'a> {
    file: &'a Path,
    shown: Instant,
}

impl Progress<'_> {
    fn show(&mut self, frames: u64) {
        if self.shown.elapsed() > PROGRESS && stderr().is_terminal() {
            self.shown = Instant::now();
            output::say(&format!("\r\x1b[Kreading {}: {frames} frames", self.file.display()));
        }
    }

    fn end(&self) {
        if stderr().is_terminal() {
            output::say("\r\x1b[K");
        }
    }
}
