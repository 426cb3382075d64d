//! Output to streams that the reader may close at any time, and how names and times look there.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use humantime::format_rfc3339_seconds;

use crate::failure::Failure;

/// Prints a text to standard output. A closed pipe is no failure: `head` closes it early.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Checks that a file may be made under this name: only a plain file is overwritten, and only with
/// `--force`. Whatever else there is, such as a device, would be gone.
pub(crate) fn check_free(file: &Path, force: bool) -> Result<(), Failure> {
    let name = file.display();
    Err(Failure::Input(match fs::metadata(file) {
        Ok(there) if !there.is_file() => format!("{name} is no plain file: choose another name"),
        Ok(_) if !force => {
            format!("{name} already exists: choose another name, or overwrite it with --force")
        }
        _ => return Ok(()),
    }))
}

/// Prints lines to standard error, [`printable`]. Ignores errors.
pub(crate) fn say(text: &str) {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    let _ = io::stderr().lock().write_all(lines.join("\n").as_bytes());
}

/// Tells what was left out of a recording.
pub(crate) fn note(file: &Path, notes: &[String]) {
    notes.iter().for_each(|told| say(&format!("note: {}: {told}\n", file.display())));
}

/// A file's name as a shell reads it.
pub(crate) fn quoted(file: &Path) -> String {
    let name = file.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if name.chars().all(is_plain) { name } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// Writes over the present line of standard error, which is a terminal. Ignores errors.
pub(crate) fn rewrite(text: &str) {
    let _ = write!(io::stderr().lock(), "\r\x1b[K{}", printable(text));
}

/// The interval between two signs of progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// A line of standard error that shows how far long work is, if that is a terminal. Work that is
/// done at once shows nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: Instant,
    is_shown: bool,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self { shown: Instant::now(), is_shown: false, is_terminal }
    }

    /// Shows the text, unless another one was shown a moment ago.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.is_terminal && self.shown.elapsed() > PROGRESS {
            (self.shown, self.is_shown) = (Instant::now(), true);
            rewrite(&text());
        }
    }

    /// Clears the line, so that something else may be printed.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            rewrite("");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A text from outside on one line, with control characters escaped: a name must not command the
/// terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// A time in UTC. Whatever a recording says, it is of the years that RFC 3339 has.
pub(crate) fn clock(ms: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(ms.min(YEAR_9999_MS));
    format_rfc3339_seconds(time).to_string()
}

/// The last second of the year 9999.
const YEAR_9999_MS: u64 = 253_402_300_799_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_is_one_argument_of_a_shell() {
        for name in ["run.jsonl.gz", "/tmp/a-b_c.1", "a b", "it's", "$HOME `id`", "a;b"] {
            let script = format!("printf %s {}", quoted(Path::new(name)));
            let told = std::process::Command::new("sh").args(["-c", &script]).output();
            assert_eq!(String::from_utf8(told.expect("a shell").stdout).as_deref(), Ok(name));
        }
        assert_eq!(quoted(Path::new("run.jsonl.gz")), "run.jsonl.gz");
    }

    #[test]
    fn no_control_character_is_printable() {
        let text = printable("\x1b]0;a\x07 b\u{9b}2J\tc\nd\x7f µ—");
        assert_eq!(text, "\\u{1b}]0;a\\u{7} b\\u{9b}2J\\tc\\nd\\u{7f} µ—");
    }
}
