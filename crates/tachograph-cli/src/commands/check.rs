//! `tachograph check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tachograph_alert::Rule;
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
                let (n, s) = (rules.len(), if rules.len() == 1 { "" } else { "s" });
                output::print(&format!("{}: {n} rule{s}, all well-formed\n", shown(file)))?;
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

fn shown(file: &Path) -> String {
    printable(&file.display().to_string())
}

/// One line for each rule about an unknown metric. This is no error: the program may record it
/// later.
fn unknown(rules: &[Rule], definitions: &[Definition]) -> String {
    let is_known = |metric: &str| definitions.iter().any(|it| &*it.name == metric);
    let lines = rules.iter().filter_map(|rule| {
        let metric = super::promql::metric(&rule.condition)?;
        (!is_known(metric)).then(|| {
            let told = format!("`{}` uses `{metric}`", rule.name);
            format!("note: {}, which the program does not have yet\n", printable(&told))
        })
    });
    lines.collect()
}
