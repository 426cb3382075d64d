//! `cargo xtask ci`: everything that a change must pass, beside the tests.

use crate::cargo::{cargo, run as run_command};
use crate::steps::{Failed, Steps};
use crate::{demo, fuzz, instructions, loom, msrv, peers, sanitize, simulate, tidy};

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    lints(steps)?;
    msrv::run(steps)?;
    tidy::run(steps)?;
    loom::ci(steps)?;
    sanitize::run(steps, &[])?;
    instructions::run(steps, &[])?;
    simulate::run(steps, &[])?;
    fuzz::run(steps, &[])?;
    peers::run(steps, &[])?;
    // The README's other command; its tests run before this program does.
    demo::run(steps)
}

fn lints(steps: &mut Steps) -> Result<(), Failed> {
    steps.run("fmt", || run_command(&mut cargo(["fmt", "--all", "--check"])))?;
    let clippy = |package: &[&str]| {
        run_command(cargo(["clippy"]).args(package).args(["--", "--deny", "warnings"]))
    };
    steps.run("clippy", || clippy(&["--workspace", "--all-targets"]))?;
    steps.run("clippy: recording compiled out", || {
        clippy(&["--package", "tachograph", "--no-default-features"])
    })?;
    steps.run("doc", || {
        let mut doc = cargo(["doc", "--workspace", "--no-deps"]);
        run_command(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    })
}
