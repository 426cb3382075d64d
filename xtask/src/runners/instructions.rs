//! `cargo xtask instructions`: the cost of recording in instructions, which must not grow.
//!
//! Unlike times, counts are the same on every machine and in every run of a program. A new
//! compiler, or changed code beside an operation, can still shift them a little: hence the slack.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use xshell::cmd;

use crate::steps::{Failed, Steps, outcome, skipped};
use crate::tools::{self, Tools};

/// The file with the counts that new ones are compared with.
const FILE: &str = "benches/instructions.json";

const UPDATE: &str = "`cargo xtask instructions --update`";

/// The function whose calls callgrind counts separately, each with everything it calls.
const COUNTED: &str = "instructions::counted";

/// The loop that repeats every operation.
const LOOP_ALONE: &str = "the loop alone";

/// What an operation may exceed its recorded count by, as a share of it.
const SLACK: f64 = 0.05;

/// The suffix of operations on a thread that also records into seven other collectors.
const EIGHTH: &str = ", eighth collector";

/// Upper bound for their cost, as a multiple of the cost with a single collector.
const EIGHTH_TIMES: f64 = 1.2;

/// Instructions per operation, by name.
type Costs = BTreeMap<String, f64>;

/// The counts of each operation, and the compiler that produced them.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct Kept {
    rustc: String,
    on: Costs,
    off: Costs,
    compiled_out: Costs,
    /// Why counts were raised; updates keep this.
    #[serde(default)]
    reasons: Vec<String>,
}

/// The number of repeats of an operation, and their instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    mode: String,
    operation: String,
    times: u64,
    instructions: u64,
}

pub(crate) fn run(tools: &Tools, steps: &mut Steps, update: bool) -> Result<(), Failed> {
    steps.run("instructions", || {
        if !tools.has("valgrind --version", &tools::debian("valgrind")) {
            return skipped("valgrind is missing (`apt-get install valgrind`, or pass --install)");
        }
        let mut counted = count(tools)?;
        print!("{}", table(&counted));
        let kept = || -> Result<Kept> {
            let kept = serde_json::from_str(&tools::read(FILE)?);
            kept.with_context(|| format!("{FILE}: write it with {UPDATE}"))
        };
        if update {
            nothing_is_left(&counted.compiled_out)?;
            counted.reasons = kept().map_or_else(|_| Vec::new(), |kept| kept.reasons);
            let json = serde_json::to_string_pretty(&counted)? + "\n";
            std::fs::write(tools::root().join(FILE), json).context(FILE)?;
            return Ok(format!("{FILE} holds these counts now"));
        }
        compare(&counted, &kept()?)
    })
}

fn count(tools: &Tools) -> Result<Kept> {
    let count = |folder: &str, features: &[&str]| {
        let counts = callgrind(tools, &build(tools, features)?, &tools.target(folder))?;
        costs(&counts)
    };
    let mut with = count("instructions", &["--features", "record"])?;
    let mut without = count("instructions-compiled-out", &[])?;
    let mut take = |mode| with.remove(mode).unwrap_or_default();
    let rustc = cmd!(tools.shell, "rustc --version").read()?;
    Ok(Kept {
        // The version without its date.
        rustc: rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
        on: take("on"),
        off: take("off"),
        compiled_out: without.remove("on").unwrap_or_default(),
        reasons: Vec::new(),
    })
}

/// Builds the program that repeats the operations; returns its path.
fn build(tools: &Tools, features: &[&str]) -> Result<PathBuf> {
    let build = "bench --package benches --bench instructions --no-run --no-default-features \
                 --message-format json-render-diagnostics";
    let messages = tools.cargo(build).args(features).read()?;
    Tools::built(&messages, "instructions")
}

/// Runs a program under callgrind; `folder` is emptied first and gets callgrind's output.
fn callgrind(tools: &Tools, program: &Path, folder: &Path) -> Result<Vec<Count>> {
    tools.shell.remove_path(folder)?;
    tools.shell.create_dir(folder)?;
    let parts = format!("--callgrind-out-file={}", folder.join("part").display());
    // Counts only inside the function and starts again after each call.
    let (toggle, dump) = (format!("--toggle-collect={COUNTED}"), format!("--dump-after={COUNTED}"));
    let valgrind = cmd!(tools.shell, "valgrind --quiet --tool=callgrind {parts} {toggle} {dump}");
    let said = valgrind.arg(program).arg("--counted").read()?;
    let part = |(i, line): (usize, &str)| {
        let path = folder.join(format!("part.{}", i + 1));
        let total = std::fs::read_to_string(&path).context("callgrind did not count a call")?;
        parse(line, &total).with_context(|| format!("{} or `{line}`", path.display()))
    };
    said.lines().enumerate().map(part).collect()
}

/// One call: the program's own line, and callgrind's total.
fn parse(said: &str, part: &str) -> Option<Count> {
    let mut fields = said.split('\t').map(str::to_owned);
    let (mode, operation) = (fields.next()?, fields.next()?);
    let times = fields.next()?.parse().ok()?;
    let total = part.lines().find_map(|line| line.strip_prefix("totals: "))?;
    Some(Count { mode, operation, times, instructions: total.trim().parse().ok()? })
}

/// Instructions per operation, by mode, over the loop alone. Each operation was counted twice, the
/// second time with more repeats.
fn costs(counts: &[Count]) -> Result<BTreeMap<String, Costs>> {
    let each = |first: &Count, more: &Count| -> Option<f64> {
        let times = more.times.checked_sub(first.times).filter(|times| *times > 0)?;
        let instructions = more.instructions.checked_sub(first.instructions)?;
        Some(instructions as f64 / times as f64)
    };
    let mut alone = None;
    let mut costs: BTreeMap<String, Costs> = BTreeMap::new();
    for pair in counts.chunks(2) {
        let [first, more] = pair else { bail!("an operation was counted only once") };
        let told = || format!("`{}` did not cost more with more repeats", more.operation);
        let each = each(first, more).with_context(told)?;
        if more.operation == LOOP_ALONE {
            alone = Some(each);
            continue;
        }
        let over = each - alone.context("the loop alone must be counted first")?;
        // Two digits: an operation's share of the cost of a block.
        let over = (over * 100.0).round() / 100.0;
        costs.entry(more.mode.clone()).or_default().insert(more.operation.clone(), over);
    }
    ensure!(alone.is_some_and(|alone| alone >= 1.0), "callgrind did not see the loop alone");
    Ok(costs)
}

fn table(counted: &Kept) -> String {
    let mut table = format!("{:<32} {:>8} {:>8} {:>13}\n", "", "on", "off", "compiled out");
    for (operation, cost) in &counted.on {
        let other = |costs: &Costs| costs.get(operation).map(f64::to_string).unwrap_or_default();
        let [off, out] = [&counted.off, &counted.compiled_out].map(other);
        // Infallible: memory accepts every write.
        let _ = writeln!(table, "{operation:<32} {cost:>8} {off:>8} {out:>13}");
    }
    table
}

/// Checks that nothing of recording remains when it is compiled out.
fn nothing_is_left(compiled_out: &Costs) -> Result<String> {
    let left = compiled_out.iter().filter(|(_, cost)| **cost != 0.0);
    let left: Vec<_> = left.map(|(name, cost)| format!("{name}: {cost} instructions")).collect();
    outcome(&left, "").context("compiled out, but something remains")
}

/// The operations whose cost depends on which of its thread's collectors they record into.
fn eighths(on: &Costs) -> Vec<String> {
    let eighths = on.iter().filter_map(|(name, cost)| {
        let only = name.strip_suffix(EIGHTH)?;
        let most = on.get(only)? * EIGHTH_TIMES;
        let told = format!("{name}: {cost} instructions, at most {most:.2} by `{only}`");
        (*cost > most).then_some(told)
    });
    eighths.collect()
}

fn compare(counted: &Kept, kept: &Kept) -> Result<String> {
    nothing_is_left(&counted.compiled_out)?;
    let mut problems = eighths(&counted.on);
    let mut fewer = 0;
    let modes = [
        ("on", &counted.on, &kept.on),
        ("off", &counted.off, &kept.off),
        ("compiled out", &counted.compiled_out, &kept.compiled_out),
    ];
    for (mode, counted, kept) in modes {
        let unknown = counted.keys().filter(|name| !kept.contains_key(*name));
        problems.extend(unknown.map(|name| format!("{name} ({mode}) has no ceiling")));
        for (name, before) in kept {
            let ceiling = before * (1.0 + SLACK);
            match counted.get(name) {
                Some(now) if *now > ceiling => problems.push(format!(
                    "{name} ({mode}): {now} instructions, at most {ceiling:.2} are allowed"
                )),
                Some(now) => fewer += usize::from(*now < before * (1.0 - SLACK)),
                None => problems.push(format!("{name} ({mode}) has a ceiling but was not counted")),
            }
        }
    }
    let (ours, theirs) = (&counted.rustc, &kept.rustc);
    let hint = format!("counted with {ours}, ceilings are of {theirs}; {UPDATE} writes {FILE}");
    let better = if fewer == 0 { "" } else { "; some have fallen: update the ceilings" };
    outcome(&problems, format!("{} operations{better}", counted.on.len())).context(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(operation: &str, times: u64, instructions: u64) -> Count {
        let (mode, operation) = ("on".to_owned(), operation.to_owned());
        Count { mode, operation, times, instructions }
    }

    fn kept(on: f64, compiled_out: f64) -> Kept {
        let costs = |cost| BTreeMap::from([("counter, handle".to_owned(), cost)]);
        let rustc = "rustc 1.95.0".to_owned();
        let (on, off, compiled_out) = (costs(on), costs(2.0), costs(compiled_out));
        Kept { rustc, on, off, compiled_out, reasons: Vec::new() }
    }

    #[test]
    fn a_call_is_what_the_program_says_and_callgrind_totals() {
        let part = "version: 1\ndesc: Trigger: --dump-after=x\nsummary: 7\n\ntotals: 971\n";
        let said = "on\tcounter, handle\t320";
        assert_eq!(parse(said, part), Some(counted("counter, handle", 320, 971)));
        assert_eq!(parse(said, "summary: 7\n"), None);
        assert_eq!(parse("running 3 tests", part), None);
    }

    #[test]
    fn an_eighth_collector_costs_at_most_a_fifth_more_than_an_only_one() {
        let costs = |cost| {
            let both = [("counter, handle", 20.0), ("counter, handle, eighth collector", cost)];
            both.map(|(name, cost)| (name.to_owned(), cost)).into()
        };
        assert_eq!(eighths(&costs(24.0)), Vec::<String>::new());
        assert_eq!(eighths(&costs(24.1)).len(), 1);
    }

    #[test]
    fn an_operation_costs_what_more_of_them_add_over_the_loop() {
        let alone = [counted(LOOP_ALONE, 64, 203), counted(LOOP_ALONE, 320, 971)];
        let handle = [64, 320].map(|times| counted("counter, handle", times, 11 + times * 33));
        let costs_of = |counts: &[Count]| costs(counts).map_err(|error| error.to_string());
        let costs = costs_of(&[alone.clone(), handle].concat()).expect("pairs after the loop");
        assert_eq!(costs["on"]["counter, handle"], 30.0);
        assert!(costs_of(&alone[..1]).is_err());
        assert!(costs_of(&[]).is_err(), "no loop");
        let unseen = alone.map(|count| Count { instructions: 5, ..count });
        assert!(costs_of(&unseen).is_err(), "callgrind has seen nothing");
        assert!(costs_of(&[counted("x", 64, 80), counted("x", 64, 90)]).is_err());
    }

    #[test]
    fn a_count_above_its_ceiling_or_compiled_out_is_told() {
        assert!(compare(&kept(31.5, 0.0), &kept(30.0, 0.0)).is_ok());
        let error = compare(&kept(32.0, 0.0), &kept(30.0, 0.0)).expect_err("above");
        let told = "counter, handle (on): 32 instructions, at most 31.50 are allowed";
        assert!(format!("{error:#}").contains(told), "{error:#}");
        assert!(compare(&kept(20.0, 0.0), &kept(30.0, 0.0)).is_ok_and(|it| it.contains("fallen")));
        assert!(compare(&kept(30.0, 0.5), &kept(30.0, 0.0)).is_err());
    }
}
