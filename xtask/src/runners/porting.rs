//! The programs of the guides in `docs/porting`; `cargo test --workspace` does without the
//! libraries that they start from.

use anyhow::Result;

use crate::steps::{Failed, Steps};
use crate::tools::Tools;

pub(super) const PROGRAMS: [&str; 7] =
    ["--package", "benches", "--no-default-features", "--features", "porting", "--test", "porting"];

pub(crate) fn run(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    let run = |arguments: &[&str]| -> Result<String> {
        tools.cargo().args(arguments).run()?;
        Ok(String::new())
    };
    steps.run("porting: clippy", || {
        run(&[&["clippy"], &PROGRAMS[..], &["--", "--deny", "warnings"]].concat())
    })?;
    steps.run("porting: programs before and after", || run(&[&["test"], &PROGRAMS[..]].concat()))
}
