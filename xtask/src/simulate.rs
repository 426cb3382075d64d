//! `cargo xtask simulate [SEED]`: the deterministic simulation of the core.

use crate::cargo::{self, Metadata};
use crate::steps::{Failed, Outcome, Steps};

/// Seeds that CI runs; a minute's worth of them on an idle machine is 100,000.
const SEEDS: &str = "10000";

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("simulation", || simulate(arguments))
}

fn simulate(arguments: &[String]) -> Outcome {
    let mut command = cargo::cargo(["test", "--release", "--package", "tachograph", "--lib"]);
    // Fast, and with every check that a debug build makes. A folder of its own: other builds
    // would start over.
    command
        .arg("--target-dir")
        .arg(Metadata::load()?.target_directory("simulate"))
        .args(["simulation::every_seed", "--", "--nocapture"])
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env("CARGO_PROFILE_RELEASE_LTO", "off");
    match arguments {
        [] if std::env::var_os("TACHOGRAPH_SEEDS").is_none() => {
            command.env("TACHOGRAPH_SEEDS", SEEDS);
        }
        [] => {}
        [seed] if seed.parse::<u64>().is_ok() => {
            command.env("TACHOGRAPH_SEED", seed);
        }
        _ => return Err("give one seed, a number, or none; TACHOGRAPH_SEEDS is how many".into()),
    }
    cargo::run(&mut command)
}
