//! `cargo xtask bench`: benchmarks, with recording compiled in and without.

use crate::cargo;
use crate::steps::{Failed, Steps};

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    let bench = |features: &[&str]| {
        cargo::need_package("benches", "benches")?;
        let base = ["bench", "--package", "benches"];
        cargo::run(cargo::cargo(base.iter().chain(features)).args(arguments))
    };
    steps.run("bench", || bench(&[]))?;
    steps.run("bench: recording compiled out", || bench(&["--no-default-features"]))
}
