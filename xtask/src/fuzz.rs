//! `cargo xtask fuzz [TARGET…]`: the fuzz targets, each over its corpus.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::cargo::{self, Metadata};
use crate::steps::{Failed, Outcome, Steps, skipped};

/// Seconds for each target, unless `FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 30;
/// Targets that run at a time: each keeps one core busy.
const AT_A_TIME: usize = 2;
/// A target that needs more has found something.
const MEMORY_MB: u32 = 1_024;
/// One input that takes longer has, too.
const INPUT_SECONDS: u32 = 10;

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    if !has_nightly() {
        return steps.run("fuzz", || {
            skipped("the nightly toolchain is missing (`rustup toolchain install nightly`)")
        });
    }
    steps.run("fuzz: cargo-fuzz", install)?;
    let mut targets = Vec::new();
    steps.run("fuzz: build", || {
        targets = chosen(arguments, &listed()?)?;
        let build = Metadata::load()?.target_directory("fuzz");
        cargo::run(nightly().args(["fuzz", "build", "--target-dir"]).arg(build))
    })?;
    for pair in targets.chunks(AT_A_TIME) {
        let name = pair.join(", ");
        steps.run(&format!("fuzz: {name}"), || together(pair))?;
    }
    Ok(())
}

/// Cargo of the nightly toolchain, which alone has the sanitizers.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).current_dir(cargo::root());
    command
}

fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn has_nightly() -> bool {
    succeeds(nightly().arg("--version"))
}

fn install() -> Outcome {
    if succeeds(nightly().args(["fuzz", "--version"])) {
        return Ok(String::new());
    }
    cargo::run(&mut cargo::cargo(["install", "cargo-fuzz", "--locked"]))
}

/// The targets, as the manifest lists them.
fn listed() -> Result<Vec<String>, String> {
    let listed = nightly().args(["fuzz", "list"]).stderr(Stdio::inherit()).output();
    let listed = listed.map_err(|error| format!("rustup could not be started: {error}"))?;
    let names = String::from_utf8_lossy(&listed.stdout);
    let names: Vec<_> = names.lines().map(str::to_owned).collect();
    if names.is_empty() { Err("`cargo fuzz list` names no target".to_owned()) } else { Ok(names) }
}

/// Those that were asked for, or all.
fn chosen(asked: &[String], listed: &[String]) -> Result<Vec<String>, String> {
    match asked.iter().find(|asked| !listed.contains(asked)) {
        Some(unknown) => Err(format!("there is no target `{unknown}`, but: {}", listed.join(", "))),
        None if asked.is_empty() => Ok(listed.to_vec()),
        None => Ok(asked.to_vec()),
    }
}

/// Runs some targets at the same time; their remarks, or what the first to fail has said.
fn together(targets: &[String]) -> Outcome {
    let build = Metadata::load()?.target_directory("fuzz");
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for target in targets {
            let (build, outcomes) = (&build, &outcomes);
            scope.spawn(move || {
                let outcome = fuzz(target, build);
                outcomes.lock().map(|mut outcomes| outcomes.push(outcome)).ok();
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_default();
    if outcomes.len() < targets.len() {
        return Err("a target could not be watched".to_owned());
    }
    let remarks: Result<Vec<_>, _> = outcomes.into_iter().collect();
    remarks.map(|remarks| remarks.join("; "))
}

fn seconds() -> Result<u64, String> {
    match std::env::var("FUZZ_SECONDS") {
        Ok(set) => set.parse().map_err(|_| format!("FUZZ_SECONDS is a number, not `{set}`")),
        Err(_) => Ok(SECONDS),
    }
}

/// Runs one target over its corpus. What it finds goes to the build folder, so that the corpus in
/// the repository stays as it is.
fn fuzz(target: &str, build: &Path) -> Outcome {
    let found = build.join("corpus").join(target);
    let told = |error| format!("cannot make {}: {error}", found.display());
    std::fs::create_dir_all(&found).map_err(told)?;
    let corpus: PathBuf = ["fuzz", "corpus", target].iter().collect();
    let mut command = nightly();
    command.args(["fuzz", "run", "--target-dir"]).arg(build).arg(target).arg(&found).arg(corpus);
    command.args(["--", &format!("-max_total_time={}", seconds()?)]);
    command.arg(format!("-rss_limit_mb={MEMORY_MB}")).arg(format!("-timeout={INPUT_SECONDS}"));
    let output = command.output().map_err(|error| format!("{target}: {error}"))?;
    // It says everything there.
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(format!("{target}: {}", remark(&said)));
    }
    let rest: Vec<_> = said.lines().rev().take(80).collect();
    let rest: Vec<_> = rest.into_iter().rev().collect();
    Err(format!("target `{target}` has failed\n{}", rest.join("\n")))
}

/// How many inputs were tried, and how many edges of the code they have reached.
fn remark(said: &str) -> String {
    let is_last = |line: &&str| line.split_whitespace().nth(1) == Some("DONE");
    let last = said.lines().rev().find(is_last).unwrap_or_default();
    let words: Vec<_> = last.split_whitespace().collect();
    let tried = words.first().map_or("?", |first| first.trim_start_matches('#'));
    let edges = words.iter().position(|word| *word == "cov:").and_then(|at| words.get(at + 1));
    format!("{tried} inputs, {} edges", edges.unwrap_or(&"?"))
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
        assert_eq!(remark(""), "? inputs, ? edges");
    }

    #[test]
    fn only_targets_that_exist_can_be_asked_for() {
        let all = ["keys", "lane"].map(str::to_owned);
        assert_eq!(chosen(&[], &all), Ok(all.to_vec()));
        assert_eq!(chosen(&all[1..], &all), Ok(all[1..].to_vec()));
        let unknown = chosen(&["kyes".to_owned()], &all);
        assert_eq!(unknown, Err("there is no target `kyes`, but: keys, lane".to_owned()));
    }
}
