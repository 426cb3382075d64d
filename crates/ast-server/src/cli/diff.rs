//! `ast-server diff A B`

use std::path::PathBuf;

use ast_server::read;
use clap::Args;

use super::{Failure, output};

/// Print the difference between sets A and B, as JSON.
///
/// The changes are those that viewers are sent when a set is loaded again.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The old set.
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The new set.
    #[arg(value_name = "B")]
    after: PathBuf,
}

impl Diff {
    pub(super) fn run(self) -> Result<(), Failure> {
        let before = read(&self.before)?;
        let after = read(&self.after)?;
        output::json(&live_set::diff(&before, &after))
    }
}
