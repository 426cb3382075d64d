//! The dependencies that `Cargo.lock` holds, and the least versions they may have.

use crate::steps::Outcome;
use crate::version::Version;

/// Versions below which faults are known: crashes, unsoundness, work without bounds.
const MINIMUMS: [(&str, Version); 11] = [
    ("arc-swap", Version::new(1, 9, 5)),
    ("bytes", Version::new(1, 11, 1)),
    ("crossbeam-channel", Version::new(0, 5, 15)),
    ("crossbeam-epoch", Version::new(0, 9, 20)),
    ("crossbeam-queue", Version::new(0, 3, 12)),
    ("h2", Version::new(0, 4, 16)),
    ("quick-xml", Version::new(0, 41, 0)),
    ("ratatui", Version::new(0, 30, 0)),
    ("rustls", Version::new(0, 23, 45)),
    ("tokio", Version::new(1, 44, 2)),
    ("tungstenite", Version::new(0, 26, 1)),
];

/// Checks every version of every dependency with a minimum. One that is not there is fine.
pub(crate) fn check(lock: &str) -> Outcome {
    let packages = packages(lock);
    if packages.is_empty() {
        return Err("Cargo.lock names no package: its format is not known here".to_owned());
    }
    let mut checked = 0;
    let mut old = Vec::new();
    for (name, version) in packages {
        let Some((_, minimum)) = MINIMUMS.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        checked += 1;
        if Version::parse(version).is_none_or(|version| version < *minimum) {
            old.push(format!("{name} {version} has known faults: at least {minimum} is needed"));
        }
    }
    if old.is_empty() { Ok(format!("{checked} versions checked")) } else { Err(old.join("\n")) }
}

/// Name and version of each package.
fn packages(lock: &str) -> Vec<(&str, &str)> {
    lock.split("[[package]]")
        .skip(1)
        .filter_map(|package| Some((field(package, "name")?, field(package, "version")?)))
        .collect()
}

/// The text of a field that stands on a line of its own.
fn field<'a>(package: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"');
    package.lines().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(packages: &[(&str, &str)]) -> String {
        let block = |(name, version): &(&str, &str)| {
            format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"x\"\n")
        };
        format!("version = 4\n{}", packages.iter().map(block).collect::<String>())
    }

    #[test]
    fn a_version_with_known_faults_is_refused_even_beside_a_good_one() {
        let lock = locked(&[("tokio", "1.44.2"), ("serde", "1.0.0"), ("quick-xml", "0.41.0")]);
        assert_eq!(check(&lock), Ok("2 versions checked".to_owned()));
        let lock = locked(&[("quick-xml", "0.42.0"), ("arc-swap", "1.9.4"), ("bytes", "1.9.0")]);
        let told = "arc-swap 1.9.4 has known faults: at least 1.9.5 is needed\n\
                    bytes 1.9.0 has known faults: at least 1.11.1 is needed";
        assert_eq!(check(&lock), Err(told.to_owned()));
        let lock = locked(&[("rustls", "0.23.45"), ("rustls", "0.21.0")]);
        assert!(check(&lock).is_err());
    }

    #[test]
    fn a_lock_file_that_cannot_be_read_does_not_pass() {
        assert!(check("version = 9\npackages = []\n").is_err());
    }
}
