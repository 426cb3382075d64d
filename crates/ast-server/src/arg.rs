//! One argument of an event.

/// An argument of a live event, as OSC has it.
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
