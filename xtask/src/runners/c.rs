//! `cargo xtask c`: the C interface as its users build it; see the Makefile in its crate.

use xshell::cmd;

use crate::steps::{Failed, Steps, skipped};
use crate::tools::{self, Tools};

pub(crate) fn run(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    for program in ["gcc", "g++", "make", "pkg-config", "python3"] {
        if !tools.has(&format!("{program} --version"), &tools::debian(program)) {
            return steps.run("c", || skipped(&format!("{program} is missing")));
        }
    }
    let check =
        cmd!(tools.shell, "make --no-print-directory --directory crates/tachograph-c check");
    steps.command("c", check.env("CARGO_TARGET_DIR", tools.target("")))
}
