//! Values of attributes.

use serde::ser::{Serialize, Serializer};

use super::Parameter;

/// The value of an attribute, borrowed from its node.
///
/// Floats are compared bitwise, because viewers see `-0.0` and `0.0` as different.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// A flag.
    Bool(bool),
    /// An integer: an index, a colour, a count.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// A list of finite numbers: the sends of a mixer.
    Numbers(&'a [f64]),
    /// A list of flags: which sends of a mixer are on.
    Flags(&'a [bool]),
    /// The parameters of a device.
    Parameters(&'a [Parameter]),
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Numbers(a), Self::Numbers(b)) => {
                a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (Self::Flags(a), Self::Flags(b)) => a == b,
            (Self::Parameters(a), Self::Parameters(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for ValueRef<'_> {}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Bool(value) => serializer.serialize_bool(value),
            Self::Int(value) => serializer.serialize_i64(value),
            Self::Float(value) => serializer.serialize_f64(value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Numbers(values) => values.serialize(serializer),
            Self::Flags(values) => values.serialize(serializer),
            Self::Parameters(parameters) => parameters.serialize(serializer),
        }
    }
}

/// The value of an attribute, owned, as carried by change records. See [`ValueRef`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// A flag.
    Bool(bool),
    /// An integer: an index, a colour, a count.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(String),
    /// A list of finite numbers: the sends of a mixer.
    Numbers(Vec<f64>),
    /// A list of flags: which sends of a mixer are on.
    Flags(Vec<bool>),
    /// The parameters of a device.
    Parameters(Vec<Parameter>),
}

impl Value {
    /// The value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Numbers(values) => ValueRef::Numbers(values),
            Self::Flags(values) => ValueRef::Flags(values),
            Self::Parameters(parameters) => ValueRef::Parameters(parameters),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Value {}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Int(value) => Self::Int(value),
            ValueRef::Float(value) => Self::Float(value),
            ValueRef::Text(value) => Self::Text(value.to_owned()),
            ValueRef::Numbers(values) => Self::Numbers(values.to_vec()),
            ValueRef::Flags(values) => Self::Flags(values.to_vec()),
            ValueRef::Parameters(parameters) => Self::Parameters(parameters.to_vec()),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// The limits of reading keep indices and counts far below `i64::MAX`.
pub(crate) fn count(value: usize) -> ValueRef<'static> {
    ValueRef::Int(i64::try_from(value).unwrap_or(i64::MAX))
}
