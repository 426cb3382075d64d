//! A history put together from lines, of a file or of a live stream.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tachograph_history::file::Reader;
use tachograph_history::{Definition, Frame, History, Line, Mark, Meta, Settings};

use crate::failure::Failure;

/// Bytes that the frames of a file may take; what is older is left out.
const FILE_BYTES: usize = 1 << 30;

/// A history that takes lines. Restarted programs go on in it: each series keeps its place.
#[derive(Debug)]
pub struct Replay {
    history: History,
    meta: Option<Meta>,
    /// The numbers that the lines have for series, and those that the history has.
    numbers: HashMap<u32, u32>,
    next: u32,
    was_restarted: bool,
    version: u64,
    is_torn: bool,
}

impl Replay {
    /// An empty one.
    pub fn new(settings: Settings) -> Self {
        Self {
            history: History::new(settings),
            meta: None,
            numbers: HashMap::new(),
            next: 0,
            was_restarted: false,
            version: 0,
            is_torn: false,
        }
    }

    /// Reads a recording, all of it as far as memory goes.
    ///
    /// # Errors
    /// If the file is none, or has a wrong line.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: String| Failure::Input(format!("{}: {error}", path.display()));
        let day = Duration::from_secs(86_400);
        let settings = Settings {
            fine: day * 3_650,
            coarse: Duration::ZERO,
            bytes: FILE_BYTES,
            ..Settings::default()
        };
        let mut replay = Self::new(settings);
        let mut lines = Reader::open(path).map_err(|error| wrong(error.to_string()))?;
        for line in Iterator::by_ref(&mut lines) {
            replay.take(line.map_err(|error| wrong(error.to_string()))?);
        }
        if replay.meta.is_none() {
            return Err(wrong("it is empty; `tachograph record URL -o FILE` makes one".to_owned()));
        }
        replay.is_torn = lines.is_torn();
        Ok(replay)
    }

    /// Takes the next line; says whether it was a frame that is new.
    pub fn take(&mut self, line: Line) -> bool {
        match line {
            Line::Meta(meta) => {
                let started = self.meta.as_ref().map(|meta| meta.started_ms);
                if started != Some(meta.started_ms) {
                    self.was_restarted = started.is_some();
                    self.numbers.clear();
                    self.version = 0;
                }
                self.meta = Some(meta);
                false
            }
            Line::Series(definition) => {
                self.define(definition);
                false
            }
            Line::Frame(frame) => self.push(frame),
        }
    }

    fn define(&mut self, definition: Definition) {
        let known = self.history.number(&definition.key);
        let number = known.unwrap_or(self.next);
        self.numbers.insert(definition.number, number);
        if known.is_none() {
            self.next += 1;
            self.history.define(Definition { number, ..definition });
        }
    }

    fn push(&mut self, mut frame: Frame) -> bool {
        // A stream that was asked for again may repeat itself.
        if frame.version <= self.version && self.version > 0 {
            return false;
        }
        self.version = frame.version;
        renumber(&mut frame.counters, &self.numbers);
        renumber(&mut frame.gauges, &self.numbers);
        renumber(&mut frame.timings, &self.numbers);
        if std::mem::take(&mut self.was_restarted) {
            frame.marks.push(Mark::Restart);
            frame.marks.sort_unstable();
            frame.marks.dedup();
        }
        self.history.push(&Arc::new(frame));
        true
    }

    /// What was put together.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What the lines are of, as far as they said.
    pub fn meta(&self) -> Option<&Meta> {
        self.meta.as_ref()
    }

    /// Whether a recording ended within a line, which was left out.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }
}

/// Puts the history's numbers in place of the lines', and leaves out what nobody defined.
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
