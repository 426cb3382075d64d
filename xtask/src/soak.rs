//! `cargo xtask soak`: the long run.

use crate::cargo;
use crate::steps::{Failed, Steps};

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("soak", || {
        let example = ["run", "--release", "--package", "tachograph", "--example", "soak", "--"];
        cargo::run(cargo::cargo(example).args(arguments))
    })
}
