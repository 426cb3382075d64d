//! What CI runs, as a program that anyone can run: `cargo xtask ci`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod architecture;
mod atomics;
mod bench;
mod bugs;
mod callgrind;
mod cargo;
mod ci;
mod concurrency;
mod contents;
mod demo;
mod fleet;
mod fuzz;
mod instructions;
mod layers;
mod lock;
mod loom;
mod models;
mod msrv;
mod peers;
mod readme;
mod report;
mod sanitize;
mod seeded;
mod shared;
mod simulate;
mod sizes;
mod soak;
mod source;
mod steps;
mod telemetry;
mod tidy;
mod unsafety;
mod version;

use std::process::ExitCode;

use crate::steps::{Failed, Steps};

/// A subcommand: its name, what it does, and whether it passes arguments on.
struct Command {
    name: &'static str,
    about: &'static str,
    arguments: bool,
    run: fn(&mut Steps, &[String]) -> Result<(), Failed>,
}

const COMMANDS: [Command; 11] = [
    Command {
        name: "ci",
        about: "everything that a change must pass, beside `cargo test --workspace`",
        arguments: false,
        run: |steps, _| ci::run(steps),
    },
    Command {
        name: "tidy",
        about: "what no lint checks: versions, layers, sizes, unsafe code, atomics, what pages name",
        arguments: false,
        run: |steps, _| tidy::run(steps),
    },
    Command {
        name: "loom",
        about: "model-check the core (LOOM_MAX_PREEMPTIONS=2), and with --seeded [name] its seeded bugs",
        arguments: true,
        run: loom::run,
    },
    Command {
        name: "simulate",
        about: "10,000 seeds of the core's simulation, or the one that is given",
        arguments: true,
        run: simulate::run,
    },
    Command {
        name: "fuzz",
        about: "fuzz targets, or those that are given; 30 s each unless FUZZ_SECONDS is set",
        arguments: true,
        run: fuzz::run,
    },
    Command {
        name: "sanitize",
        about: "the core's tests under sanitizers: realtime, thread, address; all, or those named",
        arguments: true,
        run: sanitize::run,
    },
    Command {
        name: "peers",
        about: "the server and the exporters before programs of others; all checks, or those named",
        arguments: true,
        run: peers::run,
    },
    Command {
        name: "fleet",
        about: "many processes added up as a Prometheus does; --write docs/FLEET.md, see --help",
        arguments: true,
        run: fleet::run,
    },
    Command {
        name: "soak",
        about: "the long runs: a billion samples at full speed, a million threads; with options, see --help",
        arguments: true,
        run: soak::run,
    },
    Command {
        name: "bench",
        about: "every benchmark, and docs/BENCHMARKS.md of it; --quick for a rough one elsewhere",
        arguments: true,
        run: bench::run,
    },
    Command {
        name: "instructions",
        about: "what recording costs in instructions, against its ceilings; --update sets them",
        arguments: true,
        run: instructions::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", help());
        return ExitCode::from(2);
    };
    if ["--help", "-h", "help"].contains(&name.as_str()) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("there is no command `{name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    if !command.arguments && !rest.is_empty() {
        eprintln!("`{name}` takes no arguments: leave out `{}`", rest.join(" "));
        return ExitCode::from(2);
    }
    let mut steps = Steps::default();
    let result = (command.run)(&mut steps, rest);
    print!("{}", steps.table());
    ExitCode::from(u8::from(result.is_err()))
}

fn help() -> String {
    let mut help = "usage: cargo xtask <command> [arguments]\n\n".to_owned();
    for Command { name, about, arguments, .. } in &COMMANDS {
        let name = if *arguments { format!("{name} […]") } else { (*name).to_owned() };
        help += &format!("  {name:<16} {about}\n");
    }
    help
}
