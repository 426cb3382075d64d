//! `tachograph report`.

mod read;
mod text;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use tachograph::Unit;
use tachograph_alert::Report;
use tachograph_history::compare::{Change, METHOD, Run, compare};
use tachograph_history::doctor::Finding;
use tachograph_history::{Condensed, Facts, format};

use self::read::Recorded;
use super::rules_for;
use crate::failure::Failure;
use crate::output;

/// The wishes of the user.
#[derive(Debug)]
pub(crate) struct Wishes {
    pub(crate) file: PathBuf,
    /// The earlier run.
    pub(crate) against: Option<PathBuf>,
    /// The file to write; `None`: a table on standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) force: bool,
    /// A file of alert rules.
    pub(crate) rules: Option<PathBuf>,
}

/// What the page shows besides the frames.
#[derive(Serialize)]
struct Shown<'a> {
    run: &'a Facts,
    before: Option<&'a Facts>,
    doctor: Doctor<'a>,
    alerts: Option<&'a Report>,
    comparison: Option<Comparison<'a>>,
}

#[derive(Serialize)]
struct Doctor<'a> {
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Comparison<'a> {
    method: &'a str,
    changes: &'a [Change],
}

pub(crate) fn run(wishes: &Wishes) -> Result<ExitCode, Failure> {
    check(wishes)?;
    let bytes = Condensed::BROWSER_BYTES / if wishes.against.is_some() { 2 } else { 1 };
    let rules = wishes.rules.as_deref().map(|rules| rules_for(rules, &wishes.file)).transpose()?;
    let after = Recorded::read(&wishes.file, bytes, rules.as_deref())?;
    let before = wishes.against.as_deref();
    let before = before.map(|file| Recorded::read(file, bytes, None)).transpose()?;
    for recorded in [Some(&after), before.as_ref()].into_iter().flatten() {
        let name = recorded.path.display();
        recorded
            .facts
            .notes
            .iter()
            .for_each(|note| output::say(&format!("note: {name}: {note}\n")));
    }
    let changes = compare(&before.as_ref().map_or_else(Run::default, Recorded::run), &after.run());
    let Some(output) = &wishes.output else {
        output::print(&text::table(&after, before.as_ref(), &changes))?;
        return Ok(ExitCode::SUCCESS);
    };
    let html = html(&after, before.as_ref(), &changes)?;
    write(output, &html)?;
    let (name, size) = (output.display(), format(html.len() as f64, &Unit::Bytes));
    output::say(&format!("wrote {name}, {size}: open it in a browser\n"));
    Ok(ExitCode::SUCCESS)
}

/// Finds mistakes before minutes of work.
fn check(Wishes { file, against, output, force, .. }: &Wishes) -> Result<(), Failure> {
    let is_same = |a: &Path, b: &Path| {
        let (a, b) = (fs::canonicalize(a), fs::canonicalize(b));
        a.ok().zip(b.ok()).is_some_and(|(a, b)| a == b)
    };
    if against.as_ref().is_some_and(|it| is_same(file, it)) {
        return Err(Failure::Input(format!(
            "{} is compared with itself: give the recording of an earlier run to --against",
            file.display()
        )));
    }
    let Some(output) = output else { return Ok(()) };
    let name = output.display();
    if [Some(file), against.as_ref()].into_iter().flatten().any(|it| is_same(output, it)) {
        return Err(Failure::Input(format!("{name} is a recording: write the report elsewhere")));
    }
    output::check_free(output, *force)
}

fn html(
    after: &Recorded,
    before: Option<&Recorded>,
    changes: &[Change],
) -> Result<String, Failure> {
    let shown = Shown {
        run: &after.facts,
        before: before.map(|before| &before.facts),
        doctor: Doctor { findings: &after.findings },
        alerts: after.alerts.as_ref().map(|alerts| &alerts.report),
        comparison: before.map(|_| Comparison { method: METHOD, changes }),
    };
    let shown =
        serde_json::to_string(&shown).map_err(|error| Failure::Failed(error.to_string()))?;
    let lines = after.lines();
    let earlier = before.map(Recorded::lines);
    let mut texts = vec![("report", &*shown), ("recording", &*lines)];
    texts.extend(earlier.as_deref().map(|lines| ("before", lines)));
    let title = format!("{} · {}", after.facts.meta.program, after.facts.file);
    Ok(tachograph_page::document(&title, &texts))
}

/// Writes the whole report or nothing.
fn write(output: &Path, html: &str) -> Result<(), Failure> {
    let wrong = |error: io::Error| {
        let name = output.display();
        Failure::Failed(format!(
            "cannot write {name}: {error}; check that its folder exists, has room and is writable"
        ))
    };
    let mut part = output.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    // A file of this name is not ours, and neither is what a link of this name leads to.
    let mut file = File::create_new(&part).map_err(wrong)?;
    let written = file.write_all(html.as_bytes()).and_then(|()| fs::rename(&part, output));
    written.map_err(|error| {
        let _ = fs::remove_file(&part);
        wrong(error)
    })
}
