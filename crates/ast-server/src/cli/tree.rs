//! `ast-server tree SET`

use std::path::PathBuf;

use ast_server::read;
use clap::Args;

use super::{Failure, output};

/// Print the tree of a set as JSON, as it is sent to viewers.
#[derive(Debug, Args)]
pub(super) struct Tree {
    /// The set: an .als file, or the .xml inside one.
    #[arg(value_name = "SET")]
    set: PathBuf,
}

impl Tree {
    pub(super) fn run(self) -> Result<(), Failure> {
        output::json(&read(&self.set)?.root())
    }
}
