//! `cargo xtask loom`: model-checks the core.

use std::env;

use crate::cargo::{self, Metadata};
use crate::steps::{Failed, Outcome, Steps};

/// How often a model's scheduler may interrupt a thread; models beyond 2 take hours.
const MAX_PREEMPTIONS: &str = "2";

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("loom", || models(arguments))
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
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{flags} --cfg tachograph_loom").trim_start());
    if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        command.env("LOOM_MAX_PREEMPTIONS", MAX_PREEMPTIONS);
    }
    cargo::run(&mut command)
}
