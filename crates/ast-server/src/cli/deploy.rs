//! `ast-server deploy DIR`

use std::path::PathBuf;
use std::time::Duration;

use ast_server::deploy::{files, settings};
use clap::Args;
use tachograph_deploy::{host_and_port, scrape_interval, write};

use super::{Failure, output};

/// Write the files that a fleet of servers needs: Prometheus, alerts, Grafana, systemd.
///
/// Writes into the folder DIR, which is created if necessary: a configuration, recording rules,
/// alerts and tests for Prometheus; a configuration for an OpenTelemetry Collector; a dashboard for
/// Grafana; a unit for systemd; and a README.md that explains how to use each. They are generated
/// from the table of metrics that the server itself registers, so their names match this version of
/// the program. Nothing is started or installed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Deploy {
    /// The folder to write into.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The address at which Prometheus reaches a server's metrics: `serve --http`. May be given
    /// more than once. [default: 127.0.0.1:9464]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    target: Vec<String>,
    /// The scrape interval. Time spans in rules and alerts grow with it: a rate covers 20 scrapes.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = scrape_interval, allow_negative_numbers = true)]
    scrape_interval: Duration,
    /// An Alertmanager that Prometheus sends alerts to. May be given more than once.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    alertmanager: Vec<String>,
    /// The file with the token that the servers require: `serve --metrics-token-file`. It is not
    /// read, only named in the output.
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Overwrite files that differ from what this command would write.
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  ast-server deploy monitoring
  ast-server deploy monitoring --target stage-left:9464 --target stage-right:9464
  prometheus --config.file=monitoring/prometheus.yml --enable-feature=native-histograms";

impl Deploy {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut settings = settings();
        if !self.target.is_empty() {
            settings.targets = self.target;
        }
        settings.scrape_interval = self.scrape_interval;
        settings.alertmanagers = self.alertmanager;
        settings.token_file = self.metrics_token_file;
        for path in write(&self.folder, &files(&settings)?, self.force)? {
            output::line(&path.display().to_string())?;
        }
        Ok(())
    }
}
