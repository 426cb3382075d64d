//! `cargo xtask tidy`: what no lint checks.

use crate::cargo::Metadata;
use crate::steps::{Failed, Outcome, Steps};
use crate::{
    architecture, atomics, cargo, concurrency, contents, layers, lock, readme, seeded, sizes,
    source, telemetry, unsafety,
};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.run("tidy: minimum versions", || lock::check(&cargo::read("Cargo.lock")?))?;
    steps.run("tidy: README commands", || readme::check(&cargo::read("README.md")?))?;
    steps.run("tidy: architecture page", || {
        let page = cargo::read("docs/ARCHITECTURE.md")?;
        architecture::check(&page, &cargo::root().join("crates"))
    })?;
    steps.run("tidy: layers", || layers::check(&Metadata::load()?))?;
    let mut sources = Vec::new();
    steps.run("tidy: sources", || {
        sources = source::all(cargo::root())?;
        Ok(format!("{} files", sources.len()))
    })?;
    steps.run("tidy: concurrency page", || {
        concurrency::check(&cargo::read(concurrency::PAGE)?, &sources, &seeded::list()?)
    })?;
    steps.run("tidy: sizes", || sizes::check(&sources))?;
    steps.run("tidy: contents pages", || contents::check(&sources))?;
    steps.run("tidy: unsafe code", || unsafety::check(&sources))?;
    steps.run("tidy: atomics", || atomics::check(&sources))?;
    steps.run("tidy: telemetry", || telemetry::check(&sources))
}

/// The remark where there is no problem, else all problems.
pub(crate) fn outcome(problems: &[String], remark: String) -> Outcome {
    if problems.is_empty() { Ok(remark) } else { Err(problems.join("\n")) }
}
