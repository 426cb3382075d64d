//! `cargo xtask fuzz`: runs each fuzz target on its corpus.

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::steps::{Failed, Steps, skipped};
use crate::tools::{self, Tools};

/// Seconds per target, unless `FUZZ_SECONDS` is set.
const SECONDS: &str = "30";
/// Targets that run in parallel: each keeps one core busy.
const AT_A_TIME: usize = 2;
/// Memory limit: a target that exceeds it has found something.
const MEMORY_MB: &str = "1024";
/// Time limit per input, likewise.
const INPUT_SECONDS: &str = "10";

pub(crate) fn run(tools: &Tools, steps: &mut Steps, names: &[String]) -> Result<(), Failed> {
    let install = "cargo install cargo-fuzz --locked";
    if tools.nightly().is_none() || !tools.has("cargo fuzz --version", install) {
        return steps.run("fuzz", || {
            skipped(
                "needs `rustup toolchain install nightly` and cargo-fuzz \
                 (`cargo install cargo-fuzz`, or pass --install)",
            )
        });
    }
    let mut targets = Vec::new();
    steps.run("fuzz: build", || {
        let listed = fuzz(&tools.shell).arg("list").read()?;
        let listed: Vec<_> = listed.lines().map(str::to_owned).collect();
        targets = if names.is_empty() { listed } else { names.to_vec() };
        fuzz(&tools.shell).arg("build").arg("--target-dir").arg(tools.target("fuzz")).run()?;
        Ok(String::new())
    })?;
    for pair in targets.chunks(AT_A_TIME) {
        steps.run(&format!("fuzz: {}", pair.join(", ")), || together(tools, pair))?;
    }
    Ok(())
}

fn fuzz(shell: &Shell) -> Cmd<'_> {
    cmd!(shell, "rustup run nightly cargo fuzz")
}

/// Runs some targets in parallel; returns their remarks, or the error of the first that fails.
fn together(tools: &Tools, targets: &[String]) -> Result<String> {
    let build = tools.target("fuzz");
    let remarks: Result<Vec<_>> = thread::scope(|scope| {
        let one = |target| {
            let build = &build;
            scope.spawn(move || run_one(target, build))
        };
        let running: Vec<_> = targets.iter().map(|target: &String| one(target)).collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended.map(|it| it.unwrap_or_else(|_| Err(anyhow!("a target was not watched")))).collect()
    });
    Ok(remarks?.join("; "))
}

/// Runs one target on its corpus. New inputs go to the build folder, so the corpus in the
/// repository stays unchanged.
fn run_one(target: &str, build: &Path) -> Result<String> {
    // A `Shell` cannot be shared between threads.
    let shell = Shell::new()?;
    shell.change_dir(tools::root());
    let found = build.join("corpus").join(target);
    shell.create_dir(&found)?;
    let corpus: PathBuf = ["fuzz", "corpus", target].iter().collect();
    let seconds = std::env::var("FUZZ_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    seconds
        .parse::<u32>()
        .with_context(|| format!("FUZZ_SECONDS must be a number, not `{seconds}`"))?;
    let run = fuzz(&shell).args(["run", "--target-dir"]).arg(build).arg(target);
    let run = run.arg(found).arg(corpus).arg("--").arg(format!("-max_total_time={seconds}"));
    let run = run.args([format!("-rss_limit_mb={MEMORY_MB}"), format!("-timeout={INPUT_SECONDS}")]);
    let output = run.ignore_status().output()?;
    // libFuzzer writes everything to stderr.
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<_> = said.lines().collect();
        bail!("target `{target}` failed\n{}", lines[lines.len().saturating_sub(80)..].join("\n"));
    }
    let remark = remark(&said);
    ensure!(!remark.is_empty(), "target `{target}` did not report what it tried");
    Ok(format!("{target}: {remark}"))
}

/// The number of inputs tried and of code edges reached.
fn remark(said: &str) -> String {
    let is_last = |line: &&str| line.split_whitespace().nth(1) == Some("DONE");
    let Some(last) = said.lines().rev().find(is_last) else { return String::new() };
    let mut words = last.split_whitespace();
    let tried = words.next().unwrap_or_default().trim_start_matches('#');
    let edges = words.skip_while(|word| *word != "cov:").nth(1).unwrap_or("?");
    format!("{tried} inputs, {edges} edges")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remark_is_what_the_fuzzer_says_last() {
        let said = "#2\tINITED cov: 7 ft: 8 corp: 1/1b\n\
                    #1024\tDONE   cov: 31 ft: 60 corp: 9/40b lim: 4 exec/s: 51 rss: 40Mb\n\
                    Done 1024 runs in 2 second(s)\n";
        assert_eq!(remark(said), "1024 inputs, 31 edges");
        assert_eq!(remark(""), "");
    }
}
