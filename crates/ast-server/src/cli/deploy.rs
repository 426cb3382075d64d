//! `ast-server deploy DIR`

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use ast_server::deploy::{File, Settings, files};
use clap::Args;

use super::files::write_all;
use super::{Failure, output};

/// Write what a fleet of servers needs around it: Prometheus, alerts, Grafana, systemd.
///
/// Writes into the folder DIR, which is made if need be: a configuration, recording rules, alerts
/// and tests of them for Prometheus; a configuration for an OpenTelemetry Collector; a dashboard
/// for Grafana; a unit for systemd; and a README.md that says how each is used. All of them are
/// made from the table of metrics that the server itself registers, so their names fit this
/// version of the program. Nothing is started or installed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Deploy {
    /// The folder to write into.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where a server answers requests for metrics, as Prometheus reaches it: `serve --http`. May
    /// be given more than once. [default: 127.0.0.1:9464]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    target: Vec<String>,
    /// How often Prometheus scrapes them. Spans in rules and alerts grow with it: a rate is over
    /// 20 scrapes.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = scrape_interval)]
    scrape_interval: Duration,
    /// An Alertmanager that Prometheus sends alerts to. May be given more than once.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    alertmanager: Vec<String>,
    /// The file with the token that the servers ask for: `serve --metrics-token-file`. Not read,
    /// only named in what is written.
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Overwrite files that are not as this command would write them.
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  ast-server deploy monitoring
  ast-server deploy monitoring --target stage-left:9464 --target stage-right:9464
  prometheus --config.file=monitoring/prometheus.yml --enable-feature=native-histograms";

/// Rules look back 40 scrapes; beyond this they would look back half a day.
const INTERVAL_MAX: Duration = Duration::from_secs(15 * 60);

impl Deploy {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut settings = Settings::default();
        if !self.target.is_empty() {
            settings.targets = self.target;
        }
        settings.scrape_interval = self.scrape_interval;
        settings.alertmanagers = self.alertmanager;
        settings.token_file = self.metrics_token_file;
        let files = files(&settings)?;
        // Before the first is written: all of them or none.
        if !self.force {
            for file in &files {
                refuse_changed(&self.folder, file)?;
            }
        }
        let told = |reason| format!("cannot make the folder {}: {reason}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(told)?;
        let contents: Vec<_> = files.iter().map(|file| (file.name, &*file.content)).collect();
        for path in write_all(&self.folder, &contents)? {
            output::line(&path.display().to_string())?;
        }
        Ok(())
    }
}

/// Somebody may have put work into a file that is there.
fn refuse_changed(folder: &Path, file: &File) -> Result<(), Failure> {
    let path = folder.join(file.name);
    match fs::read(&path) {
        Ok(there) if there == file.content.as_bytes() => Ok(()),
        Ok(_) => Err(format!(
            "{} is there and has other contents: move it away, or give --force to overwrite it",
            path.display()
        )
        .into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display()).into()),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    let is_good = parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|it| it > 0)
    });
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("expected a host and a port: localhost:9464".to_owned())
    }
}

fn scrape_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}; try 15s"))?;
    if interval.subsec_nanos() % 1_000_000 != 0 || interval.is_zero() || interval > INTERVAL_MAX {
        return Err("expected whole milliseconds, at most 15m".to_owned());
    }
    Ok(interval)
}
