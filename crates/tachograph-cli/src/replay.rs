//! A history made from the lines of a recording or of a live stream.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tachograph_history::file::Reader;
use tachograph_history::{Definition, Frame, History, Line, Mark, Meta, Settings};

use crate::failure::Failure;

/// The memory limit of a recording's history, of which single frames may take half. The oldest
/// frames beyond it are dropped.
const FILE_BYTES: usize = 1 << 30;

/// Builds a history from lines. After a restart of the program, series with the same key continue.
#[derive(Debug)]
pub struct Replay {
    history: History,
    meta: Option<Meta>,
    /// From a series' number in the lines to its number in the history.
    numbers: HashMap<u32, u32>,
    next: u32,
    was_restarted: bool,
    version: u64,
    is_torn: bool,
}

impl Replay {
    /// An empty history.
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

    /// Reads a recording. Of one that takes more than 512 MiB in memory, keeps the latest frames.
    ///
    /// # Errors
    /// If the file cannot be read, is empty, or has an invalid line.
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
            return Err(wrong(
                "the recording is empty; make one with `tachograph record URL -o FILE`".to_owned(),
            ));
        }
        replay.is_torn = lines.is_torn();
        Ok(replay)
    }

    /// Adds the next line; returns whether it was a new frame.
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
        // A stream may repeat frames after the connection was lost.
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

    /// The history so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The last meta line, if there was one.
    pub fn meta(&self) -> Option<&Meta> {
        self.meta.as_ref()
    }

    /// Whether the last line of the recording is incomplete; it was ignored.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }
}

/// Replaces the lines' numbers by those of the history. Drops entries of undefined series.
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
