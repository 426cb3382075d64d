//! `cargo xtask tidy`: the checks that no lint covers.

mod atomics;
mod concurrency;
mod folders;
mod layers;
mod sizes;
mod source;
mod words;

use crate::runners::loom;
use crate::steps::{Failed, Steps};
use crate::tools::{self, Tools};

pub(crate) fn tidy(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    steps.run("tidy: layers", || layers::check(tools))?;
    let mut sources = Vec::new();
    steps.run("tidy: sources", || {
        sources = source::all(tools)?;
        Ok(format!("{} files", sources.len()))
    })?;
    steps.run("tidy: folders", || folders::check(&sources))?;
    steps.run("tidy: concurrency page", || {
        loom::check_list()?;
        concurrency::check(&tools::read(concurrency::PAGE)?, &sources)
    })?;
    steps.run("tidy: sizes", || sizes::check(&sources))?;
    steps.run("tidy: atomics", || atomics::check(&sources))
}
