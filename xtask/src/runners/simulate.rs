//! `cargo xtask simulate`, `siege`, `fleet` and `soak`: long-running programs that report their
//! findings.

use anyhow::Result;

use crate::steps::{Failed, Steps};
use crate::tools::Tools;

/// Seeds that CI runs; an idle machine runs 100,000 in a minute.
const SEEDS: &str = "10000";
const SIEGE_SECONDS: &str = "300";

/// The deterministic simulation of the core.
pub(crate) fn run(tools: &Tools, steps: &mut Steps, seed: Option<u64>) -> Result<(), Failed> {
    steps.run("simulation", || {
        let test = tools.cargo().args(["test", "--release", "--package", "tachograph", "--lib"]);
        // Fast, but with all the checks of a debug build.
        let test = test
            .arg("--target-dir")
            .arg(tools.target("simulate"))
            .args(["simulation::every_seed", "--", "--nocapture"])
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .env("CARGO_PROFILE_RELEASE_LTO", "off");
        let test = match seed {
            Some(seed) => test.env("TACHOGRAPH_SEED", seed.to_string()),
            None if std::env::var_os("TACHOGRAPH_SEEDS").is_none() => {
                test.env("TACHOGRAPH_SEEDS", SEEDS)
            }
            None => test,
        };
        test.run()?;
        Ok(String::new())
    })
}

/// The server under siege, for five minutes unless AST_SIEGE_SECONDS is set.
pub(crate) fn siege(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    steps.run("siege", || {
        let test = ["test", "--release", "--package", "ast-server", "--test", "siege"];
        let test = tools.cargo().args(test).args(["--", "--nocapture"]);
        let test = match std::env::var_os("AST_SIEGE_SECONDS") {
            Some(_) => test,
            None => test.env("AST_SIEGE_SECONDS", SIEGE_SECONDS),
        };
        test.run()?;
        Ok(String::new())
    })
}

/// The fleet simulation.
pub(crate) fn fleet(tools: &Tools, steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("fleet", || {
        let fleet = tools.cargo().args(["run", "--release", "--package", "fleet", "--"]);
        fleet.args(arguments).run()?;
        Ok(String::new())
    })
}

/// The long runs.
pub(crate) fn soak(tools: &Tools, steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("soak: samples", || {
        let soak = ["run", "--release", "--package", "tachograph", "--example", "soak", "--"];
        tools.cargo().args(soak).args(arguments).run()?;
        Ok(String::new())
    })?;
    if !arguments.is_empty() {
        return Ok(());
    }
    steps.run("soak: threads", || {
        let test = ["test", "--release", "--package", "tachograph", "--test", "threads"];
        tools.cargo().args(test).env("TACHOGRAPH_THREADS", "1000000").run()?;
        Ok(String::new())
    })
}
