//! The commands, one per file, what they share, and the settings of `serve` in a folder of their own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is its purpose")]

mod alerts;
mod check;
mod demo;
mod deploy;
mod diff;
mod failure;
mod info;
mod log;
mod output;
mod rules;
mod serve;
mod settings;
mod signal;
mod tree;
mod viewer;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::failure::Failure;

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
  ast-server rules > rules.toml       alert rules to start from, for serve --alerts

Exit codes: 0 done, 1 it failed (the reason is on standard error), 2 wrong usage: a flag, or a key of
the --config file.
Logs go to standard error; RUST_LOG=debug shows more of them, RUST_LOG=off none.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    Info(info::Info),
    Tree(tree::Tree),
    Diff(diff::Diff),
    Deploy(deploy::Deploy),
    Rules(rules::Rules),
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
        Command::Rules(rules) => rules.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
