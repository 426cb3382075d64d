//! `cargo xtask soak`: the long runs.

use crate::cargo;
use crate::steps::{Failed, Steps};

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("soak: samples", || {
        let example = ["run", "--release", "--package", "tachograph", "--example", "soak", "--"];
        cargo::run(cargo::cargo(example).args(arguments))
    })?;
    if !arguments.is_empty() {
        return Ok(());
    }
    steps.run("soak: threads", || {
        let mut test = cargo::cargo(["test", "--release", "--package", "tachograph"]);
        cargo::run(test.args(["--test", "threads"]).env("TACHOGRAPH_THREADS", "1000000"))
    })
}
