//! Steps that are a command of cargo's each: programs that run for long, and builds that
//! `cargo test --workspace` leaves out.

use crate::steps::{Failed, Steps};
use crate::tools::Tools;

/// Seeds that CI simulates; an idle machine runs 100,000 in a minute.
const SEEDS: &str = "10000";
const SIEGE_SECONDS: &str = "300";

const DENY: [&str; 3] = ["--", "--deny", "warnings"];

/// The server with TLS, which needs a C compiler.
const TLS: [&str; 4] = ["--package", "ast-server", "--features", "tls"];

/// The programs of the guides in `docs/porting`, with the libraries that they start from.
pub(super) const PORTING: [&str; 7] =
    ["--package", "benches", "--no-default-features", "--features", "porting", "--test", "porting"];

pub(crate) fn tls(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    let clippy = tools.cargo().arg("clippy").args(TLS).arg("--all-targets").args(DENY);
    steps.command("tls: clippy", clippy)?;
    let test = tools.cargo().arg("test").args(TLS).args(["--test", "tls", "with_tls"]);
    steps.command("tls: tests that no other build has", test)
}

pub(crate) fn porting(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    steps.command("porting: clippy", tools.cargo().arg("clippy").args(PORTING).args(DENY))?;
    let test = tools.cargo().arg("test").args(PORTING);
    steps.command("porting: programs before and after", test)
}

/// The deterministic simulation of the core: fast, but with all the checks of a debug build.
pub(crate) fn simulation(
    tools: &Tools,
    steps: &mut Steps,
    seed: Option<u64>,
) -> Result<(), Failed> {
    let test = tools.cargo().args(["test", "--release", "--package", "tachograph", "--lib"]);
    let test = test.arg("--target-dir").arg(tools.target("simulate"));
    let test = test.args(["simulation::every_seed", "--", "--nocapture"]);
    let test = test
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("TACHOGRAPH_SEEDS", given("TACHOGRAPH_SEEDS", SEEDS));
    let seed = seed.map(|seed| ("TACHOGRAPH_SEED", seed.to_string()));
    steps.command("simulation", test.envs(seed))
}

/// The server under siege, as the workspace's tests have built it: with overflow checks.
pub(crate) fn siege(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    let test = ["test", "--workspace", "--test", "siege"];
    let test = tools.cargo().args(test).args(["--", "--nocapture"]);
    steps.command("siege", test.env("AST_SIEGE_SECONDS", given("AST_SIEGE_SECONDS", SIEGE_SECONDS)))
}

/// The fleet simulation.
pub(crate) fn fleet(tools: &Tools, steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    let fleet = tools.cargo().args(["run", "--release", "--package", "fleet", "--"]);
    steps.command("fleet", fleet.args(arguments))
}

/// The long runs.
pub(crate) fn soak(tools: &Tools, steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    let soak = ["run", "--release", "--package", "tachograph", "--example", "soak", "--"];
    steps.command("soak: samples", tools.cargo().args(soak).args(arguments))?;
    if !arguments.is_empty() {
        return Ok(());
    }
    let test = ["test", "--release", "--package", "tachograph", "--test", "threads"];
    let test = tools.cargo().args(test).env("TACHOGRAPH_THREADS", "1000000");
    steps.command("soak: threads", test)
}

/// A variable's value where it is set.
fn given(variable: &str, or: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| or.to_owned())
}
