//! The lines of a recording or a live stream, under one numbering of series.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tachograph_history::file::{Error, Reader};
use tachograph_history::{Definition, Frame, Line, Mark, Meta};

use crate::failure::Failure;
use crate::output::Progress;

/// Joins the lines of a program's processes: after a restart, series with the same key and kind
/// keep their number. Keeps every definition, because a series may be idle for any time and then
/// appear again.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    meta: Option<Meta>,
    /// By their numbers here.
    definitions: Vec<Arc<Definition>>,
    by_key: HashMap<Arc<str>, u32>,
    /// From a series' number in the lines of the present process to its number here.
    numbers: HashMap<u32, u32>,
    was_restarted: bool,
    version: u64,
    /// Frames that came again, or after newer ones.
    repeated: u64,
}

/// What a line adds.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A series that was not known before.
    Series(Arc<Definition>),
    /// A frame of known series.
    Frame(Frame),
}

impl Joined {
    /// Takes the next line; `None` if it adds nothing.
    pub(crate) fn take(&mut self, line: Line) -> Option<Piece> {
        match line {
            Line::Meta(meta) => {
                let started = self.meta.as_ref().map(|meta| meta.started_ms);
                if started != Some(meta.started_ms) {
                    self.was_restarted = started.is_some();
                    self.numbers.clear();
                    self.version = 0;
                }
                self.meta = Some(meta);
                None
            }
            Line::Series(definition) => self.define(definition).map(Piece::Series),
            Line::Frame(frame) => self.frame(frame).map(Piece::Frame),
        }
    }

    fn define(&mut self, definition: Definition) -> Option<Arc<Definition>> {
        let fits = |number: &u32| self.definitions[*number as usize].kind == definition.kind;
        let known = self.by_key.get(&definition.key).copied().filter(fits);
        let number = known.unwrap_or(self.definitions.len() as u32);
        self.numbers.insert(definition.number, number);
        if known.is_some() {
            return None;
        }
        let new = Arc::new(Definition { number, ..definition });
        self.by_key.insert(Arc::clone(&new.key), number);
        self.definitions.push(Arc::clone(&new));
        Some(new)
    }

    fn frame(&mut self, mut frame: Frame) -> Option<Frame> {
        // A stream may repeat frames after the connection was lost.
        if frame.version <= self.version && self.version > 0 {
            self.repeated += 1;
            return None;
        }
        self.version = frame.version;
        renumber(&mut frame.counters, &self.numbers);
        renumber(&mut frame.gauges, &self.numbers);
        renumber(&mut frame.timings, &self.numbers);
        if std::mem::take(&mut self.was_restarted) {
            frame.mark(Mark::Restart);
        }
        Some(frame)
    }

    /// The last meta line, if there was one.
    pub(crate) fn meta(&self) -> Option<&Meta> {
        self.meta.as_ref()
    }

    /// All series, by their numbers in joined frames.
    pub(crate) fn definitions(&self) -> &[Arc<Definition>] {
        &self.definitions
    }
}

/// Replaces the lines' numbers by those of the joined frames. Drops entries of undefined series.
fn renumber<T>(entries: &mut Vec<(u32, T)>, numbers: &HashMap<u32, u32>) {
    entries.retain_mut(|(number, _)| match numbers.get(number) {
        Some(known) => {
            *number = *known;
            true
        }
        None => false,
    });
    entries.sort_unstable_by_key(|entry| entry.0);
}

/// A recording, read piece by piece: only one frame of it is in memory at a time.
pub(crate) struct Recording {
    path: PathBuf,
    lines: Reader<BufReader<Box<dyn Read + Send>>>,
    joined: Joined,
    frames: u64,
    progress: Progress,
}

impl Recording {
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let lines = Reader::open(path).map_err(|error| {
            let is_url = path.to_string_lossy().contains("://") && !path.exists();
            let way = match path {
                _ if is_url => format!("; this reads recordings: {MAKE_ONE}"),
                path if path.is_dir() => "; name the recording in this folder".to_owned(),
                _ => String::new(),
            };
            wrong(path, &format!("{error}{way}"))
        })?;
        let (joined, progress) = (Joined::default(), Progress::new());
        Ok(Self { path: path.to_owned(), lines, joined, frames: 0, progress })
    }

    /// The next piece; `None` at the end. Shows on a terminal how far it is.
    ///
    /// # Errors
    /// If the file cannot be read, is empty, or has an invalid line.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Failure> {
        for line in Iterator::by_ref(&mut self.lines) {
            let line = line.map_err(|error| match error {
                Error::Line { line: 1, .. } => {
                    wrong(&self.path, &format!("this is no recording: {error}; {MAKE_ONE}"))
                }
                error => wrong(&self.path, &error.to_string()),
            })?;
            if let Some(piece) = self.joined.take(line) {
                self.frames += u64::from(matches!(piece, Piece::Frame(_)));
                let (path, frames) = (self.path.display(), self.frames);
                self.progress.show(|| format!("reading {path}: {frames} frames"));
                return Ok(Some(piece));
            }
        }
        self.progress.clear();
        let cut = self.lines.cut().filter(|_| self.frames == 0);
        if let Some(cut) = cut {
            let told = format!("it is cut before its first frame: {cut}; {MAKE_ONE}");
            return Err(wrong(&self.path, &told));
        }
        if self.joined.meta.is_none() {
            return Err(wrong(&self.path, &format!("the recording is empty; {MAKE_ONE}")));
        }
        Ok(None)
    }

    /// Makes room on the terminal for something else.
    pub(crate) fn clear_progress(&mut self) {
        self.progress.clear();
    }

    /// What was left out, in sentences about the recording.
    pub(crate) fn notes(&self) -> Vec<String> {
        let cut = self.lines.cut().map(|cut| format!("it is cut: {cut}"));
        let repeated = match self.joined.repeated {
            0 => None,
            repeated => Some(format!(
                "{repeated} of its frames come again or after newer ones and were left out: join \
                 recordings oldest first"
            )),
        };
        cut.into_iter().chain(repeated).collect()
    }

    /// What was read so far.
    pub(crate) fn joined(&self) -> &Joined {
        &self.joined
    }

    /// What was read, without the file.
    pub(crate) fn into_joined(self) -> Joined {
        self.joined
    }
}

const MAKE_ONE: &str = "make one with `tachograph record URL -o FILE`";

fn wrong(path: &Path, error: &str) -> Failure {
    Failure::Input(format!("{}: {error}", path.display()))
}
