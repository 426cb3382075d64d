//! `tachograph doctor`.

use std::process::ExitCode;

use serde::Deserialize;
use tachograph_history::doctor::{Finding, Severity, findings};

use super::{Source, wait};
use crate::failure::Failure;
use crate::output::{self, printable};
use crate::replay::Replay;

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
            answer.findings
        }
    };
    if json {
        let text = serde_json::to_string_pretty(&found)
            .map_err(|error| Failure::Failed(error.to_string()))?;
        output::print(&(text + "\n"))?;
    } else {
        output::print(&text(&found))?;
    }
    // Notes alone must not fail a script.
    let is_well = found.iter().all(|finding| finding.severity == Severity::Note);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(found: &[Finding]) -> String {
    if found.is_empty() {
        return "no findings: the metrics show no problem\n".to_owned();
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
