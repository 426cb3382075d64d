//! The serde form of floats and times, so that anything that deserializes is harmless.

use std::time::SystemTime;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// A float that may be infinite. JSON has no number for that and uses `"inf"` and `"-inf"`.
pub(crate) mod float {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Told<'a> {
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
        match Told::deserialize(from)? {
            Told::Number(value) => not_nan(value),
            Told::Word(word) if word == "inf" => Ok(f64::INFINITY),
            Told::Word(word) if word == "-inf" => Ok(f64::NEG_INFINITY),
            Told::Word(word) => Err(D::Error::custom(format!("{word:?} is no statistic"))),
        }
    }

    fn not_nan<E: Error>(value: f64) -> Result<f64, E> {
        if value.is_nan() { Err(E::custom("no statistic is NaN")) } else { Ok(value) }
    }

    /// An optional float.
    pub(crate) mod option {
        use super::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        struct Float(#[serde(with = "super")] f64);

        pub(crate) fn serialize<S: Serializer>(
            value: &Option<f64>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            value.map(Float).serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<f64>, D::Error> {
            Ok(Option::<Float>::deserialize(from)?.map(|float| float.0))
        }
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
