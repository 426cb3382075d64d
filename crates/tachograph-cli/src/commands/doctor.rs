//! `tachograph doctor`.

use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;
use tachograph_alert::{Report, Rule};
use tachograph_history::doctor::{Finding, Severity, findings};

use super::trial::evaluate;
use super::{Source, rules_for, wait};
use crate::failure::Failure;
use crate::joined::Recording;
use crate::output::{self, printable};
use crate::replay::Replay;
use crate::top::Alerts;

/// The answer of `/doctor`.
#[derive(Debug, Deserialize)]
struct Answer {
    findings: Vec<Finding>,
}

pub(crate) fn run(source: &Source, rules: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let mut found = match source {
        Source::File(file) => {
            let replay = Replay::read(file)?;
            output::note(file, replay.notes());
            let mut found = findings(replay.history());
            if let Some(rules) = rules {
                found.extend(firing(&rules_for(rules, file)?, file)?.findings());
            }
            found
        }
        Source::Program(_) if rules.is_some() => {
            let told = "--rules is for recordings: a running program has its own rules";
            return Err(Failure::Input(told.to_owned()));
        }
        Source::Program(endpoint) => {
            let body = wait(endpoint.get("/doctor"))??;
            let missing = "there is no page /doctor: is this a Tachograph endpoint with history \
                           switched on?";
            let body = body.ok_or_else(|| Failure::Failed(missing.to_owned()))?;
            let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
                Failure::Failed(format!("cannot parse the answer of /doctor: {error}"))
            })?;
            let alerts = wait(endpoint.get("/alerts"))??;
            let alerts: Option<Alerts> =
                alerts.map(|body| serde_json::from_slice(&body)).transpose().map_err(|error| {
                    Failure::Failed(format!("cannot parse the answer of /alerts: {error}"))
                })?;
            alerts.iter().flat_map(Alerts::findings).chain(answer.findings).collect()
        }
    };
    found.sort_by_key(|finding| finding.severity);
    if json {
        let text = serde_json::to_string_pretty(&found)
            .map_err(|error| Failure::Failed(error.to_string()))?;
        output::print(&(text + "\n"))?;
    } else {
        output::print(&text(&found, source, rules.is_some()))?;
    }
    // Notes alone must not fail a script.
    let is_well = found.iter().all(|finding| finding.severity == Severity::Note);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The alerts at the end of a recording.
fn firing(rules: &[Rule], file: &Path) -> Result<Alerts, Failure> {
    let mut last = (0, 0);
    let trial = evaluate(rules, &mut Recording::open(file)?, |_, frame, _| {
        last = (frame.version, frame.end_ms);
        Ok(())
    })?;
    let mut report = Report::new(0);
    if let Some(trial) = trial {
        report.update(&trial.engine, last.0, last.1);
    }
    // A report is what `/alerts` answers.
    let alerts = serde_json::to_value(&report).and_then(serde_json::from_value);
    alerts.map_err(|error| Failure::Failed(format!("cannot tell the alerts: {error}")))
}

fn text(found: &[Finding], source: &Source, has_rules: bool) -> String {
    if found.is_empty() {
        let none = "no findings: nothing was lost, no limit is reached, no tail grew";
        return match source {
            Source::Program(_) => format!("{none}, no alert fires\n"),
            Source::File(_) if has_rules => format!("{none}, no alert fires at its end\n"),
            Source::File(file) => format!(
                "{none}\na recording has no alert rules: add --rules RULES.toml, or see with `tachograph \
                 check RULES.toml --over {}` when they would have fired\n",
                printable(&file.display().to_string())
            ),
        };
    }
    let one = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Bad => "bad",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let series = finding.series.iter().map(|key| format!("  series: {}\n", printable(key)));
        format!(
            "{severity}: {}\n  {}\n  try: {}\n{}",
            printable(&finding.title),
            printable(&finding.detail),
            printable(&finding.advice),
            series.collect::<String>()
        )
    };
    found.iter().map(one).collect::<Vec<_>>().join("\n")
}
