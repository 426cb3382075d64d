//! A recording as a report needs it: of a size that a browser holds.

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tachograph_history::compare::Run;
use tachograph_history::doctor::{Finding, findings};
use tachograph_history::{Condensed, Facts, History, Settings};

use crate::failure::Failure;
use crate::joined::{Piece, Recording};
use crate::output;

/// The interval between two signs of progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// Age bounds the history before this does.
const HISTORY_BYTES: usize = 1 << 30;

#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) path: PathBuf,
    pub(super) facts: Facts,
    condensed: Condensed,
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
        // Without its folder: a report is passed on.
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let meta = recording.joined().meta();
        let facts =
            condensed.as_ref().zip(meta).and_then(|(condensed, meta)| condensed.facts(&name, meta));
        let (Some(condensed), Some(mut facts)) = (condensed, facts) else {
            return Err(Failure::Input(format!(
                "{}: the recording has no frames: record for longer than one step",
                file.display()
            )));
        };
        if recording.is_torn() {
            facts.notes.push("it is cut: its last line is incomplete and was ignored".to_owned());
        }
        Ok(Self { path: file.to_owned(), facts, condensed, findings: findings(&history) })
    }

    pub(super) fn run(&self) -> Run {
        Run::new(self.condensed.definitions(), self.condensed.frames())
    }

    pub(super) fn lines(&self) -> String {
        self.condensed.to_lines(&self.facts.meta)
    }
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
            output::rewrite(&format!("reading {}: {frames} frames", self.file.display()));
        }
    }

    fn end(&self) {
        if stderr().is_terminal() {
            output::rewrite("");
        }
    }
}
