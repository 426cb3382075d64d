//! Whole numbers, as values of flags and of keys in the configuration.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The largest number that TOML has.
const TOML_MAX: u64 = i64::MAX as u64;

/// A whole number from `LEAST` to `MOST`. Flags and keys take the same ones, and refuse others with
/// the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Whole<const LEAST: u64 = 0, const MOST: u64 = TOML_MAX>(u64);

impl<const LEAST: u64, const MOST: u64> Whole<LEAST, MOST> {
    /// The number if it is in the range.
    pub(crate) const fn new(value: u64) -> Option<Self> {
        if LEAST <= value && value <= MOST { Some(Self(value)) } else { None }
    }

    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The number as a size in memory.
    pub(crate) fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const LEAST: u64, const MOST: u64> FromStr for Whole<LEAST, MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a whole number from {LEAST} to {MOST}");
        text.parse().ok().and_then(Self::new).ok_or_else(expected)
    }
}

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_i64(Reader)
    }
}

/// Reads a number in TOML.
struct Reader<const LEAST: u64, const MOST: u64>;

impl<const LEAST: u64, const MOST: u64> Visitor<'_> for Reader<LEAST, MOST> {
    type Value = Whole<LEAST, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {LEAST} to {MOST}")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        let read = u64::try_from(value).ok().and_then(Whole::new);
        read.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }
}
