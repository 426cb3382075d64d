//! The page with the whole history inside, as one file.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tachograph_history::{Condensed, History, Meta, doctor};

/// A report of everything that a history holds, with the answer of `/alerts`.
pub(crate) fn html(meta: &Meta, history: &History, alerts: Option<&Value>) -> String {
    let end = history.newest().map_or(SystemTime::UNIX_EPOCH, |newest| newest.end());
    let step = Duration::from_millis(meta.step_ms);
    let mut condensed = Condensed::new(step, Condensed::BROWSER_BYTES);
    history.definitions().for_each(|definition| condensed.define(definition));
    let all = history.range(SystemTime::UNIX_EPOCH, end, Duration::ZERO);
    all.iter().for_each(|frame| condensed.push(frame));
    let condensed = condensed.finish();
    let facts = json!({
        "run": condensed.facts("saved from the running program", meta),
        "doctor": { "findings": doctor::findings(history) },
        "alerts": alerts,
    });
    let title = format!("{} · report", meta.program);
    let texts = [("report", &*facts.to_string()), ("recording", &condensed.to_lines(meta))];
    tachograph_page::document(&title, &texts)
}

/// A name for the file: the program, and the end of its frames in UTC.
pub(crate) fn file_name(meta: &Meta, end: SystemTime) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let program: String = meta.program.chars().filter(|c| is_plain(*c)).take(64).collect();
    let time = humantime::format_rfc3339_seconds(end).to_string();
    let time: String = time.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{}-{time}.html", if program.is_empty() { "report" } else { &program })
}
