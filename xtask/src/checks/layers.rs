//! Checks that crates depend on each other in one direction only, and the core on little.

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, Package};

use crate::runners::lints;
use crate::steps::outcome;
use crate::tools::Tools;

/// Which crate of the workspace may be used by which.
const LAYERS: &str = "xtask/layers.toml";

/// The crates that the core may use, none of them of the workspace.
const CORE_MAY_USE: &str = "arc-swap atomic_float crossbeam-queue foldhash hashbrown hdrhistogram \
                            libc loom once_cell quanta serde zerocopy";

pub(super) fn check(tools: &Tools) -> Result<String> {
    of_core(&tools.metadata)?;
    lints::deny(tools, LAYERS, "--allow unused-wrapper bans")
}

/// Its dev-dependencies are free, but they may not be of the workspace.
fn of_core(metadata: &Metadata) -> Result<String> {
    let is_core = |package: &&&Package| *package.name == "tachograph";
    let packages = metadata.workspace_packages();
    let core = packages.iter().find(is_core).context("the core is gone")?;
    let counts = |kind, is_own| kind != DependencyKind::Development || is_own;
    let used = core.dependencies.iter().filter(|it| counts(it.kind, it.path.is_some()));
    let others = used.filter(|it| CORE_MAY_USE.split(' ').all(|may| may != it.name)).map(|it| {
        let name = &it.name;
        format!("tachograph may not use {name}; or say so in xtask/src/checks/layers.rs")
    });
    outcome(&others.collect::<Vec<_>>(), "")
}
