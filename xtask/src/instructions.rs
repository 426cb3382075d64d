//! `cargo xtask instructions`: what recording costs in instructions, which may not grow.
//!
//! Unlike times, counts are the same on every machine and in every run of one program. A new
//! compiler, or code beside an operation, may move them a little all the same: hence the slack.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::callgrind::{self, Count};
use crate::cargo::{self, Metadata};
use crate::steps::{Failed, Outcome, Steps};

/// Where the counts are kept that the next ones are held against.
const FILE: &str = "benches/instructions.json";

/// The loop that every operation is repeated by.
const LOOP_ALONE: &str = "the loop alone";

/// What an operation may cost beyond its kept count: a share of it.
const SLACK: f64 = 0.05;

/// Instructions an operation, by name.
type Costs = BTreeMap<String, f64>;

/// The counts of each operation, and the compiler that they are of.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct Kept {
    rustc: String,
    on: Costs,
    off: Costs,
    compiled_out: Costs,
}

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    let update = match arguments {
        [] => false,
        [argument] if argument == "--update" => true,
        _ => return steps.run("instructions", || Err("its only argument is --update".to_owned())),
    };
    steps.run("instructions", || {
        if !callgrind::have() {
            return callgrind::missing();
        }
        let counted = count()?;
        print!("{}", table(&counted));
        if update { write(&counted) } else { compare(&counted, &read()?) }
    })
}

fn count() -> Result<Kept, String> {
    let metadata = Metadata::load()?;
    let count = |folder: &str, features: &[&str]| {
        let program = callgrind::build(features)?;
        let counts = callgrind::count(&program, &metadata.target_directory(folder))?;
        costs(&counts)
    };
    let mut with = count("instructions", &["--features", "record"])?;
    let mut without = count("instructions-compiled-out", &[])?;
    let mut take = |mode| with.remove(mode).unwrap_or_default();
    Ok(Kept {
        rustc: rustc()?,
        on: take("on"),
        off: take("off"),
        compiled_out: without.remove("on").unwrap_or_default(),
    })
}

/// The compiler, without its date.
fn rustc() -> Result<String, String> {
    let output = Command::new("rustc").arg("--version").current_dir(cargo::root()).output();
    let output = output.map_err(|error| format!("rustc could not be started: {error}"))?;
    let version = String::from_utf8_lossy(&output.stdout);
    Ok(version.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// Instructions an operation by mode, over the loop alone: each was counted twice, the second
/// time more often.
fn costs(counts: &[Count]) -> Result<BTreeMap<String, Costs>, String> {
    let each = |first: &Count, more: &Count| -> Option<f64> {
        let times = more.times.checked_sub(first.times).filter(|times| *times > 0)?;
        let instructions = more.instructions.checked_sub(first.instructions)?;
        Some(instructions as f64 / times as f64)
    };
    let mut alone = None;
    let mut costs: BTreeMap<String, Costs> = BTreeMap::new();
    for pair in counts.chunks(2) {
        let [first, more] = pair else { return Err("an operation was counted once".to_owned()) };
        let told = || format!("`{}` did not cost more the more it was done", more.operation);
        let each = each(first, more).ok_or_else(told)?;
        if more.operation == LOOP_ALONE {
            alone = Some(each);
            continue;
        }
        let over = each - alone.ok_or("the loop alone must be counted first")?;
        let costs = costs.entry(more.mode.clone()).or_default();
        // Two digits: what is left of a block's turn in one of its samples.
        costs.insert(more.operation.clone(), (over * 100.0).round() / 100.0);
    }
    if alone.is_none_or(|alone| alone < 1.0) {
        return Err("the loop alone cost nothing: callgrind did not see it".to_owned());
    }
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

fn read() -> Result<Kept, String> {
    serde_json::from_str(&cargo::read(FILE)?)
        .map_err(|error| format!("{FILE}: {error}: write it with {UPDATE}"))
}

const UPDATE: &str = "`cargo xtask instructions --update`";

fn write(counted: &Kept) -> Outcome {
    nothing_is_left(&counted.compiled_out)?;
    let json = serde_json::to_string_pretty(counted).map_err(|error| error.to_string())?;
    let told = |error| format!("{FILE} could not be written: {error}");
    std::fs::write(cargo::root().join(FILE), json + "\n").map_err(told)?;
    Ok(format!("{FILE} holds these counts now"))
}

/// Nothing may be left of recording that was compiled out.
fn nothing_is_left(compiled_out: &Costs) -> Result<(), String> {
    let left = compiled_out.iter().filter(|(_, cost)| **cost != 0.0);
    let left: Vec<_> = left.map(|(name, cost)| format!("{name}: {cost} instructions")).collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(format!("compiled out, yet something is left:\n{}", left.join("\n")))
}

fn compare(counted: &Kept, kept: &Kept) -> Outcome {
    nothing_is_left(&counted.compiled_out)?;
    let mut problems = Vec::new();
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
                None => problems.push(format!("{name} ({mode}) has a ceiling and is not counted")),
            }
        }
    }
    if problems.is_empty() {
        let remark = format!("{} operations", counted.on.len());
        let better = format!("; {fewer} counts have fallen: keep them with {UPDATE}");
        return Ok(if fewer == 0 { remark } else { remark + &better });
    }
    if counted.rustc != kept.rustc {
        let compilers = (&counted.rustc, &kept.rustc);
        problems.push(format!("counted with {}, ceilings are of {}", compilers.0, compilers.1));
    }
    problems.push(format!("where that is as it should be, {UPDATE} writes {FILE}"));
    Err(problems.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(mode: &str, operation: &str, times: u64, instructions: u64) -> Count {
        Count { mode: mode.to_owned(), operation: operation.to_owned(), times, instructions }
    }

    fn kept(on: f64, compiled_out: f64) -> Kept {
        let costs = |cost| BTreeMap::from([("counter, handle".to_owned(), cost)]);
        let rustc = "rustc 1.95.0".to_owned();
        Kept { rustc, on: costs(on), off: costs(2.0), compiled_out: costs(compiled_out) }
    }

    #[test]
    fn an_operation_costs_what_more_of_them_add_over_the_loop() {
        let counts = [
            counted("on", LOOP_ALONE, 64, 203),
            counted("on", LOOP_ALONE, 320, 971),
            counted("on", "counter, handle", 64, 11 + 64 * 33),
            counted("on", "counter, handle", 320, 11 + 320 * 33),
            counted("off", "counter, handle", 512, 9 + 512 * 4),
            counted("off", "counter, handle", 1_536, 9 + 1_536 * 4 + 72),
        ];
        let costs = costs(&counts).expect("pairs after the loop");
        assert_eq!(costs["on"]["counter, handle"], 30.0);
        assert_eq!(costs["off"]["counter, handle"], 1.07);
    }

    #[test]
    fn counts_that_cannot_be_are_refused() {
        let alone = [counted("on", LOOP_ALONE, 64, 203), counted("on", LOOP_ALONE, 320, 971)];
        assert!(costs(&alone).is_ok());
        assert!(costs(&alone[..1]).is_err());
        assert!(costs(&[]).is_err(), "no loop");
        let unseen = alone.map(|count| Count { instructions: 5, ..count });
        assert!(costs(&unseen).is_err(), "callgrind has seen nothing");
        let twice = [counted("on", "x", 64, 80), counted("on", "x", 64, 90)];
        assert!(costs(&twice).is_err());
    }

    #[test]
    fn a_count_above_its_ceiling_is_told_with_what_to_do() {
        assert_eq!(compare(&kept(31.5, 0.0), &kept(30.0, 0.0)), Ok("1 operations".to_owned()));
        let told = "counter, handle (on): 32 instructions, at most 31.50 are allowed\n\
                    where that is as it should be, `cargo xtask instructions --update` writes \
                    benches/instructions.json";
        assert_eq!(compare(&kept(32.0, 0.0), &kept(30.0, 0.0)), Err(told.to_owned()));
        let older = Kept { rustc: "rustc 1.94.0".to_owned(), ..kept(30.0, 0.0) };
        let told = compare(&kept(32.0, 0.0), &older).expect_err("above");
        assert!(told.contains("counted with rustc 1.95.0, ceilings are of rustc 1.94.0"), "{told}");
        assert!(compare(&kept(20.0, 0.0), &kept(30.0, 0.0)).is_ok_and(|it| it.contains("fallen")));
    }

    #[test]
    fn an_operation_on_one_side_only_is_told() {
        let none = Kept { on: Costs::new(), ..kept(30.0, 0.0) };
        let told = compare(&kept(30.0, 0.0), &none).expect_err("no ceiling");
        assert!(told.starts_with("counter, handle (on) has no ceiling\n"), "{told}");
        let told = compare(&none, &kept(30.0, 0.0)).expect_err("not counted");
        assert!(told.starts_with("counter, handle (on) has a ceiling and is not"), "{told}");
    }

    #[test]
    fn an_instruction_that_is_left_when_compiled_out_has_no_ceiling() {
        let told = compare(&kept(30.0, 1.0), &kept(30.0, 1.0)).expect_err("something is left");
        assert!(told.ends_with("counter, handle: 1 instructions"), "{told}");
    }
}
