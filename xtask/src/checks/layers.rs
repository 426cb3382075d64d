//! Checks that crates depend on each other in one direction only, and the core on little.

use anyhow::Result;
use cargo_metadata::{DependencyKind, Metadata, Package};

use crate::steps::outcome;

/// The crate that depends on no other workspace crate.
const CORE: &str = "tachograph";

/// The crates from the inside out: each may use those before it.
const ORDER: [&str; 20] = [
    CORE,
    "live-set",
    "tachograph-export",
    "tachograph-history",
    "tachograph-alert",
    "tachograph-page",
    "tachograph-loop",
    "tachograph-metrics",
    "tachograph-tracing",
    "tachograph-opentelemetry",
    "tachograph-c",
    "tachograph-deploy",
    "tachograph-serve",
    "tachograph-cli",
    "ast-server",
    "examples",
    "fleet",
    "loom-tests",
    "benches",
    "xtask",
];

/// Crates that others may use, but that use only these workspace crates.
const FEW: [(&str, &[&str]); 7] = [
    ("live-set", &[]),
    ("tachograph-loop", &[CORE]),
    ("tachograph-metrics", &[CORE]),
    ("tachograph-tracing", &[CORE]),
    ("tachograph-opentelemetry", &[CORE, "tachograph-export"]),
    ("fleet", &[CORE, "tachograph-export"]),
    ("loom-tests", &[CORE]),
];

/// External crates that the core may use.
const CORE_MAY_USE: [&str; 12] = [
    "arc-swap",
    "atomic_float",
    "crossbeam-queue",
    "foldhash",
    "hashbrown",
    "hdrhistogram",
    "libc",
    "loom",
    "once_cell",
    "quanta",
    "serde",
    "zerocopy",
];

/// Checks every package of the workspace. Dev-dependencies are free, except the core's.
pub(super) fn check(metadata: &Metadata) -> Result<String> {
    let packages = metadata.workspace_packages();
    let problems: Vec<_> = packages.iter().flat_map(|package| problems(package)).collect();
    outcome(&problems, format!("{} crates", packages.len()))
}

fn problems(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let used = package.dependencies.iter().filter_map(|dependency| {
        let is_own = dependency.path.is_some();
        let counts = dependency.kind != DependencyKind::Development || (is_own && name == CORE);
        let other = dependency.name.as_str();
        (counts && !may_use(name, other, is_own)).then(|| {
            format!(
                "{name} may not use {other}: dependencies point inwards; turn it round, or say in \
                 xtask/src/checks/layers.rs why it may"
            )
        })
    });
    used.collect()
}

fn may_use(name: &str, other: &str, is_own: bool) -> bool {
    if !is_own {
        return name != CORE || CORE_MAY_USE.contains(&other);
    }
    if let Some((_, may)) = FEW.iter().find(|(few, _)| *few == name) {
        return may.contains(&other);
    }
    let place = |of: &str| ORDER.iter().position(|known| *known == of);
    matches!((place(name), place(other)), (Some(outer), Some(inner)) if inner < outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_inwards_and_the_core_uses_little() {
        assert!(may_use("tachograph-export", CORE, true));
        assert!(may_use("tachograph-export", "serde_json", false));
        assert!(may_use(CORE, "serde", false));
        assert!(!may_use(CORE, "tokio", false));
        assert!(!may_use(CORE, "tachograph-export", true));
        assert!(!may_use("tachograph-export", "tachograph-serve", true));
        assert!(!may_use("live-set", CORE, true));
        assert!(!may_use("tachograph-new", CORE, true), "a crate without a place");
    }
}
