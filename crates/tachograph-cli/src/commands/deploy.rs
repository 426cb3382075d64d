//! `tachograph deploy`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tachograph_deploy::{Metric, Settings, files, write};
use tachograph_history::Line;

use super::{snapshot, wait};
use crate::failure::Failure;
use crate::http::Endpoint;
use crate::live::{News, follow};
use crate::output;

/// The options of the command.
#[derive(Debug)]
pub(crate) struct Wishes {
    pub(crate) job: Option<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) scrape_interval: Duration,
    pub(crate) alertmanagers: Vec<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) force: bool,
}

pub(crate) fn run(endpoint: &Endpoint, folder: &Path, wishes: Wishes) -> Result<ExitCode, Failure> {
    let metrics = Metric::all(&snapshot(endpoint)?);
    let job = match wishes.job {
        Some(job) => job,
        None => program(endpoint)?,
    };
    let targets = match wishes.targets {
        targets if targets.is_empty() => vec![endpoint.url.authority.clone()],
        targets => targets,
    };
    let mut settings = Settings::new(job, targets);
    settings.scrape_interval = wishes.scrape_interval;
    settings.alertmanagers = wishes.alertmanagers;
    settings.token_file = wishes.token_file;
    let failed = |error: tachograph_deploy::DeployError| Failure::Failed(error.to_string());
    let files = files(&metrics, &settings).map_err(failed)?;
    for path in write(folder, &files, wishes.force).map_err(failed)? {
        output::print(&format!("{}\n", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the program's name from its live stream.
fn program(endpoint: &Endpoint) -> Result<String, Failure> {
    let mut name = None;
    let followed = wait(follow(endpoint, "?since=0", |news| {
        if let News::Line(line) = news
            && let Line::Meta(meta) = *line
        {
            name = Some(meta.program);
        }
        name.is_none()
    }))?;
    let way_out = "give a name with --job NAME";
    followed.map_err(|failure| {
        Failure::Failed(format!("cannot read the program's name: {failure}; or {way_out}"))
    })?;
    let name = name.filter(|name| !name.is_empty());
    name.ok_or_else(|| Failure::Failed(format!("the program does not report its name; {way_out}")))
}
