//! What a condition says of a value.

/// The outcome of a condition.
pub(crate) struct Verdict {
    pub(crate) holds: bool,
    /// Whether the value is beyond the threshold itself, so that the message is true. While an alert
    /// fires, `until` may hold longer.
    pub(crate) is_beyond: bool,
    pub(crate) value: Option<f64>,
}

impl Verdict {
    pub(crate) fn new(holds: bool, value: Option<f64>) -> Self {
        Self { holds, is_beyond: holds, value }
    }
}
