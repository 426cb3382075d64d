//! `cargo xtask fleet`: the simulation of a fleet.

use crate::cargo;
use crate::steps::{Failed, Steps};

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    steps.run("fleet", || {
        cargo::need_package("fleet", "fleet")?;
        let simulate = ["run", "--release", "--package", "fleet", "--"];
        cargo::run(cargo::cargo(simulate).args(arguments))
    })
}
