//! `tachograph doctor`.

use std::process::ExitCode;

use serde::Deserialize;
use tachograph_history::doctor::{Finding, Severity, findings};

use super::{Source, wait};
use crate::failure::Failure;
use crate::output::{self, printable};
use crate::replay::Replay;
use crate::top::Alerts;

/// The answer of `/doctor`.
#[derive(Debug, Deserialize)]
struct Answer {
    findings: Vec<Finding>,
}

pub(crate) fn run(source: &Source, json: bool) -> Result<ExitCode, Failure> {
    let found = match source {
        Source::File(file) => {
            let replay = Replay::read(file)?;
            if replay.is_torn() {
                output::say("note: the last line of the recording is incomplete and was ignored\n");
            }
            findings(replay.history())
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
            let firing = alerts.iter().flat_map(Alerts::findings);
            let mut all: Vec<_> = firing.chain(answer.findings).collect();
            all.sort_by_key(|finding| finding.severity);
            all
        }
    };
    if json {
        let text = serde_json::to_string_pretty(&found)
            .map_err(|error| Failure::Failed(error.to_string()))?;
        output::print(&(text + "\n"))?;
    } else {
        output::print(&text(&found, source))?;
    }
    // Notes alone must not fail a script.
    let is_well = found.iter().all(|finding| finding.severity == Severity::Note);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(found: &[Finding], source: &Source) -> String {
    if found.is_empty() {
        let none = "no findings: nothing was lost, no limit is reached, no tail grew";
        return match source {
            Source::Program(_) => format!("{none}, no alert fires\n"),
            Source::File(file) => format!(
                "{none}\na recording has no alert rules: `tachograph check RULES.toml --over {}` \
                 tells which would have fired\n",
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
