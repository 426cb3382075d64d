//! Printing to standard output, which may be closed at any time.

use std::io::{self, Write};

use serde::Serialize;

use super::Failure;

/// Prints a value as JSON that people can read.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    bytes(&json)
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// A reader that has read enough, such as `head`, is no failure.
fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}").into())
        }
        _ => Ok(()),
    }
}
