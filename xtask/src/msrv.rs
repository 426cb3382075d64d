//! The minimum supported Rust version.

use std::process::Command;

use crate::cargo::{self, Metadata};
use crate::steps::{Failed, Outcome, Steps};
use crate::version::Version;

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.run("msrv: dependencies", || dependencies(&Metadata::load()?))?;
    steps.run("msrv: check", || check(&Metadata::load()?))
}

/// Checks that no package of the lock graph asks for a newer Rust than the workspace does.
fn dependencies(metadata: &Metadata) -> Outcome {
    let ours = ours(metadata)?;
    let mut checked = 0;
    let mut newer = Vec::new();
    for package in metadata.packages() {
        let Some(needs) = package.rust_version.and_then(Version::parse) else { continue };
        checked += 1;
        if needs > ours {
            let (name, version) = (package.name, package.version);
            newer.push(format!(
                "{name} {version} needs Rust {needs}, the workspace promises {ours}"
            ));
        }
    }
    let remark = format!("{checked} packages need at most Rust {ours}");
    if newer.is_empty() { Ok(remark) } else { Err(newer.join("\n")) }
}

/// The Rust version that the workspace promises.
fn ours(metadata: &Metadata) -> Result<Version, String> {
    let own = metadata.packages().filter(|package| package.is_own);
    own.filter_map(|package| Version::parse(package.rust_version?))
        .max()
        .ok_or_else(|| "no package of the workspace has a `rust-version`".to_owned())
}

/// Builds with that very toolchain, where rustup has it.
fn check(metadata: &Metadata) -> Outcome {
    let ours = ours(metadata)?;
    let Some(toolchain) = installed(&toolchains(), ours) else {
        return Ok(format!("not built: no toolchain {ours} is installed"));
    };
    let target = metadata.target_directory("msrv");
    let arguments =
        ["run", &toolchain, "cargo", "check", "--workspace", "--locked", "--target-dir"];
    cargo::run(Command::new("rustup").args(arguments).arg(target).current_dir(cargo::root()))
}

/// What rustup has; nothing without rustup.
fn toolchains() -> String {
    let output = Command::new("rustup").args(["toolchain", "list"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The name of a toolchain of that minor version, whatever the patch and platform.
fn installed(toolchains: &str, wanted: Version) -> Option<String> {
    let names = toolchains.lines().filter_map(|line| line.split_whitespace().next());
    let is_wanted = |name: &&str| {
        let number = name.split('-').next().and_then(Version::parse);
        number.is_some_and(|number| number.same_minor(wanted))
    };
    names.into_iter().find(is_wanted).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_refused() {
        let metadata = |needs: &str| {
            let json = format!(
                r#"{{"packages": [
                    {{"name": "ours", "version": "0.1.0", "source": null, "rust_version": "1.88"}},
                    {{"name": "silent", "version": "2.0.0", "source": "x", "rust_version": null}},
                    {{"name": "other", "version": "3.1.0", "source": "x", "rust_version": "{needs}"}}
                ]}}"#
            );
            Metadata::parse(json.as_bytes()).expect("JSON")
        };
        let fine = Ok("2 packages need at most Rust 1.88.0".to_owned());
        assert_eq!(dependencies(&metadata("1.88.0")), fine);
        let told = "other 3.1.0 needs Rust 1.89.0, the workspace promises 1.88.0";
        assert_eq!(dependencies(&metadata("1.89")), Err(told.to_owned()));
    }

    #[test]
    fn a_toolchain_is_found_by_its_minor_version() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\n\
                    nightly-x86_64-unknown-linux-gnu\n1.88.0-x86_64-unknown-linux-gnu\n";
        let wanted = Version::new(1, 88, 0);
        let found = installed(list, wanted);
        assert_eq!(found.as_deref(), Some("1.88.0-x86_64-unknown-linux-gnu"));
        assert_eq!(installed(list, Version::new(1, 89, 0)), None);
        assert_eq!(installed("1.88\n", wanted).as_deref(), Some("1.88"));
    }
}
