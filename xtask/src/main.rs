//! What CI runs, as a program that anyone can run: `cargo xtask ci`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod checks;
mod report;
mod runners;
mod steps;
mod tools;

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::runners::{bench, c, fuzz, instructions, lints, loom, peers, programs, sanitize};
use crate::steps::{Failed, Steps};
use crate::tools::Tools;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What CI runs, for everyone")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
    /// Install packages that a step needs and this machine lacks, with `apt-get`, `pip` and `cargo
    /// install`. Otherwise such a step is skipped, or fails if `CI=true`.
    #[arg(long, global = true)]
    install: bool,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that a change must pass, besides `cargo test --workspace`.
    Ci,
    /// The checks no lint covers: layers, sizes, atomics, the concurrency page.
    Tidy,
    /// Model-check the core, with LOOM_MAX_PREEMPTIONS=2 unless it is set.
    Loom {
        /// Put the bugs of loom-tests/seeded.toml into a copy, one at a time: all, or those whose
        /// names contain NAME. A model must fail for each.
        #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
        seeded: Option<String>,
        /// Arguments of `cargo test`, such as a model's name.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The core's simulation: 10,000 seeds, or TACHOGRAPH_SEEDS of them, or the given one.
    Simulate { seed: Option<u64> },
    /// The server under siege for five minutes, or AST_SIEGE_SECONDS: a crowd, silent viewers,
    /// saves, a bad receiver and an unread log, beside well-behaved clients that must lose nothing.
    Siege,
    /// Fuzz targets, all or the named ones, for 30 s each unless FUZZ_SECONDS is set.
    Fuzz { targets: Vec<String> },
    /// The core's tests under sanitizers: realtime, thread, address.
    Sanitize {
        #[arg(value_parser = PossibleValuesParser::new(sanitize::names()))]
        names: Vec<String>,
    },
    /// The server and the exporters against other people's programs.
    Peers {
        #[arg(value_parser = PossibleValuesParser::new(peers::names()))]
        names: Vec<String>,
    },
    /// The C interface: installed, and used by programs in C and C++ under gcc's sanitizers.
    C,
    /// The cost of recording in instructions, compared with its ceilings.
    Instructions {
        /// Make the counts of this run the new ceilings.
        #[arg(long)]
        update: bool,
    },
    /// Every benchmark, and this CPU's page in docs/benchmarks from the results.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let Arguments { task, install } = Arguments::parse();
    let mut steps = Steps::default();
    let outcome = match Tools::new(install) {
        Ok(tools) => run(task, &tools, &mut steps),
        Err(error) => steps.run("tools", || Err(error)),
    };
    print!("{}", steps.table());
    ExitCode::from(u8::from(outcome.is_err()))
}

fn run(task: Task, tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    match task {
        Task::Ci => ci(tools, steps),
        Task::Tidy => checks::tidy(tools, steps),
        Task::Loom { seeded: None, arguments } => loom::models(tools, steps, &arguments),
        Task::Loom { seeded: Some(filter), .. } => loom::seeded(tools, steps, &filter),
        Task::Simulate { seed } => programs::simulation(tools, steps, seed),
        Task::Siege => programs::siege(tools, steps),
        Task::Fuzz { targets } => fuzz::run(tools, steps, &targets),
        Task::Sanitize { names } => sanitize::run(tools, steps, &names),
        Task::Peers { names } => peers::run(tools, steps, &names),
        Task::C => c::run(tools, steps),
        Task::Instructions { update } => instructions::run(tools, steps, update),
        Task::Bench(options) => bench::run(tools, steps, &options),
    }
}

fn ci(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    lints::run(tools, steps)?;
    programs::builds(tools, steps)?;
    checks::tidy(tools, steps)?;
    loom::models(tools, steps, &[])?;
    loom::seeded(tools, steps, "")?;
    sanitize::run(tools, steps, &[])?;
    instructions::run(tools, steps, false)?;
    programs::simulation(tools, steps, None)?;
    programs::siege(tools, steps)?;
    fuzz::run(tools, steps, &[])?;
    peers::run(tools, steps, &[])?;
    c::run(tools, steps)?;
    // The README's other command; its tests run before this program does.
    programs::demo(tools, steps)
}
