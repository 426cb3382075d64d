//! Findings about missing data: nothing recorded, or marked frames.

use std::time::Duration;

use super::view::{View, span};
use super::{Finding, Severity};
use crate::definition::Definition;
use crate::frame::Mark;

/// The time without records from which it is reported.
const QUIET_MS: u64 = 60_000;

/// A finding if there are no frames, or if the last minute has none of the program's own series.
pub(super) fn nothing(view: &View<'_>) -> Option<Finding> {
    let Some(oldest) = view.frames.first() else {
        return Some(Finding {
            severity: Severity::Warning,
            title: "there are no frames".to_owned(),
            detail: "no data has arrived from this program yet".to_owned(),
            advice:
                "wait for one step (1 s by default); if there is still no frame, check that the \
                     collector runs"
                    .to_owned(),
            series: None,
        });
    };
    let is_own = |number: u32| {
        let definition = view.history.definition(number);
        definition.is_some_and(|it| !is_about_metrics(it))
    };
    let mut frames = view.frames.iter().rev();
    let last = frames.find(|frame| frame.numbers().any(is_own)).map(|frame| frame.end_ms);
    let quiet_ms = view.end_ms() - last.unwrap_or(oldest.end_ms.saturating_sub(oldest.span_ms));
    let is_quiet = quiet_ms >= QUIET_MS || last.is_none();
    is_quiet.then(|| Finding {
        // A program that has just started may not have recorded anything yet.
        severity: if quiet_ms < QUIET_MS { Severity::Note } else { Severity::Warning },
        title: "nothing is recorded".to_owned(),
        detail: format!(
            "the frames of the last {} contain no series of the program's own",
            span(Duration::from_millis(quiet_ms))
        ),
        advice: "check that recording is switched on (`set_enabled`, the feature `record`) and \
                 that the program has work to do"
            .to_owned(),
        series: None,
    })
}

/// Series about the metrics themselves, which also change in an idle program.
fn is_about_metrics(definition: &Definition) -> bool {
    ["telemetry.", "metrics."].iter().any(|prefix| definition.name.starts_with(prefix))
}

/// A finding for each kind of mark: rates are not computed across them.
pub(super) fn marks(view: &View<'_>) -> Vec<Finding> {
    let late = (
        Mark::Gap,
        Severity::Warning,
        "frames were late",
        "the machine was suspended, or the background threads got no CPU time; rates leave these \
         frames out",
    );
    let restarted = (
        Mark::Restart,
        Severity::Warning,
        "the program was restarted",
        "if this was not intended, see the log from before the restart",
    );
    let reset = (
        Mark::Reset,
        Severity::Note,
        "values were reset",
        "lifetime values count from the reset; the history continues",
    );
    let found = |(mark, severity, title, advice): (Mark, Severity, &str, &str)| {
        let frames: Vec<_> = view.frames.iter().filter(|it| it.marks.contains(&mark)).collect();
        let last = frames.last()?;
        let ago = span(Duration::from_millis(view.end_ms() - last.end_ms));
        let longest = span(frames.iter().map(|frame| frame.span()).max()?);
        let detail = match (mark, frames.len()) {
            (Mark::Gap, 1) => {
                format!("once in {}, {ago} ago; the frame covers {longest}", view.span())
            }
            (Mark::Gap, n) => format!(
                "{n} times in {}, last {ago} ago; the longest frame covers {longest}",
                view.span()
            ),
            (_, 1) => format!("once in {}, {ago} ago", view.span()),
            (_, n) => format!("{n} times in {}, last {ago} ago", view.span()),
        };
        let (title, advice) = (title.to_owned(), advice.to_owned());
        Some(Finding { severity, title, detail, advice, series: None })
    };
    [late, restarted, reset].into_iter().filter_map(found).collect()
}
