//! The server with TLS; `cargo test --workspace` tests it without.

use anyhow::Result;

use crate::steps::{Failed, Steps};
use crate::tools::Tools;

const SERVER: [&str; 4] = ["--package", "ast-server", "--features", "tls"];

pub(crate) fn run(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    steps.run("tls: clippy", || {
        let deny = ["--all-targets", "--", "--deny", "warnings"];
        tools.cargo().arg("clippy").args(SERVER).args(deny).run()?;
        Ok(String::new())
    })?;
    steps.run("tls: tests that no other build has", || {
        tools.cargo().arg("test").args(SERVER).args(["--test", "tls", "with_tls"]).run()?;
        Ok(String::new())
    })
}
