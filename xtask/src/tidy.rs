//! `cargo xtask tidy`: what no lint checks.

use crate::steps::{Failed, Steps};
use crate::{cargo, lock, readme};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.run("tidy: minimum versions", || lock::check(&cargo::read("Cargo.lock")?))?;
    steps.run("tidy: README commands", || readme::check(&cargo::read("README.md")?))
}
