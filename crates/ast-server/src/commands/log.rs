//! What is logged, to standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::Failure;
use super::settings::LogFormat;

/// What a flag says, or else `RUST_LOG`, or else a level.
pub(super) fn filter(flag: Option<&str>, default: &str) -> Result<EnvFilter, Failure> {
    let (source, wanted) = match (flag, std::env::var("RUST_LOG")) {
        (Some(flag), _) => ("log-level", flag.to_owned()),
        (None, Ok(wanted)) if !wanted.is_empty() => ("RUST_LOG", wanted),
        _ => return Ok(EnvFilter::new(default)),
    };
    EnvFilter::try_new(&wanted)
        .map_err(|reason| format!("cannot use {source}={wanted:?}: {reason}; try info").into())
}

/// Logs from now on; in colour only where a terminal shows it.
pub(super) fn start(filter: EnvFilter, format: LogFormat) {
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // On a terminal as ever: the library heeds `NO_COLOR`.
    let log = if io::stderr().is_terminal() { log } else { log.with_ansi(false) };
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
