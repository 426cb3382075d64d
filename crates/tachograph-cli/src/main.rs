//! The program `tachograph`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tachograph_cli::run()
}
