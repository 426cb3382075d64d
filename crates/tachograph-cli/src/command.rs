//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tachograph_deploy::{host_and_port, scrape_interval};

use crate::commands;
use crate::failure::Failure;
use crate::http::Endpoint;
use crate::output;
use crate::place::{Place, Url};
use crate::top;

/// Looks at the metrics of a running Tachograph program, or at a recording of them.
#[derive(Debug, Parser)]
#[command(
    name = "tachograph",
    version,
    after_help = "URL is the address of a program's metrics endpoint: 127.0.0.1:9464 or \
                  http://127.0.0.1:9464.\nExit codes: 0 all is well, 1 something was found or \
                  failed, 2 the command or its input is wrong."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show it in the terminal: health, series with heat maps, alerts, findings. `?` there: help
    Top {
        /// A program's address, or a recording
        #[arg(value_name = "URL|FILE", default_value = "127.0.0.1:9464")]
        place: String,
        #[command(flatten)]
        access: Access,
        /// Colours for a light background (t switches)
        #[arg(long)]
        light: bool,
    },
    /// Write what a program measures into a file, which every other command reads
    Record {
        /// The program's address
        #[arg(value_name = "URL", default_value = "127.0.0.1:9464")]
        url: String,
        /// Where to; compressed if the name ends in .gz
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Stop after so long, such as 10m; without it: at Ctrl-C
        #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
        time: Option<Duration>,
        /// Write over a file that exists
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        access: Access,
    },
    /// Say what is wrong with a program, worst first
    Doctor {
        /// A program's address, or a recording
        #[arg(value_name = "URL|FILE", default_value = "127.0.0.1:9464")]
        place: String,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        access: Access,
    },
    /// Check files of alert rules: every error with line, column and the way out
    Check {
        /// Files of alert rules
        #[arg(value_name = "RULES.toml", required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    Deploy(Deploy),
    /// Write alert rules in another program's language
    Rules {
        /// A file of alert rules
        #[arg(value_name = "RULES.toml")]
        file: PathBuf,
        /// As a rule file of Prometheus; says beside each rule what PromQL computes differently
        #[arg(long, required = true)]
        prometheus: bool,
        #[command(flatten)]
        of: Of,
    },
}

/// Write what Prometheus, Grafana and an OpenTelemetry Collector need to watch a program
///
/// Rules, tests of them and panels for every metric that the program has at the moment. Nothing is
/// started or installed.
#[derive(Debug, Args)]
struct Deploy {
    /// The program's address
    #[arg(value_name = "URL")]
    url: String,
    /// The folder to write into; it is made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What Prometheus calls the program; without it: what it calls itself
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// An instance as Prometheus reaches it; may be given more than once. Without it: URL
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    target: Vec<String>,
    /// How often Prometheus scrapes
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = scrape_interval)]
    scrape_interval: Duration,
    /// An Alertmanager; may be given more than once
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    alertmanager: Vec<String>,
    /// Write over files that were changed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    access: Access,
}

/// The right to read an endpoint.
#[derive(Debug, Args)]
struct Access {
    /// A file whose first line is the endpoint's bearer token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The metrics that rules are about.
#[derive(Debug, Args)]
struct Of {
    /// Hold the rules against the metrics of this program or recording too
    #[arg(long, value_name = "URL|FILE")]
    of: Option<String>,
    #[command(flatten)]
    access: Access,
}

impl Deploy {
    fn run(self) -> Result<ExitCode, Failure> {
        let endpoint = self.access.endpoint(Url::parse(&self.url)?)?;
        let wishes = commands::deploy::Wishes {
            job: self.job,
            targets: self.target,
            scrape_interval: self.scrape_interval,
            alertmanagers: self.alertmanager,
            token_file: self.access.token_file,
            force: self.force,
        };
        commands::deploy::run(&endpoint, &self.folder, wishes)
    }
}

impl Access {
    fn source(&self, place: Place) -> Result<commands::Source, Failure> {
        Ok(match place {
            Place::File(file) => commands::Source::File(file),
            Place::Url(url) => commands::Source::Program(self.endpoint(url)?),
        })
    }

    fn endpoint(&self, url: Url) -> Result<Endpoint, Failure> {
        Endpoint::new(url, self.token_file.as_deref())
    }
}

impl Of {
    fn source(&self) -> Result<Option<commands::Source>, Failure> {
        let Some(of) = &self.of else { return Ok(None) };
        self.access.source(Place::parse(of)?).map(Some)
    }
}

/// Runs the command that the arguments of the process ask for.
pub fn run() -> ExitCode {
    run_with(std::env::args_os())
}

fn run_with(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match cli.command.run() {
        Ok(code) => code,
        Err(failure) => {
            output::say(&format!("error: {failure}\n"));
            ExitCode::from(failure.code())
        }
    }
}

impl Command {
    fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Top { place, access, light } => {
                top::run(access.source(Place::parse(&place)?)?, &place, light)
            }
            Self::Record { url, output, time, force, access } => {
                let endpoint = access.endpoint(Url::parse(&url)?)?;
                commands::record::run(&endpoint, &output, time, force)
            }
            Self::Doctor { place, json, access } => {
                commands::doctor::run(&access.source(Place::parse(&place)?)?, json)
            }
            Self::Check { files, of } => commands::check::run(&files, of.source()?.as_ref()),
            Self::Deploy(deploy) => deploy.run(),
            Self::Rules { file, of, .. } => commands::rules::run(&file, of.source()?.as_ref()),
        }
    }
}
