//! Checks that the core's atomics come through `sync/door.rs` and that each ordering is explained.

use anyhow::Result;

use super::source::Source;
use crate::steps::outcome;

/// In this folder only the doors may name atomics.
const CORE: &str = "crates/tachograph/src/";

/// Files that may name std's or loom's atomics: the door and the stand-ins behind it.
const DOORS: [&str; 2] =
    ["crates/tachograph/src/sync/door.rs", "crates/tachograph/src/sync/stand_ins.rs"];

/// Modules and crates that provide atomics.
const ATOMICS: [&str; 4] = ["atomic", "atomic_float", "loom", "portable_atomic"];

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// The ordering's comment is at most this many lines above it.
const COMMENT_WITHIN: usize = 4;

/// Checks every file except integration tests and examples, where orderings need no explanation.
pub(super) fn check(sources: &[Source]) -> Result<String> {
    let is_test = |path: &str| path.starts_with("crates/") && path.contains("/tests/");
    let is_product = |path: &str| !path.contains("/examples/") && !is_test(path);
    let product = sources.iter().filter(|source| is_product(&source.path));
    let (mut orderings, mut problems) = (0, Vec::new());
    for source in product {
        check_one(source, &mut orderings, &mut problems);
    }
    outcome(&problems, format!("{orderings} orderings, each explained"))
}

fn check_one(source: &Source, orderings: &mut usize, problems: &mut Vec<String>) {
    let path = &source.path;
    let is_inside = path.starts_with(CORE) && !DOORS.contains(&path.as_str());
    let lines: Vec<_> = source.text.lines().collect();
    // A line with quotes may only mention an ordering.
    for (line, code) in source.code().filter(|(_, code)| !code.contains('"')) {
        let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(name) = words.find(|word| is_inside && ATOMICS.contains(word)) {
            problems.push(format!(
                "{path}:{line}: names `{name}`: import it from sync/door.rs, the only file to name it"
            ));
        }
        let is_of = |it: &&&str| code.contains(&format!("Ordering::{it}"));
        if code.contains("Ordering::{") && ORDERINGS.iter().any(|it| code.contains(it)) {
            problems.push(format!("{path}:{line}: write orderings in full: `Ordering::…`"));
        }
        for name in ORDERINGS.iter().filter(is_of) {
            *orderings += 1;
            let before = &lines[line.saturating_sub(COMMENT_WITHIN + 1)..line - 1];
            let mut comments = before.iter().filter_map(|line| Some(line.split_once("//")?.1));
            if !comments.any(|comment| comment.contains(name)) {
                problems.push(format!(
                    "{path}:{line}: {name} has no comment that explains it: add `// {name}: …` above \
                     it, with what it pairs with"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> usize {
        let mut problems = Vec::new();
        check_one(&Source::new(path, text), &mut 0, &mut problems);
        problems.len()
    }

    #[test]
    fn an_ordering_without_its_line_and_a_second_door_are_told() {
        let text = [
            "use std::sync::{Arc, atomic::AtomicU8};",
            "fn f() {",
            "x.load(Ordering::Acquire);",
            "// Release: pairs with something.",
            "x.store(1, Ordering::Release);",
            "}",
        ];
        let text = &text.join("\n");
        assert_eq!(told("crates/tachograph/src/a.rs", text), 2);
        for path in [DOORS[1], "crates/ast-server/src/a.rs", "benches/src/a.rs"] {
            assert_eq!(told(path, text), 1);
        }
        assert_eq!(told("benches/src/a.rs", &text.replace("f() {", "f() { // Acquire: x")), 0);
    }

    #[test]
    fn a_comment_too_far_up_or_of_another_ordering_does_not_count() {
        let text = |comment: &str, lines| {
            let between = "y();\n".repeat(lines);
            format!("fn f() {{\n// {comment}: x\n{between}x.load(Ordering::Acquire);\n}}")
        };
        assert_eq!(told("a.rs", &text("Acquire", COMMENT_WITHIN - 1)), 0);
        assert_eq!(told("a.rs", &text("Acquire", COMMENT_WITHIN)), 1);
        assert_eq!(told("a.rs", &text("Release", 0)), 1);
        assert_eq!(told("a.rs", "use a::Ordering::{self, Acquire};"), 1);
        assert_eq!(told("a.rs", "use std::cmp::Ordering::{Less, Greater};"), 0);
    }
}
