//! `cargo xtask fleet`: the fleet's tables, on standard output or in a page.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fleet::{Fleet, Page, Tables};

/// Simulate a fleet of processes, and what is left of their metrics once they are added up.
///
/// Prints tables in Markdown: how far the fleet's quantiles are from the exact ones, and what a
/// scrape takes. One seed gives the same tables each time.
#[derive(Debug, Parser)]
#[command(name = "fleet", bin_name = "cargo xtask fleet")]
struct Arguments {
    /// Processes of the fleet, from 1 to 1,000,000.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = within::<1_000_000>)]
    processes: usize,
    /// Series of each, from 1 to 10,000.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = within::<10_000>)]
    series: usize,
    /// What all randomness follows from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Also put the tables into a page that has places for them, such as docs/FLEET.md.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn within<const MAX: usize>(text: &str) -> Result<usize, String> {
    let number = text.replace('_', "").parse().ok().filter(|number| (1..=MAX).contains(number));
    number.ok_or_else(|| format!("give a whole number from 1 to {MAX}"))
}

fn main() -> ExitCode {
    let Arguments { processes, series, seed, write } = Arguments::parse();
    let tables = Tables::of(&Fleet { processes, series, seed });
    for (name, table) in tables.iter() {
        println!("## {name}\n\n{table}");
    }
    match write.map_or(Ok(()), |page| put(&page, &tables)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn put(path: &Path, tables: &Tables) -> Result<(), String> {
    let told = |what, error: std::io::Error| format!("cannot {what} {}: {error}", path.display());
    let mut page = Page::new(fs::read_to_string(path).map_err(|error| told("read", error))?);
    page.set(tables).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::write(path, page.text()).map_err(|error| told("write", error))
}
