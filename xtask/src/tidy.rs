//! `cargo xtask tidy`: what no lint checks.

use crate::steps::{Failed, Steps};
use crate::{architecture, atomics, cargo, lock, readme};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.run("tidy: minimum versions", || lock::check(&cargo::read("Cargo.lock")?))?;
    steps.run("tidy: README commands", || readme::check(&cargo::read("README.md")?))?;
    steps.run("tidy: architecture page", || {
        let page = cargo::read("docs/ARCHITECTURE.md")?;
        architecture::check(&page, &cargo::root().join("crates"))
    })?;
    steps.run("tidy: atomics", || atomics::check(&cargo::root().join("crates/tachograph/src")))
}
