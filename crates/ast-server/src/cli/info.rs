//! `ast-server info SET`

use std::path::PathBuf;

use ast_server::AstServer;
use clap::Args;

use super::{Failure, output};

/// Print numbers about the contents of a set, as JSON.
#[derive(Debug, Args)]
pub(super) struct Info {
    /// The set: an .als file, or the .xml inside one.
    #[arg(value_name = "SET")]
    set: PathBuf,
}

impl Info {
    pub(super) fn run(self) -> Result<(), Failure> {
        let server = AstServer::builder().enable_metrics(false).build();
        server.load_project(&self.set)?;
        output::json(&server.get_project_info()?)
    }
}
