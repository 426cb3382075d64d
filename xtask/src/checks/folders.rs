//! Checks that the core's folders only use earlier ones, and that its files have no circular uses.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::source::Source;
use crate::steps::outcome;

const CORE: &str = "crates/tachograph/src/";

/// The folders in the order in which a sample travels: each may use those before it.
const ORDER: &str =
    "sync time drops series lane record prometheus_names read aggregate run testing";

/// Files outside the folders that every folder may use.
const EVERYWHERE: &str = "limits";

/// The modules that each module's file uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(sources: &[Source]) -> Result<String> {
    let (uses, mut problems) = uses(sources);
    problems
        .extend(uses.iter().flat_map(|(from, to)| to.iter().filter_map(|to| wrong_way(from, to))));
    let files = uses.len();
    let circles = circles(uses).into_iter().collect::<Vec<_>>().join(", ");
    if !circles.is_empty() {
        problems.push(format!("files use each other in a circle: {circles}; move what they share"));
    }
    outcome(&problems, format!("{files} files, no circle"))
}

fn folder(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

fn wrong_way(from: &str, to: &str) -> Option<String> {
    let place = |module| ORDER.split(' ').position(|known| known == folder(module));
    // The crate's root is not a folder: it re-exports what the folders have.
    let from_place = place(from)?;
    let fine = folder(to) == EVERYWHERE || place(to).is_some_and(|to| to <= from_place);
    (!fine).then(|| format!("{from} uses {to}: a folder uses only earlier ones ({ORDER})"))
}

fn uses(sources: &[Source]) -> (Uses, Vec<String>) {
    let files = sources.iter().filter_map(|source| Some((module(&source.path)?, source)));
    let files: BTreeMap<_, _> = files.collect();
    let (mut uses, mut problems) = (Uses::new(), Vec::new());
    for (module, source) in files.iter().filter(|(module, _)| folder(module) != "testing") {
        let used = uses.entry(module.clone()).or_default();
        // Unit tests may use anything.
        let end = source.unit_tests().unwrap_or(usize::MAX);
        for (line, code) in source.code().take_while(|(line, _)| *line < end) {
            let paths = code.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
            // What an inner module takes from its own file leads nowhere else.
            for path in paths.filter(|path| path.contains("::") && *path != "super::") {
                used.extend(leads_into(module, path).find(|it| files.contains_key(it)));
            }
            if code.contains("crate::{") {
                problems.push(format!("{}:{line}: write a `use` for each file", source.path));
            }
        }
        used.remove(module);
    }
    (uses, problems)
}

/// The module of a file in the core; `None` for the root and for other crates.
fn module(path: &str) -> Option<String> {
    let path = path.strip_prefix(CORE)?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    (!["lib", "guide"].contains(&path)).then(|| path.replace('/', "::"))
}

/// The modules that a path in a module's file may lead into, the longest first.
fn leads_into(module: &str, path: &str) -> impl Iterator<Item = String> {
    let (parent, _) = module.rsplit_once("::").unwrap_or_default();
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    let whole = match first {
        "crate" => rest.to_owned(),
        "super" => format!("{parent}::{rest}"),
        _ => format!("{module}::{path}"),
    };
    let ends: Vec<_> = whole.match_indices("::").map(|(end, _)| end).chain([whole.len()]).collect();
    ends.into_iter().rev().map(move |end| whole[..end].to_owned())
}

/// The files that use each other in circles: those that are left when files that use, or are used
/// by, none of the others are taken away.
fn circles(mut uses: Uses) -> BTreeSet<String> {
    loop {
        let used: BTreeSet<_> = uses.values().flatten().cloned().collect();
        let left: BTreeSet<_> = uses.keys().filter(|it| used.contains(*it)).cloned().collect();
        let before = uses.len();
        uses.retain(|module, to| {
            to.retain(|to| left.contains(to));
            left.contains(module) && !to.is_empty()
        });
        if uses.len() == before {
            return left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source::new(&format!("{CORE}{path}"), *text);
        let sources: Vec<_> = files.iter().map(source).collect();
        let outcome = check(&sources).map_err(|error| error.to_string());
        outcome.err().map_or(Vec::new(), |told| told.lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_folder_that_uses_a_later_one_is_told_unless_in_tests() {
        let late = "use crate::limits::MAX;\nuse crate::run::engine::{self, Core};";
        let engine = ("run/engine.rs", "pub struct Core;");
        let limits = ("limits.rs", "");
        assert_eq!(told(&[("lane/block.rs", late), engine, limits]).len(), 1);
        assert_eq!(
            told(&[("lane/block.rs", "fn f() { crate::run::engine::g(); }"), engine]).len(),
            1
        );
        let test = format!("#[cfg(test)]\nmod tests {{\n{late}\n}}");
        assert!(told(&[("lane/block.rs", &test), engine, limits]).is_empty());
        assert!(told(&[("testing/models.rs", late), engine, limits]).is_empty());
        assert_eq!(told(&[("lane/block.rs", "use crate::{run::engine::Core};"), engine]).len(), 1);
    }

    #[test]
    fn a_circle_is_told_whichever_way_its_files_are_named() {
        let a = ("read/a.rs", "use crate::read::b::B;");
        let b = ("read/b.rs", "use super::c;");
        assert!(
            told(&[a, b, ("read/c.rs", "use crate::sync::X;"), ("sync/mod.rs", "")]).is_empty()
        );
        let c = ("read/c.rs", "mod d { use crate::read::a::A; }");
        let told = told(&[a, b, c, ("read/d.rs", "use super::a;")]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(" read::a, read::b, read::c;"), "{told:?}");
    }

    #[test]
    fn a_file_may_use_a_part_of_itself_and_the_part_it_but_not_both() {
        let parent = "mod part;\npub struct Whole;";
        let part = ("read/whole/part.rs", "use super::Whole;");
        assert!(told(&[("read/whole.rs", parent), part]).is_empty());
        let both = "mod part;\nuse part::Part;";
        assert_eq!(told(&[("read/whole.rs", both), part]).len(), 1);
    }
}
