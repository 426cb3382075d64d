//! Whether the core's atomics come through its one door, and each ordering is explained.

use crate::source::Source;
use crate::steps::Outcome;
use crate::tidy::outcome;

/// What only the doors may name atomics in.
const CORE: &str = "crates/tachograph/src/";

/// Files that may name std's or loom's atomics: the door, and the stand-ins behind it. Their
/// orderings are explained as everyone's.
const DOORS: [&str; 2] = ["crates/tachograph/src/sync.rs", "crates/tachograph/src/model.rs"];

/// Modules and crates that give atomics.
const ATOMICS: [&str; 4] = ["atomic", "atomic_float", "loom", "portable_atomic"];

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// An ordering has its comment in the lines before it, no further up than this.
const COMMENT_WITHIN: usize = 4;

/// Checks every file but integration tests and examples, which explain nothing but themselves.
pub(crate) fn check(sources: &[Source]) -> Outcome {
    let mut problems = Vec::new();
    let mut orderings = 0;
    let is_product = |path: &str| !path.contains("/examples/") && !is_test(path);
    for source in sources.iter().filter(|source| is_product(&source.path)) {
        second_door(source, &mut problems);
        orderings += unexplained(source, &mut problems);
    }
    outcome(&problems, format!("{orderings} orderings, each explained"))
}

/// Tests of crates; the models of `loom-tests` are what that crate is there for.
fn is_test(path: &str) -> bool {
    path.starts_with("crates/") && path.contains("/tests/")
}

fn second_door(source: &Source, problems: &mut Vec<String>) {
    let path = &source.path;
    if !path.starts_with(CORE) || DOORS.contains(&path.as_str()) {
        return;
    }
    let named = source.tokens.iter().filter(|token| ATOMICS.contains(&token.text.as_str()));
    let told = named.map(|token| {
        let (line, text) = (token.line, &token.text);
        format!("{path}:{line}: names `{text}`: atomics come through sync.rs, export them there")
    });
    problems.extend(told);
}

/// Checks each ordering; says how many there are.
fn unexplained(source: &Source, problems: &mut Vec<String>) -> usize {
    let path = &source.path;
    let mut orderings = 0;
    for found in source.find(&["Ordering", ":", ":"]) {
        let line = found[0].line;
        let name = found.get(3).map_or("", |token| token.text.as_str());
        // `Ordering::{Acquire, …}`, of which the uses could not be found.
        let imported = found.iter().skip(3).take_while(|token| token.text != "}");
        let is_ordering = |text: &str| ORDERINGS.contains(&text);
        if name == "{" && imported.into_iter().any(|token| is_ordering(&token.text)) {
            problems.push(format!("{path}:{line}: orderings are written in full: `Ordering::…`"));
        }
        if !is_ordering(name) {
            continue;
        }
        orderings += 1;
        let before = &source.lines[line.saturating_sub(COMMENT_WITHIN + 1)..line - 1];
        let comments = before.iter().filter_map(|line| Some(line.split_once("//")?.1));
        if !comments.into_iter().any(|comment| comment.contains(name)) {
            problems.push(format!(
                "{path}:{line}: {name} has no line that says why: add `// {name}: …` above it, \
                 with what it pairs with"
            ));
        }
    }
    orderings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Outcome {
        check(&[Source::parse(path, text).expect("Rust")])
    }

    #[test]
    fn an_ordering_without_its_line_and_a_second_door_are_told() {
        let text = "use std::sync::{Arc, atomic::AtomicU8};\nfn f() {\n\
                    x.load(Ordering::Acquire);\n// Release: pairs with something.\n\
                    x.store(1, Ordering::Release);\n}\n";
        let door = "crates/tachograph/src/a.rs:1: names `atomic`: atomics come through sync.rs, \
                    export them there\n";
        let ordering = |path: &str| {
            let told = "Acquire has no line that says why: add `// Acquire: …` above it, with what \
                        it pairs with";
            format!("{path}:3: {told}")
        };
        let core = "crates/tachograph/src/a.rs";
        assert_eq!(told(core, text), Err(door.to_owned() + &ordering(core)));
        for path in [DOORS[1], "crates/ast-server/src/a.rs", "benches/src/a.rs"] {
            assert_eq!(told(path, text), Err(ordering(path)));
        }
        let explained = text.replace("fn f() {", "fn f() { // Acquire: x");
        assert_eq!(
            told("loom-tests/tests/a.rs", &explained),
            Ok("2 orderings, each explained".to_owned())
        );
        assert!(told("crates/tachograph/tests/a.rs", text).is_ok(), "a test");
    }

    #[test]
    fn a_comment_too_far_up_or_of_another_ordering_does_not_count() {
        let text = |comment: &str, lines| {
            format!(
                "fn f() {{\n// {comment}: x\n{}x.load(Ordering::Acquire);\n}}",
                "y();\n".repeat(lines)
            )
        };
        let path = "benches/src/a.rs";
        assert!(told(path, &text("Acquire", COMMENT_WITHIN - 1)).is_ok());
        assert!(told(path, &text("Acquire", COMMENT_WITHIN)).is_err());
        assert!(told(path, &text("Release", 0)).is_err());
    }

    #[test]
    fn orderings_that_are_imported_by_name_are_told_and_those_of_comparisons_are_not() {
        let path = "benches/src/a.rs";
        let told_of = told(path, "use std::sync::atomic::Ordering::{self, Acquire};");
        assert!(
            told_of.is_err_and(|it| it.starts_with("benches/src/a.rs:1: orderings are written"))
        );
        assert!(told(path, "use std::sync::atomic::Ordering::Acquire;").is_err());
        let compared =
            "use std::cmp::Ordering::{Less, Greater};\nconst A: Ordering = Ordering::Less;";
        assert_eq!(told(path, compared), Ok("0 orderings, each explained".to_owned()));
    }
}
