//! `ast-server rules`

use clap::Args;

use super::{Failure, output};

/// Print alert rules to start from, as a file for `serve --alerts`, with every key explained.
///
/// They are those that are in place without --alerts, and more.
#[derive(Debug, Args)]
pub(super) struct Rules {}

impl Rules {
    pub(super) fn run(self) -> Result<(), Failure> {
        output::text(tachograph_alert::EXAMPLE)
    }
}
