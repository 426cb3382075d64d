//! Whether the crates depend on each other in one direction only, and the core on little.

use crate::cargo::{Metadata, Package};
use crate::steps::Outcome;
use crate::tidy::outcome;

/// The crate that depends on no other.
const CORE: &str = "tachograph";

/// What each crate of the workspace may use of the others. Some are yet to come.
const MAY_USE: [(&str, &[&str]); 15] = [
    (CORE, &[]),
    ("live-set", &[]),
    ("tachograph-export", &[CORE]),
    ("tachograph-alert", &[CORE]),
    ("tachograph-loop", &[CORE]),
    ("tachograph-metrics", &[CORE]),
    ("tachograph-tracing", &[CORE]),
    ("tachograph-c", &[CORE, "tachograph-export"]),
    ("tachograph-serve", &[CORE, "tachograph-export", "tachograph-alert"]),
    ("tachograph-top", &[CORE, "tachograph-export", "tachograph-serve"]),
    (
        "ast-server",
        &[
            CORE,
            "live-set",
            "tachograph-alert",
            "tachograph-c",
            "tachograph-export",
            "tachograph-loop",
            "tachograph-metrics",
            "tachograph-serve",
            "tachograph-top",
            "tachograph-tracing",
        ],
    ),
    ("benches", &[CORE, "ast-server", "live-set", "tachograph-export", "tachograph-serve"]),
    ("fleet", &[CORE, "tachograph-export"]),
    ("loom-tests", &[CORE]),
    ("xtask", &[]),
];

/// What the core may use of the world.
const CORE_MAY_USE: [&str; 12] = [
    "arc-swap",
    "atomic_float",
    "crossbeam-queue",
    "crossbeam-utils",
    "foldhash",
    "hashbrown",
    "hdrhistogram",
    "libc",
    "loom",
    "once_cell",
    "quanta",
    "serde",
];

/// Checks every package of the workspace. What only tests use is free, but for the core's.
pub(crate) fn check(metadata: &Metadata) -> Outcome {
    let own: Vec<_> = metadata.packages().filter(|package| package.is_own).collect();
    let problems: Vec<_> = own.iter().flat_map(problems).collect();
    outcome(&problems, format!("{} crates", own.len()))
}

fn problems(package: &Package<'_>) -> Vec<String> {
    let name = package.name;
    let Some((_, may)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
        return vec![format!(
            "{name} has no layer: say in `MAY_USE` in xtask/src/layers.rs what it may use"
        )];
    };
    let used = package.dependencies.iter();
    let used = used.filter(|it| !it.is_dev || (it.is_own && name == CORE));
    let wrong = used.filter(|dependency| match dependency.is_own {
        true => !may.contains(&dependency.name),
        false => name == CORE && !CORE_MAY_USE.contains(&dependency.name),
    });
    let told = wrong.map(|dependency| {
        let other = dependency.name;
        if dependency.is_own {
            let allowed = if may.is_empty() { "no other".to_owned() } else { may.join(", ") };
            format!("{name} uses {other}, may use {allowed}: arrows point inwards, turn it round")
        } else {
            format!(
                "{name} uses {other}, which is new: do without it, or add it to `CORE_MAY_USE` in \
                 xtask/src/layers.rs and to the table in docs/ARCHITECTURE.md"
            )
        }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of one package, with dependencies: name, kind, of the workspace.
    fn told(name: &str, dependencies: &[(&str, Option<&str>, bool)]) -> Outcome {
        let dependencies: Vec<_> = dependencies
            .iter()
            .map(|(name, kind, is_own)| {
                let (source, path) = if *is_own { (None, Some("/x")) } else { (Some("x"), None) };
                serde_json::json!({"name": name, "kind": kind, "source": source, "path": path})
            })
            .collect();
        let package = serde_json::json!({
            "name": name, "version": "0.1.0", "source": null, "dependencies": dependencies,
        });
        let json = serde_json::json!({ "packages": [package] }).to_string();
        check(&Metadata::parse(json.as_bytes())?)
    }

    #[test]
    fn a_crate_uses_what_lies_further_in_and_its_tests_what_they_like() {
        let fine = Ok("1 crates".to_owned());
        let used = [("tachograph", None, true), ("serde_json", None, false)];
        assert_eq!(told("tachograph-export", &used), fine);
        assert_eq!(told("tachograph-export", &[("tachograph-serve", Some("dev"), true)]), fine);
        assert_eq!(told(CORE, &[("serde", None, false), ("proptest", Some("dev"), false)]), fine);
    }

    #[test]
    fn an_arrow_that_points_outwards_is_told() {
        let expected = "tachograph-export uses tachograph-serve, may use tachograph: arrows point \
                        inwards, turn it round";
        for kind in [None, Some("build")] {
            let told = told("tachograph-export", &[("tachograph-serve", kind, true)]);
            assert_eq!(told, Err(expected.to_owned()));
        }
        for kind in [None, Some("dev")] {
            let told = told(CORE, &[("tachograph-export", kind, true)]).expect_err("the core's");
            assert!(
                told.starts_with("tachograph uses tachograph-export, may use no other"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_new_crate_and_what_the_core_has_not_used_yet_are_told() {
        let told_of_new = told("tachograph-new", &[]).expect_err("no layer");
        assert!(told_of_new.starts_with("tachograph-new has no layer: "), "{told_of_new}");
        let told_of_core = told(CORE, &[("tokio", None, false)]).expect_err("not on the list");
        assert!(
            told_of_core.starts_with("tachograph uses tokio, which is new: "),
            "{told_of_core}"
        );
    }
}
