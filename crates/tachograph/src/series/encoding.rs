//! The serde form of floats and times, so that anything that deserializes is harmless.

use std::time::SystemTime;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// A float that may be infinite. JSON has no number for that and uses `"inf"` and `"-inf"`.
pub(crate) mod float {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    /// A float in this form.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    pub(crate) struct Float(#[serde(with = "self")] pub(crate) f64);

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Raw<'a> {
        Number(f64),
        Word(std::borrow::Cow<'a, str>),
    }

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() || !to.is_human_readable() {
            return value.serialize(to);
        }
        to.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        if !from.is_human_readable() {
            return not_nan(f64::deserialize(from)?);
        }
        match Raw::deserialize(from)? {
            Raw::Number(value) => not_nan(value),
            Raw::Word(word) if word == "inf" => Ok(f64::INFINITY),
            Raw::Word(word) if word == "-inf" => Ok(f64::NEG_INFINITY),
            Raw::Word(word) => Err(D::Error::custom(format!("{word:?} is no statistic"))),
        }
    }

    fn not_nan<E: Error>(value: f64) -> Result<f64, E> {
        if value.is_nan() { Err(E::custom("no statistic is NaN")) } else { Ok(value) }
    }

    /// Serializes an optional float.
    pub(crate) fn option<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        value.map(Float).serialize(to)
    }
}

/// A sum as its two halves, because not every format has integers of 128 bits.
pub(crate) mod halves {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(sum: &u128, to: S) -> Result<S::Ok, S::Error> {
        [(sum >> 64) as u64, *sum as u64].serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let [high, low] = <[u64; 2]>::deserialize(from)?;
        Ok((u128::from(high) << 64) | u128::from(low))
    }
}

/// A wall-clock time. One before 1970, which serde cannot represent, becomes 1970.
pub(crate) mod wall {
    use super::{Deserialize, Deserializer, Serialize, Serializer, SystemTime};

    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        (*time).max(SystemTime::UNIX_EPOCH).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        SystemTime::deserialize(from)
    }
}
