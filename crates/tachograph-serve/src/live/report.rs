//! The page with the whole history inside, as one file.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tachograph_history::{Condensed, History, Meta, doctor};

use crate::live::query::Range;

/// A report of a history's frames in a range, with the answer of `/alerts`; `None` if there are no
/// frames. Findings are of the whole history.
pub(crate) fn html(
    meta: &Meta,
    history: &History,
    range: Range,
    alerts: Option<&Value>,
) -> Option<String> {
    let Range { from, to, step } = range;
    let frames = history.recorded(from, to, step);
    let step = step.max(Duration::from_millis(meta.step_ms));
    let mut condensed = Condensed::new(step, Condensed::BROWSER_BYTES);
    let used: HashSet<_> = frames.iter().flat_map(|frame| frame.numbers()).collect();
    let definitions = history.definitions().filter(|it| used.contains(&it.number));
    definitions.for_each(|definition| condensed.define(definition));
    frames.iter().for_each(|frame| condensed.push(frame));
    let condensed = condensed.finish();
    let facts = json!({
        "run": condensed.facts("saved from the running program", meta)?,
        "doctor": { "findings": doctor::findings(history) },
        "alerts": alerts,
    });
    let title = format!("{} · report", meta.program);
    let texts = [("report", &*facts.to_string()), ("recording", &condensed.to_lines(meta))];
    Some(tachograph_page::document(&title, &texts))
}

/// A name for the file: the program, and the end of its frames in UTC.
pub(crate) fn file_name(meta: &Meta, end: SystemTime) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let program: String = meta.program.chars().filter(|c| is_plain(*c)).take(64).collect();
    let time = humantime::format_rfc3339_seconds(end).to_string();
    let time: String = time.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{}-{time}.html", if program.is_empty() { "report" } else { &program })
}
