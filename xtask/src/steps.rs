//! Steps: announced, timed, and told of in a table at the end.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// What a step comes to: a remark, which may be empty, or why it failed.
pub(crate) type Outcome = Result<String, String>;

/// Says why a step was not taken: a remark, but a failure where everything must be checked.
pub(crate) fn skipped(reason: &str) -> Outcome {
    skip(std::env::var("CI").is_ok_and(|ci| ci == "true"), reason)
}

fn skip(is_required: bool, reason: &str) -> Outcome {
    let told = format!("not run: {reason}");
    if is_required { Err(told) } else { Ok(told) }
}

/// A step has failed; why is in the table.
#[derive(Debug)]
pub(crate) struct Failed;

/// The steps that were taken.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    outcome: Outcome,
}

impl Steps {
    /// Takes a step. After one that fails, no other should be taken: `?`.
    pub(crate) fn run(&mut self, name: &str, act: impl FnOnce() -> Outcome) -> Result<(), Failed> {
        println!("== {name}");
        let started = Instant::now();
        let outcome = act();
        let took = started.elapsed();
        if let Err(reason) = &outcome {
            eprintln!("{name} failed: {reason}");
        }
        println!("== {name}: {:.1} s", took.as_secs_f64());
        let result = if outcome.is_ok() { Ok(()) } else { Err(Failed) };
        self.0.push(Step { name: name.to_owned(), took, outcome });
        result
    }

    /// All steps with their durations and outcomes, and how many failed.
    pub(crate) fn table(&self) -> String {
        let width = self.0.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        let mut table = String::from("\n");
        for Step { name, took, outcome } in &self.0 {
            let seconds = took.as_secs_f64();
            let (verdict, remark) = match outcome {
                Ok(remark) => ("ok", remark.as_str()),
                // The rest stands where the step failed.
                Err(reason) => ("FAILED", reason.lines().next().unwrap_or_default()),
            };
            let line = format!("{name:<width$}  {seconds:>7.1} s  {verdict:<6}  {remark}");
            // Infallible: memory accepts every write.
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_of_every_step_that_was_taken() {
        let mut steps = Steps::default();
        let mut take = || {
            steps.run("one", || Ok(String::new()))?;
            steps.run("second", || Err("no such file\nmore".to_owned()))?;
            steps.run("never", || Ok(String::new()))
        };
        assert!(take().is_err());
        let table = "\none         0.0 s  ok\nsecond      0.0 s  FAILED  no such file\n";
        assert_eq!(steps.table(), table);
    }

    #[test]
    fn what_cannot_run_is_told_of_and_fails_where_everything_must_be_checked() {
        assert_eq!(skip(false, "no tool"), Ok("not run: no tool".to_owned()));
        assert_eq!(skip(true, "no tool"), Err("not run: no tool".to_owned()));
    }
}
