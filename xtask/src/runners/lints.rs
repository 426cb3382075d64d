//! Formatting, clippy, documentation, dependencies, packages, the minimum Rust version.

use anyhow::{Context, Result};
use xshell::cmd;

use crate::steps::{Failed, Steps, outcome, skipped};
use crate::tools::Tools;

pub(crate) fn run(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    let mut cargo = |name: &str, arguments: &str| {
        let command = tools.cargo(arguments).env("RUSTDOCFLAGS", "--deny warnings");
        steps.command(name, command)
    };
    cargo("fmt", "fmt --all --check")?;
    cargo("clippy", "clippy --workspace --all-targets -- --deny warnings")?;
    let core = "clippy --package tachograph --no-default-features -- --deny warnings";
    cargo("clippy: recording compiled out", core)?;
    cargo("doc", "doc --workspace --no-deps")?;
    // Listing is enough: it fails if a package lacks something, such as the version of a path.
    cargo("package", "package --workspace --no-verify --allow-dirty --quiet")?;
    steps.run("deny: licences, sources, versions with known faults", || {
        // Advisories are left out because they need the network.
        deny(tools, "deny.toml", "bans licenses sources")
    })?;
    steps.run("msrv: dependencies", || dependencies(tools))?;
    steps.run("msrv: check", || check(tools))
}

/// What cargo-deny says of the dependencies, by a configuration of its own.
pub(crate) fn deny(tools: &Tools, configuration: &str, checks: &str) -> Result<String> {
    if !tools.has("cargo deny --version", "cargo install cargo-deny --locked") {
        return skipped("cargo-deny is missing (`cargo install cargo-deny`, or pass --install)");
    }
    let deny = format!("deny --workspace --locked --config {configuration} check {checks}");
    tools.cargo(&deny).run()?;
    Ok(String::new())
}

/// The Rust version that the workspace supports.
fn ours(tools: &Tools) -> Result<&cargo_metadata::semver::Version> {
    let own = tools.metadata.workspace_packages().into_iter();
    let versions = own.filter_map(|package| package.rust_version.as_ref());
    versions.max().context("no package of the workspace has a `rust-version`")
}

/// Checks that no package needs a newer Rust than the workspace. The newest versions of other
/// libraries may: benches compare with them behind a feature that is off here.
fn dependencies(tools: &Tools) -> Result<String> {
    let (ours, packages) = (ours(tools)?, &tools.metadata.packages);
    let newer = packages.iter().filter_map(|package| {
        let needs = package.rust_version.as_ref().filter(|needs| *needs > ours)?;
        let (name, version) = (&package.name, &package.version);
        Some(format!("{name} {version} needs Rust {needs}, the workspace promises {ours}"))
    });
    let told = format!("{} packages need at most Rust {ours}", packages.len());
    outcome(&newer.collect::<Vec<_>>(), told)
}

/// Builds with exactly that toolchain, if rustup has it.
fn check(tools: &Tools) -> Result<String> {
    let ours = ours(tools)?;
    let toolchain = format!("{}.{}", ours.major, ours.minor);
    if !tools.has(&format!("rustup run {toolchain} cargo --version"), "false") {
        return Ok(format!("not built: no toolchain {toolchain} is installed"));
    }
    let check = cmd!(tools.shell, "rustup run {toolchain} cargo check --workspace --locked");
    check.arg("--target-dir").arg(tools.target("msrv")).run()?;
    Ok(String::new())
}
