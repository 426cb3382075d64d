//! The commands, one per file, and what they share.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is its purpose")]

mod alerts;
mod demo;
mod deploy;
mod diff;
#[cfg(test)]
mod extremes;
mod info;
mod log;
mod output;
mod push;
mod serve;
mod settings;
mod signal;
mod tls;
mod tree;
mod viewer;

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::process::ExitCode;
use std::str::FromStr;

use ast_server::Addresses;
use clap::{Args, Parser, Subcommand};

/// Any error that stops a command; its message goes to standard error.
type Failure = Box<dyn std::error::Error>;

/// Keeps the tree of an Ableton Live set up to date.
///
/// Live events come in as OSC over UDP, changes go out to viewers over WebSocket, and everything
/// that happens is measured, for people and for Prometheus. Start with `ast-server demo`, which
/// needs neither Live nor a set.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  ast-server demo                     see it work: 20,000 events, then the health dashboard
  ast-server serve song.als           keep the tree of song.als for viewers
  ast-server info song.als            tracks, scenes, devices and clips in numbers
  ast-server diff before.als after.als
  ast-server deploy monitoring        rules, alerts and dashboards that fit this version

Exit codes: 0 done, 1 it failed (the reason is on standard error), 2 wrong usage.
Logs go to standard error; RUST_LOG=debug shows more of them, RUST_LOG=off none.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    Info(info::Info),
    Tree(tree::Tree),
    Diff(diff::Diff),
    Deploy(deploy::Deploy),
}

/// Reads a whole number.
fn whole<T: Whole>(text: &str) -> Result<T, String> {
    let expected = format!("expected a whole number from {} to {}", T::LEAST, T::MOST);
    if text.starts_with('-') {
        return Err(expected);
    }
    text.parse().map_err(|error: T::Err| format!("{error}; {expected}"))
}

/// A whole number, and its range.
trait Whole: FromStr<Err: Display> {
    const LEAST: u64;
    const MOST: u64;
}

impl Whole for u64 {
    const LEAST: u64 = Self::MIN;
    const MOST: u64 = Self::MAX;
}

impl Whole for usize {
    const LEAST: u64 = 0;
    const MOST: u64 = Self::MAX as u64;
}

impl Whole for NonZeroU32 {
    const LEAST: u64 = 1;
    const MOST: u64 = u32::MAX as u64;
}

impl Whole for NonZeroU64 {
    const LEAST: u64 = 1;
    const MOST: u64 = u64::MAX;
}

/// The addresses that a server listens on.
#[derive(Debug, Args)]
struct Listen {
    /// Address for events, OSC over UDP. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    udp: Option<SocketAddr>,
    /// Address for viewers, WebSocket. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    ws: Option<SocketAddr>,
    /// Address for metrics and queries, HTTP: /metrics, /summary, /health, /project, /nodes and
    /// more. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
}

impl Listen {
    fn or(&self, default: Addresses) -> Addresses {
        Addresses::new(
            self.udp.unwrap_or(default.udp),
            self.ws.unwrap_or(default.websocket),
            self.http.unwrap_or(default.http),
        )
    }
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    // Usage errors end here, with exit code 2.
    let command = Cli::parse().command;
    let done = match command {
        Command::Serve(serve) => serve.run(),
        Command::Demo(demo) => demo.run(),
        Command::Info(info) => info.run(),
        Command::Tree(tree) => tree.run(),
        Command::Diff(diff) => diff.run(),
        Command::Deploy(deploy) => deploy.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}
