//! The commands, one file each, and what they share.
//!
//! May use everything but the command line. In reading order:
//! - `record`, `doctor`, `deploy`: the commands of the same names
//! - `trial`: alert rules over a recording; `over`: what happened there, in words; `check`: the command
//! - `report`: a recording as one file, with the alerts that rules give
//! - `names`: metrics and tags in Prometheus; `promql`: alert rules in PromQL; `rules`: the command

pub(crate) mod check;
pub(crate) mod deploy;
pub(crate) mod doctor;
mod names;
mod over;
mod promql;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod rules;
mod trial;

use std::future::Future;
use std::path::{Path, PathBuf};

use tachograph::Snapshot;
use tachograph_alert::{InvalidRules, Rule};
use tachograph_history::Definition;
use tokio::runtime;

use crate::failure::Failure;
use crate::http::Endpoint;
use crate::joined::Recording;

/// The source of metrics.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Program(Endpoint),
    File(PathBuf),
}

impl Source {
    /// The definitions of all its series.
    fn definitions(&self) -> Result<Vec<Definition>, Failure> {
        match self {
            Self::File(file) => {
                let mut recording = Recording::open(file)?;
                while recording.next()?.is_some() {}
                Ok(recording.joined().definitions().iter().map(|it| (**it).clone()).collect())
            }
            Self::Program(endpoint) => Ok(Definition::all(&snapshot(endpoint)?)),
        }
    }
}

/// Fetches the latest snapshot of a program.
fn snapshot(endpoint: &Endpoint) -> Result<Snapshot, Failure> {
    let body = wait(endpoint.get("/snapshot"))??;
    let body = body.ok_or_else(|| {
        Failure::Failed("there is no page /snapshot: is this a Tachograph endpoint?".to_owned())
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Failure::Failed(format!("cannot parse the answer of /snapshot: {error}")))
}

/// Runs a future to its end.
pub(crate) fn wait<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    Ok(runtime.block_on(future))
}

/// Reads a rule file and checks it against `definitions`. The inner error lists all mistakes in it.
fn read_rules(
    file: &Path,
    definitions: &[Definition],
) -> Result<Result<Vec<Rule>, InvalidRules>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::Input(format!("cannot read the rules in {}: {error}", file.display()))
    })?;
    Ok(tachograph_alert::check(&text, definitions))
}

/// Reads rules, and checks them against the metrics of a recording.
fn rules_for(rules: &Path, recording: &Path) -> Result<Vec<Rule>, Failure> {
    let definitions = Source::File(recording.to_owned()).definitions()?;
    let read = read_rules(rules, &definitions)?;
    read.map_err(|errors| Failure::Input(told(rules, &errors).trim_end().to_owned()))
}

/// The errors of a rule file, one per line, as `FILE:LINE:COLUMN: MESSAGE`.
fn told(file: &Path, invalid: &InvalidRules) -> String {
    invalid.errors().iter().map(|error| format!("{}:{error}\n", file.display())).collect()
}
