//! Versions, as far as they must be compared.

use std::fmt;

/// `major.minor.patch`; a pre-release comes before its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    numbers: [u64; 3],
    is_release: bool,
}

impl Version {
    pub(crate) const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { numbers: [major, minor, patch], is_release: true }
    }

    /// Reads a version; minor and patch are 0 where they are missing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.split('+').next()?;
        let (numbers, is_release) = match text.split_once('-') {
            Some((numbers, _)) => (numbers, false),
            None => (text, true),
        };
        let mut parts = numbers.split('.');
        let mut next = || parts.next().map_or(Some(0), |part| part.parse().ok());
        let numbers = [next()?, next()?, next()?];
        parts.next().is_none().then_some(Self { numbers, is_release })
    }

    /// Whether two versions differ in the patch at most.
    pub(crate) fn same_minor(self, other: Self) -> bool {
        self.numbers[..2] == other.numbers[..2]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if self.is_release { Ok(()) } else { f.write_str(" (pre-release)") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_and_pre_releases_come_first() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("1.10.0") > version("1.9.5"));
        assert_eq!(version("1.88"), Version::new(1, 88, 0));
        assert!(version("2.0.0-beta.4") < version("2.0.0"));
        assert!(version("2.0.0-beta.4") > version("1.99.0"));
        assert_eq!(version("1.0.4+wasi-0.2.12"), Version::new(1, 0, 4));
        for nonsense in ["", "x", "1.x", "1.2.3.4"] {
            assert_eq!(Version::parse(nonsense), None, "{nonsense:?}");
        }
    }
}
