//! `tachograph check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tachograph_alert::{Condition, Rule};
use tachograph_history::Definition;

use super::{Source, over, read_rules, told};
use crate::failure::Failure;
use crate::output::{self, printable};

/// Checks the rules in all files, against the metrics of `of` if it is known. With `recording`,
/// right rules are then evaluated over it, all together.
pub(crate) fn run(
    files: &[PathBuf],
    of: Option<&Source>,
    recording: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let definitions = of.map(Source::definitions).transpose()?.unwrap_or_default();
    let (mut all, mut is_wrong, mut owners) = (Vec::new(), false, BTreeMap::new());
    for file in files {
        match read_rules(file, &definitions)? {
            Ok(rules) => {
                output::print(&format!("{}: {}\n", shown(file), found(rules.len())))?;
                if of.is_some() {
                    output::print(&unknown(&rules, &definitions))?;
                }
                if recording.is_some() {
                    own(&mut owners, file, &rules)?;
                }
                all.extend(rules);
            }
            Err(invalid) => {
                output::say(&told(file, &invalid));
                is_wrong = true;
            }
        }
    }
    let has_fired = match recording.filter(|_| !is_wrong) {
        Some(recording) => over::run(&all, recording)?,
        None => false,
    };
    Ok(if is_wrong || has_fired { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Notes which file a rule is in: what happened to rules is told by their names.
fn own<'a>(
    owners: &mut BTreeMap<String, &'a Path>,
    file: &'a Path,
    rules: &[Rule],
) -> Result<(), Failure> {
    for rule in rules {
        if let Some(other) = owners.insert(rule.name.clone(), file) {
            return Err(Failure::Input(format!(
                "the rule `{}` is in {} and in {}: with --over, every rule needs a name of its own",
                rule.name,
                other.display(),
                file.display()
            )));
        }
    }
    Ok(())
}

fn found(rules: usize) -> String {
    match rules {
        0 => "there is no [[rule]] in it: `tachograph check --example` prints a file to start from"
            .to_owned(),
        1 => "1 rule, well-formed".to_owned(),
        _ => format!("{rules} rules, all well-formed"),
    }
}

fn shown(file: &Path) -> String {
    printable(&file.display().to_string())
}

/// One line for each metric of a rule that is unknown, and for each selector that no series has the
/// tags of. This is no error: the program may record it later.
fn unknown(rules: &[Rule], definitions: &[Definition]) -> String {
    rules.iter().flat_map(|rule| notes(rule, definitions)).collect()
}

/// The series of a metric.
fn of<'a>(metric: &'a str, all: &'a [Definition]) -> impl Iterator<Item = &'a Definition> {
    all.iter().filter(move |it| &*it.name == metric)
}

fn notes(rule: &Rule, definitions: &[Definition]) -> Vec<String> {
    let note = |told: String| format!("note: {}\n", printable(&told));
    let (selector, others) = match &rule.condition {
        Condition::Compare(it) => (Some(&it.selector), [&it.minus[..], &it.over[..]].concat()),
        Condition::Stale { selector, .. } => (selector.as_ref(), Vec::new()),
        Condition::Absent { .. } | Condition::Heartbeat => (None, Vec::new()),
    };
    let first = super::promql::metric(&rule.condition).map(str::to_owned);
    let metrics: BTreeSet<_> = first.into_iter().chain(others).collect();
    let unknown = metrics.iter().filter(|metric| of(metric, definitions).next().is_none());
    let told = |metric: &String| {
        note(format!("`{}` uses `{metric}`, which the program does not have yet", rule.name))
    };
    let mut notes: Vec<_> = unknown.map(told).collect();
    let selector =
        selector.filter(|it| !it.tags.is_empty() && of(&it.metric, definitions).next().is_some());
    if let Some(selector) =
        selector.filter(|it| !of(&it.metric, definitions).any(|series| it.has_tags(series)))
    {
        let keys: BTreeSet<_> =
            of(&selector.metric, definitions).flat_map(|it| it.tags.iter()).collect();
        let keys: BTreeSet<_> = keys.into_iter().map(|(key, _)| key).collect();
        let has =
            if keys.is_empty() { "no tags".to_owned() } else { Vec::from_iter(keys).join(", ") };
        notes.push(note(format!(
            "`{}` selects tags that no series of `{}` has yet: a series needs just the rule's keys \
             and values; its keys are {has}",
            rule.name, selector.metric
        )));
    }
    notes
}
