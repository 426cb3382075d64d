//! Why a command stops, and its exit code.

use std::error::Error;
use std::fmt;

/// Why a command stops; the message goes to standard error.
#[derive(Debug)]
pub(super) enum Failure {
    /// A flag or a key of the configuration is wrong, whatever the machine is like: exit code 2.
    Usage(String),
    /// Anything else: exit code 1.
    Failed(Box<dyn Error>),
}

impl Failure {
    /// Wrong usage, for this reason.
    pub(super) fn usage(reason: impl fmt::Display) -> Self {
        Self::Usage(reason.to_string())
    }

    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(reason) => f.write_str(reason),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
