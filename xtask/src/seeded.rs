//! `cargo xtask loom --seeded`: whether the models catch bugs, tried by putting some in.
//!
//! The core and its models are copied, one bug at a time is put into the copy, and the model
//! that is about it has to fail. A bug that does not compile, or whose place has gone, is an
//! error of the list.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::bugs::{self, Bug};
use crate::cargo::{self, Metadata};
use crate::loom;
use crate::steps::Outcome;

/// A model that a bug sends round in circles has not caught it.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Models that have to pass in the copy before any bug is in it. All of them are a step of their
/// own.
const SANITY: &str = "hand_over";

const LIST: &str = "loom-tests/seeded.txt";

/// Where the core's sources are, here and in the copy.
const SOURCES: &str = "crates/tachograph/src";

/// Tries the bugs whose names contain `filter`.
pub(crate) fn run(filter: &str) -> Outcome {
    let all = list()?;
    let bugs: Vec<&Bug> = all.iter().filter(|bug| bug.name.contains(filter)).collect();
    if bugs.is_empty() {
        return Err(format!("no seeded bug has `{filter}` in its name"));
    }
    let stale: Vec<String> = bugs.iter().filter_map(|bug| seeded(bug).err()).collect();
    if !stale.is_empty() {
        return Err(stale.join("\n"));
    }
    let copy = Copy::make()?;
    if copy.catches(SANITY)? {
        return Err("the models fail without any bug: run `cargo xtask loom`".to_owned());
    }
    let mut problems = Vec::new();
    for bug in &bugs {
        let started = Instant::now();
        let outcome = copy.with(bug);
        let verdict = match &outcome {
            Ok(true) => "caught",
            Ok(false) => "SURVIVED",
            Err(_) => "WRONG",
        };
        println!("{verdict} ({:.1} s): {}", started.elapsed().as_secs_f64(), bug.name);
        problems.extend(match outcome {
            Ok(true) => None,
            Ok(false) => Some(format!("`{}` survived: no model of it fails", bug.name)),
            Err(error) => Some(format!("`{}`: {error}", bug.name)),
        });
    }
    let summary = format!("{} of {} seeded bugs caught", bugs.len() - problems.len(), bugs.len());
    println!("{summary}");
    if problems.is_empty() {
        return Ok(summary);
    }
    Err(format!("{summary}\n{}", problems.join("\n")))
}

pub(crate) fn list() -> Result<Vec<Bug>, String> {
    bugs::parse(&cargo::read(LIST)?).map_err(|error| format!("{LIST}: {error}"))
}

/// The file of a bug, with the bug in it.
fn seeded(bug: &Bug) -> Result<String, String> {
    let text = code(&cargo::read(&format!("{SOURCES}/{}", bug.file))?);
    match places(&text, &bug.find).as_slice() {
        [place] => Ok([&text[..place.start], &bug.make, &text[place.end..]].concat()),
        places => Err(format!(
            "the seeded bug `{}` is stale: its text stands {} times in {}, not once",
            bug.name,
            places.len(),
            bug.file
        )),
    }
}

/// The lines that are no comments and no fault points, which do nothing here: a bug's text
/// survives a change of those around it.
fn code(text: &str) -> String {
    let other = |line: &&str| ["//", "fault::point("].iter().any(|is| line.trim().starts_with(is));
    text.lines().filter(|line| !other(line)).flat_map(|line| [line, "\n"]).collect()
}

/// Where a text stands; a space of it matches any white space, so that it survives formatting.
fn places(text: &str, find: &str) -> Vec<Range<usize>> {
    let words: Vec<&str> = find.split_whitespace().collect();
    let Some(first) = words.first() else { return Vec::new() };
    let starts = text.match_indices(first).map(|(start, _)| start);
    starts.filter_map(|start| Some(start..end_of(text, start, &words)?)).collect()
}

/// The end of the words that begin at `start`, if they are all there.
fn end_of(text: &str, start: usize, words: &[&str]) -> Option<usize> {
    let mut rest = &text[start..];
    for (i, word) in words.iter().enumerate() {
        let next = rest.trim_start();
        if i > 0 && next.len() == rest.len() {
            return None;
        }
        rest = next.strip_prefix(word)?;
    }
    Some(text.len() - rest.len())
}

/// A workspace of the core and its models alone.
struct Copy {
    root: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn make() -> Result<Self, String> {
        let metadata = Metadata::load()?;
        let root = metadata.target_directory("seeded");
        if root.exists() {
            fs::remove_dir_all(&root).map_err(|error| told(&root, &error))?;
        }
        for folder in ["crates/tachograph", "loom-tests"] {
            copy_folder(&cargo::root().join(folder), &root.join(folder))?;
        }
        let manifest = cargo::read("Cargo.toml")?;
        write(&root.join("Cargo.toml"), &own_members(&manifest))?;
        write(&root.join("Cargo.lock"), &cargo::read("Cargo.lock")?)?;
        // The models' own folder, where the dependencies are built already.
        Ok(Self { root, target: metadata.target_directory("loom") })
    }

    /// Whether the bug's model fails with the bug.
    fn with(&self, bug: &Bug) -> Result<bool, String> {
        let file = self.root.join(SOURCES).join(&bug.file);
        let correct = fs::read_to_string(&file).map_err(|error| told(&file, &error))?;
        write(&file, &seeded(bug)?)?;
        let caught = self.catches(&bug.model);
        write(&file, &correct)?;
        caught
    }

    /// Whether a model whose name contains `filter` fails.
    fn catches(&self, filter: &str) -> Result<bool, String> {
        let built = self.models().arg("--no-run").output();
        let built = built.map_err(|error| format!("cargo could not be started: {error}"))?;
        if !built.status.success() {
            return Err(format!(
                "it does not compile:\n{}",
                String::from_utf8_lossy(&built.stderr)
            ));
        }
        let mut models = self.models();
        // What a bug does to the number of executions is no proof of anything.
        models.args(["--", filter]).env("TACHOGRAPH_NO_FLOORS", "1");
        let models = models.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        wait(&mut models.map_err(|error| format!("the models could not be started: {error}"))?)
    }

    fn models(&self) -> Command {
        let mut command = cargo::cargo(["test", "--release", "--package", "loom-tests", "--quiet"]);
        command.current_dir(&self.root).arg("--target-dir").arg(&self.target);
        loom::configure(&mut command);
        // Built once for each bug, from the little that it has changed.
        command.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true");
        command
    }
}

/// Whether the models fail, within the timeout.
fn wait(models: &mut Child) -> Result<bool, String> {
    let started = Instant::now();
    loop {
        match models.try_wait() {
            Ok(Some(status)) => return Ok(!status.success()),
            Ok(None) if started.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = models.kill();
                return Err(format!("its model does not end within {} s", TIMEOUT.as_secs()));
            }
            Err(error) => return Err(format!("the models cannot be waited for: {error}")),
        }
    }
}

/// The workspace's manifest with the copied members alone.
fn own_members(manifest: &str) -> String {
    let others = ["members", "default-members", "exclude"];
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let rest = manifest.lines().filter(|line| !others.contains(&key(line).as_str()));
    rest.fold(String::new(), |mut own, line| {
        own += line;
        own += "\n";
        if line.trim() == "[workspace]" {
            own += "members = [\"crates/tachograph\", \"loom-tests\"]\n";
        }
        own
    })
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| told(to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| told(from, &error))? {
        let path = entry.map_err(|error| told(from, &error))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| told(&path, &error))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bugs_text_is_found_across_lines_and_comments_and_only_as_whole_words_in_order() {
        let text = code("a.store(1,\n    // Release: why.\n    X);\na.store(1);\n");
        let place = |find| places(&text, find).into_iter().map(|place| text[place].len()).next();
        assert_eq!(place("a.store(1, X);"), Some(18));
        assert_eq!(places(&text, "a.store(1").len(), 2);
        assert_eq!(place("a.store(1,X"), None);
    }

    #[test]
    fn every_bug_has_its_place() {
        let bugs = list().expect("it can be read");
        let stale: Vec<_> = bugs.iter().filter_map(|bug| seeded(bug).err()).collect();
        assert_eq!(stale, [""; 0]);
    }

    #[test]
    fn the_copys_manifest_has_its_own_members() {
        let manifest = "[workspace]\nmembers = [\"a\"]\nexclude = [\"b\"]\n\n[x]\nmembership = 1\n";
        let own = "[workspace]\nmembers = [\"crates/tachograph\", \"loom-tests\"]\n\n[x]\nmembership = 1\n";
        assert_eq!(own_members(manifest), own);
    }
}
