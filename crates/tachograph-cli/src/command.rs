//! The command line.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tachograph_deploy::{host_and_port, job_name, scrape_interval, time_in};

use crate::commands;
use crate::failure::Failure;
use crate::http::Endpoint;
use crate::output;
use crate::place::{Place, Url};
use crate::top;

/// Watches, records and diagnoses the metrics of a program that uses Tachograph.
#[derive(Debug, Parser)]
#[command(
    name = "tachograph",
    version,
    after_help = "URL is the address of a program's metrics endpoint: 127.0.0.1:9464 or \
                  http://127.0.0.1:9464.\nExit codes: 0 success, 1 problems found or the command \
                  failed, 2 wrong usage or input."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show metrics in the terminal: health, series, heat maps, alerts, findings (press ? for help)
    Top {
        /// Address of a running program, or a recording
        #[arg(value_name = "URL|FILE", default_value = "127.0.0.1:9464")]
        place: String,
        #[command(flatten)]
        access: Access,
        /// Use colours for a light background (the key t switches them)
        #[arg(long)]
        light: bool,
    },
    /// Record a program's metrics into a file, which the other commands can read
    Record {
        /// Address of the program
        #[arg(value_name = "URL", default_value = "127.0.0.1:9464")]
        url: String,
        /// Output file; gzip-compressed if its name ends in .gz
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Stop after this time, such as 10m [default: record until Ctrl-C]
        #[arg(long = "for", value_name = "TIME", value_parser = time_in(RECORDED), allow_negative_numbers = true)]
        time: Option<Duration>,
        /// Overwrite an existing file, once there is something to record
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        access: Access,
    },
    Report(Report),
    /// List problems of a program, worst first
    Doctor {
        /// Address of a running program, or a recording
        #[arg(value_name = "URL|FILE", default_value = "127.0.0.1:9464")]
        place: String,
        /// Alert rules for a recording: those that fire at its end are problems too (a running
        /// program has its own)
        #[arg(long, value_name = "RULES.toml")]
        rules: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        access: Access,
    },
    /// Check files of alert rules; report each error with its line, its column and a remedy
    /// (--example prints one to start from)
    Check {
        /// Rule files
        #[arg(value_name = "RULES.toml", required_unless_present = "example")]
        files: Vec<PathBuf>,
        /// Print a rule file to start from, with every key explained, and check nothing
        #[arg(long, exclusive = true)]
        example: bool,
        /// Then evaluate the rules over this recording: print when each alert would have been
        /// pending, firing and resolved, and end with 1 if one fired (heartbeats apart)
        #[arg(long, value_name = "FILE", conflicts_with = "of")]
        over: Option<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    Deploy(Deploy),
    /// Convert alert rules into the format of another system
    Rules {
        /// Rule file
        #[arg(value_name = "RULES.toml")]
        file: PathBuf,
        /// Print a Prometheus rule file; comments say where PromQL gives different results
        #[arg(long, required = true)]
        prometheus: bool,
        #[command(flatten)]
        of: Of,
    },
}

/// The range of `record --for`: up to ten years.
const RECORDED: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(10 * 365 * 86_400);

/// Turn a recording into a report: one HTML file with charts, which opens without a server
///
/// The report is the page that a running program shows, with the recording inside: attach it to a
/// mail or keep it beside a release. Long recordings are merged until a browser can hold them, at
/// most 16 MiB; no spike is lost by that. Make recordings with `tachograph record`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tachograph report run.jsonl.gz -o report.html\n  tachograph \
                        report new.jsonl.gz --against old.jsonl.gz -o report.html\n  tachograph \
                        report new.jsonl.gz --rules rules.toml -o report.html\n  tachograph \
                        report new.jsonl.gz --against old.jsonl.gz --text | less -S")]
struct Report {
    /// Recording to report on
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Recording of an earlier run: every series of both runs side by side, what changed most
    /// first, with how sure that is
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Alert rules: the report tells when they would have fired in the recording
    #[arg(long, value_name = "RULES.toml")]
    rules: Option<PathBuf>,
    /// File to write the report to
    #[arg(short, long, value_name = "HTML", required_unless_present = "text")]
    output: Option<PathBuf>,
    /// Print a table instead
    #[arg(long, conflicts_with = "output")]
    text: bool,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

/// Write configuration for Prometheus, Grafana and an OpenTelemetry Collector
///
/// Writes recording rules, alerts, tests of both, and a dashboard with a panel for every metric
/// that the program has at the moment. Starts and installs nothing.
#[derive(Debug, Args)]
struct Deploy {
    /// Address of the program
    #[arg(value_name = "URL")]
    url: String,
    /// Output folder; created if it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Name of the program in Prometheus, its label `job` [default: the name it reports itself]
    #[arg(long, value_name = "NAME", value_parser = job_name)]
    job: Option<String>,
    /// Address at which Prometheus scrapes an instance; repeat for several [default: URL]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    target: Vec<String>,
    /// Time between two scrapes
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = scrape_interval, allow_negative_numbers = true)]
    scrape_interval: Duration,
    /// Address of an Alertmanager; repeat for several
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    alertmanager: Vec<String>,
    /// Overwrite files even if they were changed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    access: Access,
}

/// Credentials for an endpoint.
#[derive(Debug, Args)]
struct Access {
    /// File whose first line is the endpoint's bearer token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The source of the metrics that rules refer to.
#[derive(Debug, Args)]
struct Of {
    /// Check the rules against the metrics of this program or recording
    #[arg(long, value_name = "URL|FILE")]
    of: Option<String>,
    #[command(flatten)]
    access: Access,
}

impl Report {
    fn run(self) -> Result<ExitCode, Failure> {
        let Self { file, against, rules, output, force, text: _ } = self;
        let wishes = commands::report::Wishes { file, against, output, force, rules };
        commands::report::run(&wishes)
    }
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
        match place {
            Place::File(_) if self.token_file.is_some() => Err(Failure::Input(
                "only a running program asks for a token: leave --token-file out".to_owned(),
            )),
            Place::File(file) => Ok(commands::Source::File(file)),
            Place::Url(url) => Ok(commands::Source::Program(self.endpoint(url)?)),
        }
    }

    fn endpoint(&self, url: Url) -> Result<Endpoint, Failure> {
        Endpoint::new(url, self.token_file.as_deref())
    }
}

impl Of {
    fn source(&self) -> Result<Option<commands::Source>, Failure> {
        let Some(of) = &self.of else {
            let is_unused = self.access.token_file.is_some();
            let way_out = "--token-file is for the program of --of URL: give both or none";
            return if is_unused { Err(Failure::Input(way_out.to_owned())) } else { Ok(None) };
        };
        self.access.source(Place::parse(of)?).map(Some)
    }
}

/// Runs the command line of this process and returns its exit code.
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
            Self::Report(report) => report.run(),
            Self::Doctor { place, rules, json, access } => {
                let source = access.source(Place::parse(&place)?)?;
                commands::doctor::run(&source, rules.as_deref(), json)
            }
            Self::Check { example: true, .. } => {
                output::print(tachograph_alert::EXAMPLE)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Check { files, over, of, .. } => {
                let recorded = || over.clone().map(commands::Source::File);
                let of = of.source()?.or_else(recorded);
                commands::check::run(&files, of.as_ref(), over.as_deref())
            }
            Self::Deploy(deploy) => deploy.run(),
            Self::Rules { file, of, .. } => commands::rules::run(&file, of.source()?.as_ref()),
        }
    }
}

#[cfg(test)]
#[allow(dead_code, reason = "only the names count here; `tests/settings` uses the rest")]
#[path = "../tests/settings/rows.rs"]
mod rows;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_flag_is_left_out() {
        let mut cli = Cli::command();
        // Adds what clap itself has.
        cli.build();
        let mut flags = Vec::new();
        for command in cli.get_subcommands().filter(|it| it.get_name() != "help") {
            for flag in command.get_arguments() {
                let name = flag.get_long().unwrap_or_else(|| flag.get_id().as_str());
                if name != "help" {
                    flags.push((command.get_name().to_owned(), name.to_owned()));
                }
            }
        }
        let known = rows::ROWS.iter().map(|&(command, flag, values)| {
            assert!(!values.is_empty(), "{command} {flag} is tried with nothing");
            (command.to_owned(), flag.to_owned())
        });
        let mut known: Vec<_> = known.collect();
        flags.sort();
        known.sort();
        assert_eq!(known, flags, "`tests/settings/rows.rs` has no values for a flag");
    }
}
