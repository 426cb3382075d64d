//! Steps: announced, timed, and listed in a table at the end.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use xshell::Cmd;

/// The remark of a skipped step; an error if every step is required.
pub(crate) fn skipped(reason: &str) -> Result<String> {
    skip(std::env::var("CI").is_ok_and(|ci| ci == "true"), reason)
}

fn skip(is_required: bool, reason: &str) -> Result<String> {
    if is_required {
        bail!("not run: {reason}");
    }
    Ok(format!("not run: {reason}"))
}

/// A remark on success, otherwise all problems.
pub(crate) fn outcome(problems: &[String], remark: impl Into<String>) -> Result<String> {
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(remark.into())
}

/// A step has failed; the table shows the reason.
#[derive(Debug)]
pub(crate) struct Failed;

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    outcome: Result<String>,
}

impl Steps {
    /// Runs a step. `?` stops after the first failure.
    pub(crate) fn run(
        &mut self,
        name: &str,
        act: impl FnOnce() -> Result<String>,
    ) -> Result<(), Failed> {
        println!("== {name}");
        let started = Instant::now();
        let outcome = act();
        let took = started.elapsed();
        if let Err(error) = &outcome {
            eprintln!("{name} failed: {error:#}");
        }
        println!("== {name}: {:.1} s", took.as_secs_f64());
        let result = outcome.as_ref().map(|_| ()).map_err(|_| Failed);
        self.0.push(Step { name: name.to_owned(), took, outcome });
        result
    }

    /// Runs a command as a step.
    pub(crate) fn command(&mut self, name: &str, command: Cmd<'_>) -> Result<(), Failed> {
        self.run(name, || {
            command.run()?;
            Ok(String::new())
        })
    }

    /// All steps with their durations and outcomes.
    pub(crate) fn table(&self) -> String {
        let width = self.0.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        let mut table = String::from("\n");
        for Step { name, took, outcome } in &self.0 {
            let seconds = took.as_secs_f64();
            let (verdict, remark) = match outcome {
                Ok(remark) => ("ok", remark.clone()),
                Err(error) => ("FAILED", format!("{error:#}")),
            };
            // The rest was printed when the step failed.
            let remark = remark.lines().next().unwrap_or_default();
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
    fn the_table_lists_every_step_that_was_taken() {
        let mut steps = Steps::default();
        let mut take = || {
            steps.run("one", || Ok(String::new()))?;
            steps.run("second", || bail!("no such file\nmore"))?;
            steps.run("never", || Ok(String::new()))
        };
        assert!(take().is_err());
        let table = "\none         0.0 s  ok\nsecond      0.0 s  FAILED  no such file\n";
        assert_eq!(steps.table(), table);
    }

    #[test]
    fn a_step_that_cannot_run_fails_where_everything_must_be_checked() {
        assert_eq!(skip(false, "no tool").ok().as_deref(), Some("not run: no tool"));
        assert!(skip(true, "no tool").is_err());
    }
}
