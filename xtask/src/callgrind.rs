//! Counting instructions with valgrind's callgrind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cargo;
use crate::steps::{Outcome, skipped};

/// The function whose calls are counted, each on its own, with all that it calls.
const COUNTED: &str = "instructions::counted";

/// How often an operation was repeated, and what that came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) mode: String,
    pub(crate) operation: String,
    pub(crate) times: u64,
    pub(crate) instructions: u64,
}

/// Whether valgrind can be started; installs it where apt-get does so.
pub(crate) fn have() -> bool {
    let is_there = || {
        let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    let install = || cargo::run(Command::new("apt-get").args(["install", "--yes", "valgrind"]));
    is_there() || (install().is_ok() && is_there())
}

/// What is said where valgrind is missing.
pub(crate) fn missing() -> Outcome {
    skipped("valgrind is missing, install it (`apt-get install valgrind`)")
}

/// Builds the program that repeats the operations; gives its path.
pub(crate) fn build(features: &[&str]) -> Result<PathBuf, String> {
    let base = ["bench", "--package", "benches", "--bench", "instructions", "--no-run"];
    let mut command = cargo::cargo(base);
    command.args(["--no-default-features", "--message-format", "json-render-diagnostics"]);
    let output = command.args(features).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err("`cargo bench --bench instructions --no-run` failed: see above".to_owned());
    }
    executable(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| "cargo did not say where the bench `instructions` is".to_owned())
}

/// The bench's path in cargo's messages, one a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_bench = messages.filter(|message| message["target"]["name"] == "instructions");
    of_bench.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Runs a program under callgrind; `folder` is emptied for what callgrind writes.
pub(crate) fn count(program: &Path, folder: &Path) -> Result<Vec<Count>, String> {
    let told = |error| format!("{}: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(told)?;
    }
    std::fs::create_dir_all(folder).map_err(told)?;
    let mut file = std::ffi::OsString::from("--callgrind-out-file=");
    file.push(folder.join("part"));
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]).arg(file);
    // Counts between the function's begin and end only, and starts anew after each call.
    command.args([format!("--toggle-collect={COUNTED}"), format!("--dump-after={COUNTED}")]);
    let output = command.arg(program).arg("--counted").stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("valgrind could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("the operations failed under valgrind: {}", output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().enumerate().map(|(i, line)| part(folder, i + 1, line)).collect()
}

/// The `number`th call: what the program has said of it, and callgrind's total.
fn part(folder: &Path, number: usize, said: &str) -> Result<Count, String> {
    let path = folder.join(format!("part.{number}"));
    let total = std::fs::read_to_string(&path)
        .map_err(|error| format!("callgrind wrote no {}: {error}", path.display()))?;
    parse(said, &total).ok_or_else(|| format!("{} or `{said}` is not understood", path.display()))
}

fn parse(said: &str, part: &str) -> Option<Count> {
    let mut fields = said.split('\t').map(str::to_owned);
    let (mode, operation) = (fields.next()?, fields.next()?);
    let times = fields.next()?.parse().ok()?;
    let total = part.lines().find_map(|line| line.strip_prefix("totals: "))?;
    Some(Count { mode, operation, times, instructions: total.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_what_the_program_says_and_callgrind_totals() {
        let part = "version: 1\ndesc: Trigger: --dump-after=x\nsummary: 7\n\ntotals: 971\n";
        let count = Count {
            mode: "on".to_owned(),
            operation: "counter, handle".to_owned(),
            times: 320,
            instructions: 971,
        };
        assert_eq!(parse("on\tcounter, handle\t320", part), Some(count));
        assert_eq!(parse("on\tcounter, handle\t320", "summary: 7\n"), None);
        assert_eq!(parse("running 3 tests", part), None);
    }

    #[test]
    fn the_bench_is_found_among_the_artifacts() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"benches"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"instructions"},"executable":"/t/instructions-1"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/instructions-1")));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
