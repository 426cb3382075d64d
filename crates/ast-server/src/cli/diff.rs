//! `ast-server diff A B`

use std::path::PathBuf;

use ast_server::read;
use clap::Args;

use super::{Failure, output};

/// Print how set B differs from set A, as JSON.
///
/// The changes are those that viewers are sent where a set is loaded again.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The set as it was.
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The set as it is.
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
