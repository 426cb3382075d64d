//! Formatting, clippy, documentation, dependencies, packages, the minimum Rust version.

use std::collections::HashSet;

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

/// The package that compares with other libraries, whose newest versions may need a newer Rust.
const COMPARES: &str = "benches";

/// Checks that no other package of the workspace depends, with any features, on one that needs a
/// newer Rust than the workspace.
fn dependencies(tools: &Tools) -> Result<String> {
    let ours = ours(tools)?;
    let graph = tools.metadata.resolve.as_ref().context("cargo told no dependencies")?;
    let own = tools.metadata.workspace_packages().into_iter();
    let mut open: Vec<_> = own.filter(|it| *it.name != COMPARES).map(|it| &it.id).collect();
    let mut found = HashSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            let node = graph.nodes.iter().find(|node| node.id == *id);
            open.extend(node.into_iter().flat_map(|node| &node.dependencies));
        }
    }
    let packages = tools.metadata.packages.iter().filter(|package| found.contains(&package.id));
    let newer = packages.filter_map(|package| {
        let needs = package.rust_version.as_ref().filter(|needs| *needs > ours)?;
        let (name, version) = (&package.name, &package.version);
        Some(format!("{name} {version} needs Rust {needs}, the workspace promises {ours}"))
    });
    let told = format!("{} packages need at most Rust {ours}", found.len());
    outcome(&newer.collect::<Vec<_>>(), told)
}

/// Builds with exactly that toolchain, if rustup has it.
fn check(tools: &Tools) -> Result<String> {
    let ours = ours(tools)?;
    let wanted = format!("{}.{}", ours.major, ours.minor);
    let listed = cmd!(tools.shell, "rustup toolchain list").read().unwrap_or_default();
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    let is_wanted = |name: &&str| {
        let rest = name.strip_prefix(&wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    let Some(toolchain) = names.into_iter().find(is_wanted) else {
        return Ok(format!("not built: no toolchain {wanted} is installed"));
    };
    let target = tools.target("msrv");
    let check = cmd!(tools.shell, "rustup run {toolchain} cargo check --workspace --locked");
    check.arg("--target-dir").arg(target).run()?;
    Ok(String::new())
}
