//! The places where OTLP/JSON differs from serde's defaults.
//!
//! Follows protobuf's JSON mapping: 64-bit integers are decimal strings, and floats without a JSON
//! number are the strings `NaN`, `Infinity` and `-Infinity`. OTLP's own rule is that trace and span
//! ids are in hex.

use std::fmt::{self, Display};

use serde::ser::{Serialize, SerializeSeq, Serializer};

/// A 64-bit integer.
pub(super) fn integer<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Whether an integer has the default value, in which case its field is skipped.
pub(super) fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// A list of 64-bit integers.
pub(super) fn integers<S: Serializer>(values: &[u64], to: S) -> Result<S::Ok, S::Error> {
    let mut seq = to.serialize_seq(Some(values.len()))?;
    for value in values {
        seq.serialize_element(&Digits(*value))?;
    }
    seq.end()
}

struct Digits(u64);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        integer(&self.0, to)
    }
}

/// An optional value as a list of at most one.
pub(super) fn list<T: Serialize, S: Serializer>(one: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(one)
}

/// A float, finite or not.
pub(super) fn float<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    match *value {
        value if value.is_nan() => to.serialize_str("NaN"),
        f64::INFINITY => to.serialize_str("Infinity"),
        f64::NEG_INFINITY => to.serialize_str("-Infinity"),
        value => to.serialize_f64(value),
    }
}

/// A float that may be missing, in which case its field is skipped.
pub(super) fn some_float<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    float(&value.unwrap_or(f64::NAN), to)
}

/// A trace or span id.
pub(super) fn hex<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&Hex(bytes))
}

struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A span id that may be missing, in which case its field is skipped.
pub(super) fn some_hex<S: Serializer>(id: &Option<[u8; 8]>, to: S) -> Result<S::Ok, S::Error> {
    hex(id.as_slice().as_flattened(), to)
}
