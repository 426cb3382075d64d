//! `tachograph check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Source, over, read_rules, told};
use crate::failure::Failure;
use crate::output;

/// Checks the rules in all files, against the metrics of `of` if it is known. With `recording`, right
/// rules are then evaluated over it, all together.
pub(crate) fn run(
    files: &[PathBuf],
    of: Option<&Source>,
    recording: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let definitions = of.map(Source::definitions).transpose()?.unwrap_or_default();
    let (mut all, mut is_wrong) = (Vec::new(), false);
    for file in files {
        match read_rules(file, &definitions)? {
            Ok(rules) => {
                let (n, s) = (rules.len(), if rules.len() == 1 { "" } else { "s" });
                output::print(&format!("{}: {n} rule{s}, all well-formed\n", file.display()))?;
                if of.is_some() {
                    output::print(&unknown(&rules, &definitions))?;
                }
                all.extend(rules);
            }
            Err(errors) => {
                output::say(&told(file, &errors));
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

/// One line for each rule about an unknown metric. This is no error: the program may record it
/// later.
fn unknown(
    rules: &[tachograph_alert::Rule],
    definitions: &[tachograph_history::Definition],
) -> String {
    let is_known = |metric: &str| definitions.iter().any(|it| &*it.name == metric);
    let lines = rules.iter().filter_map(|rule| {
        let metric = super::promql::metric(&rule.condition)?;
        (!is_known(metric)).then(|| {
            format!("note: `{}` uses `{metric}`, which the program does not have yet\n", rule.name)
        })
    });
    lines.collect()
}
