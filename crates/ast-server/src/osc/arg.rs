//! One argument of an event.

use serde::{Serialize, Serializer};

/// An argument of a live event, as in OSC.
///
/// ```
/// use ast_server::Arg;
///
/// let args = [Arg::from(0), Arg::from("Bass")];
/// assert_eq!(args[1], Arg::Text("Bass"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Arg<'a> {
    /// A 32-bit integer: tag `i`.
    Int(i32),
    /// A 32-bit float: tag `f`.
    Float(f32),
    /// A string: tag `s`.
    Text(&'a str),
    /// A flag: tags `T` and `F`.
    Bool(bool),
    /// Valid OSC of a type that no event uses.
    Other,
}

/// The form that viewers receive; types that no event uses become `null`.
impl Serialize for Arg<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Int(value) => serializer.serialize_i32(value),
            // Like in the tree.
            Self::Float(value) => serializer.serialize_f64(value.into()),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Bool(value) => serializer.serialize_bool(value),
            Self::Other => serializer.serialize_none(),
        }
    }
}

impl From<i32> for Arg<'_> {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<f32> for Arg<'_> {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Arg<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}
