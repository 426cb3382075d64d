//! `cargo xtask loom`: model-checks the core, or checks the models with seeded bugs.

use std::env;
use std::process::Command;

use crate::cargo::{self, Metadata};
use crate::seeded;
use crate::steps::{Failed, Outcome, Steps};

/// How often a model's scheduler may interrupt a thread; models beyond 2 take hours.
const MAX_PREEMPTIONS: &str = "2";

/// Puts bugs into a copy of the core, and expects the models to fail.
const SEEDED: &str = "--seeded";

/// The models; with `--seeded` the seeded bugs after them, or those alone whose names contain the
/// next argument.
pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    match arguments {
        [first] if first == SEEDED => {
            steps.run("loom", || models(&[]))?;
            steps.run("loom: seeded bugs", || seeded::run(""))
        }
        [first, name] if first == SEEDED => steps.run("loom: seeded bugs", || seeded::run(name)),
        _ => steps.run("loom", || models(arguments)),
    }
}

pub(crate) fn ci(steps: &mut Steps) -> Result<(), Failed> {
    run(steps, &[SEEDED.to_owned()])
}

fn models(arguments: &[String]) -> Outcome {
    cargo::need_package("loom-tests", "loom-tests")?;
    let mut command = cargo::cargo(["test", "--release", "--package", "loom-tests"]);
    // A folder of its own: the flags would make every other build start over.
    command.arg("--target-dir").arg(Metadata::load()?.target_directory("loom")).args(arguments);
    if !arguments.iter().any(|argument| argument == "--") {
        command.arg("--");
    }
    // Each model's number of executions is what the reader of a run looks for.
    command.arg("--nocapture");
    configure(&mut command);
    cargo::run(&mut command)
}

/// Sets what makes a build one of models.
pub(crate) fn configure(command: &mut Command) {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{flags} --cfg tachograph_loom").trim_start());
    // Linking would take longer than the models.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off");
    if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        command.env("LOOM_MAX_PREEMPTIONS", MAX_PREEMPTIONS);
    }
}
