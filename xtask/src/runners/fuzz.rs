//! `cargo xtask fuzz`: runs each fuzz target on its corpus.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::steps::{Failed, Steps, skipped};
use crate::tools::{self, Tools};

/// Seconds per target, unless `FUZZ_SECONDS` is set.
const SECONDS: &str = "30";
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
    let (build, mut targets) = (tools.target("fuzz"), names.to_vec());
    steps.run("fuzz: build", || {
        fuzz(&tools.shell).arg("build").arg("--target-dir").arg(&build).run()?;
        if targets.is_empty() {
            let listed = fuzz(&tools.shell).arg("list").read()?;
            targets = listed.lines().map(str::to_owned).collect();
        }
        Ok(String::new())
    })?;
    steps.run("fuzz", || {
        let ran = tools::two_at_a_time(&targets, |_, targets| {
            let shell = Shell::new()?;
            shell.change_dir(tools::root());
            targets.map(|target| run_one(&shell, target, &build)).collect()
        })?;
        Ok(ran.join("; "))
    })
}

fn fuzz(shell: &Shell) -> Cmd<'_> {
    cmd!(shell, "rustup run nightly cargo fuzz")
}

/// Runs one target on its corpus. New inputs go to the build folder, so the corpus in the
/// repository stays unchanged.
fn run_one(shell: &Shell, target: &str, build: &Path) -> Result<String> {
    let found = build.join("corpus").join(target);
    shell.create_dir(&found)?;
    let corpus: PathBuf = ["fuzz", "corpus", target].iter().collect();
    let seconds = std::env::var("FUZZ_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    seconds
        .parse::<u32>()
        .with_context(|| format!("FUZZ_SECONDS must be a number, not `{seconds}`"))?;
    let run = fuzz(shell).args(["run", "--target-dir"]).arg(build).arg(target);
    let run = run.arg(found).arg(corpus).arg("--").arg(format!("-max_total_time={seconds}"));
    let run = run.args([format!("-rss_limit_mb={MEMORY_MB}"), format!("-timeout={INPUT_SECONDS}")]);
    let output = run.ignore_status().output()?;
    // libFuzzer writes everything to stderr.
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<_> = said.lines().collect();
        bail!("target `{target}` failed\n{}", lines[lines.len().saturating_sub(80)..].join("\n"));
    }
    let ran = said.lines().rev().find_map(|line| line.strip_prefix("Done "));
    Ok(format!("{target}: {}", ran.with_context(|| format!("`{target}` did not run: {said}"))?))
}
