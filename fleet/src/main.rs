//! `cargo fleet`: the fleet's tables, on standard output or in a page.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fleet::{Fleet, Page, Tables};

/// Simulate a fleet of processes to see what remains of their metrics after aggregation.
///
/// Prints Markdown tables: the error of the fleet's quantiles, and the size of a scrape. The same
/// seed always gives the same tables.
#[derive(Debug, Parser)]
#[command(name = "fleet", bin_name = "cargo fleet")]
struct Arguments {
    /// Processes in the fleet, from 1 to 1,000,000.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = within::<1_000_000>)]
    processes: usize,
    /// Series per process, from 1 to 10,000.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = within::<10_000>)]
    series: usize,
    /// The seed of all randomness.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Also put the tables into a page with places for them, such as docs/FLEET.md.
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
