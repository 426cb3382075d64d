//! Printing to standard output, which may be closed at any time.

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::Failure;

/// How long a line may wait for a reader.
const PATIENCE: Duration = Duration::from_millis(500);

/// Prints a value as readable JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    bytes(&json)
}

/// Prints a text as it is.
pub(super) fn text(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Says something on standard error, which may be closed.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// Prints a line if a reader takes it soon; otherwise logs that it could not.
pub(super) fn line_in_time(text: &str) {
    let text = text.to_owned();
    let (done, wait) = mpsc::channel();
    let print = move || drop(done.send(line(&text).map_err(|failure| failure.to_string())));
    // The thread may wait for a reader forever: it ends with the program.
    let printing = thread::Builder::new().spawn(print);
    let printed = match printing {
        Ok(_) => wait.recv_timeout(PATIENCE).unwrap_or_else(|_| Err("nobody reads it".to_owned())),
        Err(error) => Err(error.to_string()),
    };
    if let Err(reason) = printed {
        tracing::warn!(reason, "cannot write to standard output");
    }
}

/// A reader that stops early, such as `head`, is not an error.
fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}").into())
        }
        _ => Ok(()),
    }
}
