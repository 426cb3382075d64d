//! A recording as a report needs it: of a size that a browser holds.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tachograph_alert::{Report, Rule};
use tachograph_history::compare::Run;
use tachograph_history::doctor::{Finding, findings};
use tachograph_history::{Condensed, Definition, Facts, Frame, History, Meta, Settings};

use crate::commands::over::Course;
use crate::commands::trial::Trial;
use crate::failure::Failure;
use crate::joined::{Piece, Recording};

/// Age bounds the history before this does.
const HISTORY_BYTES: usize = 1 << 30;

#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) path: PathBuf,
    pub(super) facts: Facts,
    condensed: Condensed,
    pub(super) findings: Vec<Finding>,
    pub(super) alerts: Option<Alerts>,
}

/// What rules give over the recording.
#[derive(Debug)]
pub(super) struct Alerts {
    pub(super) report: Report,
    /// The last changes in words, oldest first, and how many there were.
    pub(super) changes: VecDeque<String>,
    pub(super) changed: u64,
    /// How often each rule fired, in words.
    pub(super) outcomes: String,
}

/// The greatest number of changes in a report. They are the last ones.
const CHANGES_MAX: usize = 1_000;

impl Recorded {
    /// Reads a recording, and evaluates rules over it, if there are some.
    ///
    /// # Errors
    /// If the file cannot be read, or is no recording, or has no frames.
    pub(super) fn read(
        file: &Path,
        bytes_max: usize,
        rules: Option<&[Rule]>,
    ) -> Result<Self, Failure> {
        let mut recording = Recording::open(file)?;
        // Findings are those that the program itself would have had.
        let mut history = History::new(Settings { bytes: HISTORY_BYTES, ..Settings::default() });
        let mut condensed = None;
        let (mut evaluation, mut new) = (None, Vec::new());
        while let Some(piece) = recording.next()? {
            let Some(meta) = recording.joined().meta() else { continue };
            let step = Duration::from_millis(meta.step_ms);
            let condensed = condensed.get_or_insert_with(|| Condensed::new(step, bytes_max));
            match piece {
                Piece::Series(definition) => {
                    condensed.define(&definition);
                    history.define(Arc::clone(&definition));
                    new.push(definition);
                }
                Piece::Frame(frame) => {
                    let frame = Arc::new(frame);
                    condensed.push(&frame);
                    history.push(&frame);
                    if let Some(rules) = rules {
                        let evaluation =
                            evaluation.get_or_insert_with(|| Evaluation::new(rules, meta));
                        evaluation.frame(&frame, &new);
                    }
                    new.clear();
                }
            }
        }
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
        facts.notes.extend(recording.notes());
        let alerts = evaluation.map(Evaluation::end);
        let changed = alerts.as_ref().map_or(0, |it| it.changed);
        if changed > CHANGES_MAX as u64 {
            facts
                .notes
                .push(format!("of {changed} changes of alerts, the last {CHANGES_MAX} are listed"));
        }
        let findings = findings(&history);
        Ok(Self { path: file.to_owned(), facts, condensed, findings, alerts })
    }

    pub(super) fn run(&self) -> Run {
        Run::new(self.condensed.definitions(), self.condensed.frames())
    }

    pub(super) fn lines(&self) -> String {
        self.condensed.to_lines(&self.facts.meta)
    }
}

/// Rules, evaluated over the recording while it is read.
struct Evaluation {
    trial: Trial,
    course: Course,
    alerts: Alerts,
    /// The last frame's version, and when it ended.
    last: (u64, u64),
}

impl Evaluation {
    fn new(rules: &[Rule], meta: &Meta) -> Self {
        let report = Report::new(CHANGES_MAX);
        let (changes, outcomes) = (VecDeque::new(), String::new());
        let alerts = Alerts { report, changes, changed: 0, outcomes };
        Self { trial: Trial::new(rules, meta), course: Course::default(), alerts, last: (0, 0) }
    }

    fn frame(&mut self, frame: &Frame, new: &[Arc<Definition>]) {
        let Self { trial, course, alerts, last } = self;
        for change in trial.frame(frame, new) {
            alerts.report.note(&change);
            alerts.changed += 1;
            if alerts.changes.len() == CHANGES_MAX {
                alerts.changes.pop_front();
            }
            alerts.changes.push_back(course.note(&change));
        }
        course.pass(frame);
        *last = (frame.version, frame.end_ms);
    }

    fn end(mut self) -> Alerts {
        let (version, end_ms) = self.last;
        self.alerts.report.update(&self.trial.engine, version, end_ms);
        let outcomes = self.course.outcomes(&self.trial.engine);
        Alerts { outcomes, ..self.alerts }
    }
}
