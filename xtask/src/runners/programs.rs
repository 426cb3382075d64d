//! Steps that are a command of cargo's each: programs that run for long, and builds that
//! `cargo test --workspace` leaves out.

use anyhow::{Result, ensure};

use crate::steps::{Failed, Steps};
use crate::tools::Tools;

/// Seeds that CI simulates; an idle machine runs 100,000 in a minute.
const SEEDS: &str = "10000";
const SIEGE_SECONDS: &str = "300";

/// The server with TLS, which needs a C compiler.
const TLS: &str = "--package ast-server --features tls";

/// The programs of the guides in `docs/porting`, with the libraries that they start from.
pub(super) const PORTING: &str =
    "--package benches --no-default-features --features porting --test porting";

/// The builds that `cargo test --workspace` leaves out.
pub(crate) fn builds(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    for (name, arguments) in [
        ("tls: clippy", format!("clippy {TLS} --all-targets -- --deny warnings")),
        ("tls: tests that no other build has", format!("test {TLS} --test tls with_tls")),
        ("porting: clippy", format!("clippy {PORTING} -- --deny warnings")),
        ("porting: programs before and after", format!("test {PORTING}")),
    ] {
        steps.command(name, tools.cargo(&arguments))?;
    }
    Ok(())
}

/// The deterministic simulation of the core: fast, but with all the checks of a debug build.
pub(crate) fn simulation(
    tools: &Tools,
    steps: &mut Steps,
    seed: Option<u64>,
) -> Result<(), Failed> {
    let test = tools.cargo("test --release --package tachograph --lib --target-dir");
    let test = test.arg(tools.target("simulate"));
    let test = test.args(["simulation::every_seed", "--", "--nocapture"]);
    let test = test
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env("TACHOGRAPH_SEEDS", given("TACHOGRAPH_SEEDS", SEEDS));
    let seed = seed.map(|seed| ("TACHOGRAPH_SEED", seed.to_string()));
    steps.command("simulation", test.envs(seed))
}

/// The server under siege, as the workspace's tests have built it: with overflow checks.
pub(crate) fn siege(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    let test = tools.cargo("test --workspace --test siege -- --nocapture");
    steps.command("siege", test.env("AST_SIEGE_SECONDS", given("AST_SIEGE_SECONDS", SIEGE_SECONDS)))
}

/// The README's demo as written. It fails if an event is lost; a test of the server's command line
/// adds its summary up.
pub(crate) fn demo(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    steps.run("demo: needs no C compiler", || no_c_compiler(tools))?;
    steps.command("demo", tools.cargo("run --release -- demo"))
}

/// Checks that no dependency of the demo needs a C compiler.
fn no_c_compiler(tools: &Tools) -> Result<String> {
    let packages = tools.cargo("tree --edges normal,build --prefix none").read()?;
    ensure!(packages.contains("ast-server v"), "`cargo tree` does not list the server");
    let compiles = |line: &&str| ["cc ", "cmake "].iter().any(|name| line.starts_with(name));
    let needed: Vec<_> = packages.lines().filter(compiles).collect();
    ensure!(needed.is_empty(), "{needed:?}: put the dependency behind a feature");
    Ok(String::new())
}

/// A variable's value where it is set.
fn given(variable: &str, or: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| or.to_owned())
}
