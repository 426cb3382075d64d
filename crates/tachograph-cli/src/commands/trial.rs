//! Rules that are evaluated over a recording.

use std::sync::Arc;
use std::time::Duration;

use tachograph_alert::{Engine, Rule, Transition};
use tachograph_history::{Definition, Frame, Meta};

use crate::failure::Failure;
use crate::joined::{Piece, Recording};

/// How often a running program evaluates its rules while no frame comes.
const TICK_MS: u64 = 1_000;

/// The longest time without frames in which rules are evaluated: a day.
const SILENCE_MAX_MS: u64 = 86_400_000;

/// An engine that is fed as a running program feeds its own. It goes on through restarts.
pub(super) struct Trial {
    pub(super) engine: Engine,
    last_ms: Option<u64>,
}

/// Evaluates rules over a whole recording. `tell` gets each frame with the changes that it has made.
/// `None`: it has no frames.
///
/// # Errors
/// If the recording cannot be read, or those of `tell`.
pub(super) fn evaluate(
    rules: &[Rule],
    recording: &mut Recording,
    mut tell: impl FnMut(&mut Recording, &Frame, &[Transition]) -> Result<(), Failure>,
) -> Result<Option<Trial>, Failure> {
    let (mut trial, mut new) = (None, Vec::new());
    while let Some(piece) = recording.next()? {
        let frame = match piece {
            Piece::Series(definition) => {
                new.push(definition);
                continue;
            }
            Piece::Frame(frame) => frame,
        };
        let Some(meta) = recording.joined().meta() else { continue };
        let trial = trial.get_or_insert_with(|| Trial::new(rules, meta));
        let changes = trial.frame(&frame, &std::mem::take(&mut new));
        tell(recording, &frame, &changes)?;
    }
    Ok(trial)
}

impl Trial {
    /// For the frames of a program.
    pub(super) fn new(rules: &[Rule], meta: &Meta) -> Self {
        let engine = Engine::new(rules.to_vec(), Duration::from_millis(meta.step_ms));
        Self { engine, last_ms: None }
    }

    /// Feeds the next frame, after the time without frames before it.
    pub(super) fn frame(&mut self, frame: &Frame, new: &[Arc<Definition>]) -> Vec<Transition> {
        let mut changes = self.silence(frame.end_ms);
        changes.extend(self.engine.frame(frame, new));
        self.last_ms = Some(frame.end_ms);
        changes
    }

    /// Evaluates the rules as often as a program does while no frame comes.
    fn silence(&mut self, until_ms: u64) -> Vec<Transition> {
        let Some(last_ms) = self.last_ms else { return Vec::new() };
        let until_ms = until_ms.min(last_ms.saturating_add(SILENCE_MAX_MS));
        // Until a frame is a whole tick late, it is what is evaluated.
        let ticks = last_ms.saturating_add(TICK_MS)..until_ms.saturating_sub(TICK_MS);
        ticks.step_by(TICK_MS as usize).flat_map(|now_ms| self.engine.tick(now_ms)).collect()
    }
}
