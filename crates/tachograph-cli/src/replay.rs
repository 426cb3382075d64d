//! A history made from the lines of a recording or of a live stream.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tachograph_history::{History, Line, Meta, Settings};

use crate::failure::Failure;
use crate::joined::{Joined, Piece, Recording};

/// The memory limit of a recording's history, of which single frames may take half. The oldest
/// frames beyond it are dropped.
const FILE_BYTES: usize = 1 << 30;

/// Builds a history from lines. After a restart of the program, series with the same key continue.
#[derive(Debug)]
pub struct Replay {
    history: History,
    joined: Joined,
    notes: Vec<String>,
}

impl Replay {
    /// An empty history.
    pub fn new(settings: Settings) -> Self {
        Self { history: History::new(settings), joined: Joined::default(), notes: Vec::new() }
    }

    /// Reads a recording. Of one that takes more than 512 MiB in memory, keeps the latest frames.
    ///
    /// # Errors
    /// If the file cannot be read, is empty, or has an invalid line.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let day = Duration::from_secs(86_400);
        let settings = Settings {
            fine: day * 3_650,
            coarse: Duration::ZERO,
            bytes: FILE_BYTES,
            ..Settings::default()
        };
        let mut replay = Self::new(settings);
        let mut recording = Recording::open(path)?;
        while let Some(piece) = recording.next()? {
            add(&mut replay.history, recording.joined(), piece);
        }
        replay.notes = recording.notes();
        replay.joined = recording.into_joined();
        Ok(replay)
    }

    /// Adds the next line; returns whether it was a new frame.
    pub fn take(&mut self, line: Line) -> bool {
        let piece = self.joined.take(line);
        piece.is_some_and(|piece| add(&mut self.history, &self.joined, piece))
    }

    /// The history so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The last meta line, if there was one.
    pub fn meta(&self) -> Option<&Meta> {
        self.joined.meta()
    }

    /// What was left out of the recording, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Adds a piece; returns whether it was a frame.
fn add(history: &mut History, joined: &Joined, piece: Piece) -> bool {
    let frame = match piece {
        Piece::Series(definition) => {
            history.define(definition);
            return false;
        }
        Piece::Frame(frame) => frame,
    };
    // For lack of space, a history forgets series that are idle.
    for number in frame.numbers() {
        if history.definition(number).is_none()
            && let Some(definition) = joined.definitions().get(number as usize)
        {
            history.define(Arc::clone(definition));
        }
    }
    history.push(&Arc::new(frame));
    true
}

#[cfg(test)]
mod tests {
    use tachograph::Kind;
    use tachograph_history::{Definition, FORMAT, Frame};

    use super::*;

    fn definition(number: u32) -> Definition {
        let key: Arc<str> = format!("metric.{number:0200}").into();
        Definition {
            number,
            name: Arc::clone(&key),
            key,
            tags: Default::default(),
            kind: Kind::Counter,
            unit: tachograph::Unit::None,
            description: "".into(),
            exported_name: String::new(),
            labels: Default::default(),
        }
    }

    fn frame(version: u64, number: u32) -> Line {
        let (end_ms, counters) = (version * 1_000, vec![(number, 1)]);
        Line::Frame(Frame { version, end_ms, span_ms: 1_000, counters, ..Frame::default() })
    }

    #[test]
    fn a_series_that_was_forgotten_for_lack_of_space_comes_back_with_its_next_frame() {
        let settings = Settings { bytes: 64 << 10, ..Settings::default() };
        let mut replay = Replay::new(settings);
        let (program, version) = ("test".to_owned(), "1".to_owned());
        let meta = Meta {
            format: FORMAT,
            program,
            version,
            started_ms: 1,
            step_ms: 1_000,
            window_ms: None,
        };
        replay.take(Line::Meta(meta));
        // Only the first is ever recorded, then others until it is forgotten.
        for number in 0..1_000 {
            replay.take(Line::Series(definition(number)));
        }
        replay.take(frame(1, 0));
        let key = definition(0).key;
        let mut version = 2;
        while replay.history().number(&key).is_some() {
            assert!(replay.take(frame(version, 1 + version as u32 % 999)), "{version}");
            version += 1;
        }
        replay.take(frame(version, 0));
        let number = replay.history().number(&key).expect("it is back");
        let newest = replay.history().newest().expect("a frame");
        assert_eq!(newest.counter(number), Some(1));
        assert!(replay.history().bytes() < 2 * settings.bytes, "{}", replay.history().bytes());
    }
}
