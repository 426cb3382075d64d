//! `cargo xtask loom` model-checks the core; with `--seeded` it checks the models by seeding bugs.
//!
//! The core and its models are copied, one bug at a time is put into the copy, and a model named
//! for the bug must fail. A bug that does not compile, or whose text is gone from the source, is an
//! error in the list.

use std::collections::HashSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xshell::{Cmd, cmd};

use crate::steps::{Failed, Steps, outcome};
use crate::tools::{self, Tools};

/// How often a model's scheduler may preempt a thread; models take hours beyond 2.
const MAX_PREEMPTIONS: &str = "2";

/// Seconds: a bug that sends a model into a loop does not count as caught.
const TIMEOUT: &str = "400";

/// Models that must pass in the copy before any bug is seeded.
const SANITY: &str = "hand_over";

const LIST: &str = "loom-tests/seeded.toml";

/// The core's sources, here and in the copy.
const SOURCES: &str = "crates/tachograph/src";

pub(crate) fn models(tools: &Tools, steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    let separator = (!arguments.iter().any(|argument| argument == "--")).then_some("--");
    // Shows the number of executions of each model.
    let test = test(tools.cargo(""), &tools.target("loom"));
    let test = test.args(arguments).args(separator).arg("--nocapture");
    steps.command("loom", test)
}

/// The tests of `loom-tests`, built as models.
fn test<'a>(cargo: Cmd<'a>, target: &Path) -> Cmd<'a> {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let test = ["test", "--release", "--package", "loom-tests", "--target-dir"];
    let mut test = cargo.args(test).arg(target);
    test = test.env("RUSTFLAGS", format!("{flags} --cfg tachograph_loom").trim_start());
    if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        test = test.env("LOOM_MAX_PREEMPTIONS", MAX_PREEMPTIONS);
    }
    // Linking would otherwise take longer than the models.
    test.env("CARGO_PROFILE_RELEASE_LTO", "off")
}

/// Tries the bugs whose names contain `filter`.
pub(crate) fn seeded(tools: &Tools, steps: &mut Steps, filter: &str) -> Result<(), Failed> {
    steps.run("loom: seeded bugs", || {
        let bugs: Vec<_> = list()?.into_iter().filter(|bug| bug.name.contains(filter)).collect();
        ensure!(!bugs.is_empty(), "no seeded bug has `{filter}` in its name");
        let root = tools.target("seeded");
        tools.shell.remove_path(&root)?;
        let problems = tools::two_at_a_time(&bugs, |worker, bugs| {
            let copy = Copy::make(root.join(worker.to_string()))?;
            ensure!(!copy.catches(SANITY)?, "the models fail without any bug: `cargo xtask loom`");
            Ok(bugs.filter_map(|bug| copy.survives(bug)).collect())
        })?;
        outcome(&problems, format!("{} of {0} caught", bugs.len()))
    })
}

/// The list; its head describes the format.
#[derive(Deserialize)]
struct List {
    bug: Vec<Bug>,
}

/// A bug: a text that occurs once in a file of the core, and its replacement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    name: String,
    #[serde(rename = "in")]
    file: String,
    find: String,
    #[serde(default)]
    make: String,
    /// Part of the names of the models, of which at least one must fail.
    model: String,
}

/// Checks that each bug of the list still matches the core's source.
pub(crate) fn check_list() -> Result<String> {
    let bugs = list()?;
    let stale: Vec<_> =
        bugs.iter().filter_map(|bug| Some(bug.put_in().err()?.to_string())).collect();
    outcome(&stale, format!("{} seeded bugs", bugs.len()))
}

fn list() -> Result<Vec<Bug>> {
    let List { bug: bugs } = toml::from_str(&tools::read(LIST)?).context(LIST)?;
    let names: HashSet<_> = bugs.iter().map(|bug| &bug.name).collect();
    ensure!(names.len() == bugs.len(), "{LIST}: two bugs have one name");
    Ok(bugs)
}

impl Bug {
    /// The content of the bug's file with the bug in it.
    fn put_in(&self) -> Result<String> {
        let text = code(&tools::read(&format!("{SOURCES}/{}", self.file))?);
        let places: Vec<_> = places(&text, &self.find).collect();
        let [place] = &places[..] else {
            bail!(
                "the seeded bug `{}` is stale: its text stands {} times in {}, not once",
                self.name,
                places.len(),
                self.file
            );
        };
        Ok([&text[..place.start], &self.make, &text[place.end..]].concat())
    }
}

/// The lines that are neither comments nor fault points, which have no effect here. A bug's text
/// still matches when those around it change.
fn code(text: &str) -> String {
    let other = |line: &&str| ["//", "fault::point("].iter().any(|is| line.trim().starts_with(is));
    text.lines().filter(|line| !other(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The places of a text. Its words may have any white space between them, so it survives
/// reformatting.
fn places<'a>(text: &'a str, find: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let after = |from: &'a str| {
        find.split_whitespace().try_fold(from, |rest, word| rest.trim_start().strip_prefix(word))
    };
    let starts = text.match_indices(find.split_whitespace().next().unwrap_or("\0"));
    starts.filter_map(move |(start, _)| Some(start..text.len() - after(&text[start..])?.len()))
}

/// A workspace that contains only the core and its models.
struct Copy {
    root: PathBuf,
    tools: Tools,
}

impl Copy {
    fn make(root: PathBuf) -> Result<Self> {
        let tools = Tools::new(false)?;
        tools.shell.create_dir(root.join("crates"))?;
        for (from, to) in
            [("crates/tachograph", "crates"), ("loom-tests", "."), ("Cargo.lock", ".")]
        {
            let to = root.join(to);
            cmd!(tools.shell, "cp -R {from} {to}").quiet().run()?;
        }
        let mut manifest: toml::Table = tools::read("Cargo.toml")?.parse()?;
        // A package of one part would be rebuilt whole for each bug.
        manifest.remove("profile");
        let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
        let workspace = workspace.context("Cargo.toml has no workspace")?;
        workspace.retain(|key, _| !["default-members", "exclude"].contains(&key));
        workspace.insert("members".to_owned(), vec!["crates/tachograph", "loom-tests"].into());
        fs::write(root.join("Cargo.toml"), manifest.to_string())?;
        tools.shell.change_dir(&root);
        Ok(Self { root, tools })
    }

    /// What is wrong with a bug that is not caught.
    fn survives(&self, bug: &Bug) -> Option<String> {
        let started = Instant::now();
        match self.catches_bug(bug) {
            Ok(true) => {
                println!("caught ({:.1} s): {}", started.elapsed().as_secs_f64(), bug.name);
                None
            }
            Ok(false) => Some(format!("`{}` survived: none of its models fails", bug.name)),
            Err(error) => Some(format!("`{}`: {error:#}", bug.name)),
        }
    }

    /// Whether the bug's model fails with the bug.
    fn catches_bug(&self, bug: &Bug) -> Result<bool> {
        let file = self.root.join(SOURCES).join(&bug.file);
        let correct = fs::read_to_string(&file)?;
        fs::write(&file, bug.put_in()?)?;
        let caught = self.catches(&bug.model);
        fs::write(&file, &correct)?;
        caught
    }

    /// Whether a model whose name contains `filter` fails.
    fn catches(&self, filter: &str) -> Result<bool> {
        let built = self.models(self.tools.cargo("")).arg("--no-run").output()?;
        let said = String::from_utf8_lossy(&built.stderr);
        ensure!(built.status.success(), "it does not compile:\n{said}");
        let limited = cmd!(self.tools.shell, "timeout {TIMEOUT} cargo");
        // A changed number of executions proves nothing about a bug.
        let models = self.models(limited).args(["--", filter]).env("TACHOGRAPH_NO_FLOORS", "1");
        let code = models.output()?.status.code();
        ensure!(code != Some(124), "its model does not end within {TIMEOUT} s");
        Ok(code != Some(0))
    }

    fn models<'a>(&self, cargo: Cmd<'a>) -> Cmd<'a> {
        // Rebuilt for each bug, but only what the bug has changed.
        let models = test(cargo, &self.root.join("target")).arg("--quiet").quiet().ignore_status();
        models.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true").env_remove("CARGO_INCREMENTAL")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bugs_text_is_found_across_lines_and_comments_and_only_as_whole_words_in_order() {
        let text = code("a.store(1,\n    // Release: why.\n    X);\na.store(1);\n");
        let place = |find| places(&text, find).map(|place| text[place].len()).next();
        assert_eq!(place("a.store(1, X);"), Some(18));
        assert_eq!(places(&text, "a.store(1").count(), 2);
        assert_eq!(place("a.store(1, Y"), None);
    }
}
