//! Why a command ended early.

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command or its input is wrong: exit code 2.
    #[error("{0}")]
    Input(String),
    /// It was right, but did not work out: exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}
