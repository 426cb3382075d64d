//! Which files may hold unsafe code, and whether each piece of it says why it is sound.

use crate::source::{Source, Token};
use crate::steps::Outcome;
use crate::tidy::outcome;

/// Files, or folders, that may; why.
const MAY: [(&str, &str); 12] = [
    ("benches/src/stamps.rs", "a fence around reads of the time-stamp counter"),
    ("crates/live-set/tests/memory.rs", "a counting allocator"),
    (
        "crates/tachograph/src/fork.rs",
        "being told of forks, and threads that survive them, are C's",
    ),
    ("crates/tachograph/src/model.rs", "loom's own check that no store is concurrent"),
    ("crates/tachograph/tests/allocator.rs", "an allocator that records"),
    ("crates/tachograph/tests/fork.rs", "forking is a foreign call"),
    ("crates/tachograph/tests/fork_and_std.rs", "forking, with an allocator that waits"),
    ("crates/tachograph/tests/global_allocator.rs", "an allocator that records"),
    ("crates/tachograph/tests/invisible.rs", "a counting allocator"),
    ("crates/tachograph/tests/signals.rs", "a signal handler"),
    ("crates/tachograph-c/", "a C interface"),
    ("crates/tachograph-loop/src/stall.rs", "asking a stalled thread for its stack is a signal"),
];

/// Packages that lift the ban for such a file, so they cannot forbid it for good.
const DENY: [&str; 3] = ["benches/", "crates/tachograph/", "crates/tachograph-loop/"];

/// Code between a piece of unsafe code and its comment: a statement's first lines.
const CODE_BETWEEN: usize = 2;

pub(crate) fn check(sources: &[Source]) -> Outcome {
    let mut pieces = 0;
    let mut problems = Vec::new();
    for source in sources {
        problems.extend(ban(source));
        pieces += check_pieces(source, &mut problems);
    }
    outcome(&problems, format!("{pieces} pieces, each in its place and justified"))
}

/// What a crate's root must have and has not.
fn ban(source: &Source) -> Option<String> {
    let path = &source.path;
    let (folder, file) = path.rsplit_once("src/")?;
    let is_root = ["lib.rs", "main.rs"].contains(&file) || file.starts_with("bin/");
    if !is_root || may(path) {
        return None;
    }
    let level = if DENY.contains(&folder) { "deny" } else { "forbid" };
    let words = ["#", "!", "[", level, "(", "unsafe_code", ")", "]"];
    let told = format!("{path}: has no `#![{level}(unsafe_code)]`");
    source.find(&words).next().is_none().then_some(told)
}

fn may(path: &str) -> bool {
    MAY.iter().any(|(place, _)| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

/// Checks each piece of unsafe code; says how many there are.
fn check_pieces(source: &Source, problems: &mut Vec<String>) -> usize {
    let path = &source.path;
    for lifted in ["allow", "expect", "warn"] {
        for found in source.find(&[lifted, "(", "unsafe_code"]).filter(|_| !may(path)) {
            let line = found[0].line;
            problems.push(format!("{path}:{line}: lifts the ban on unsafe code: {OTHERWISE}"));
        }
    }
    let mut pieces = 0;
    for found in source.find(&["unsafe"]).filter(|found| needs_comment(source, found)) {
        pieces += 1;
        let line = found[0].line;
        if !may(path) {
            problems.push(format!("{path}:{line}: unsafe code: {OTHERWISE}"));
        }
        let is_reason =
            |comment: &str| comment.contains("SAFETY: ") || comment.contains("# Safety");
        if !source.comments_above(line, CODE_BETWEEN).any(is_reason) {
            problems.push(format!(
                "{path}:{line}: unsafe code without a reason: say in a comment above it, after \
                 `SAFETY: `, why it is sound (`# Safety` in the documentation of a function: what \
                 its caller must see to)"
            ));
        }
    }
    pieces
}

const OTHERWISE: &str =
    "do without it, or add the file to `MAY` in xtask/src/unsafety.rs with a reason";

/// Whether the tokens, of which the first is `unsafe`, are code that could be unsound: no
/// attribute, no type of a function, and not a method that has the contract of its trait.
fn needs_comment(source: &Source, tokens: &[Token]) -> bool {
    let mut next = tokens.iter().skip(1).map(|token| token.text.as_str());
    match next.next() {
        Some("(") => false,
        Some("fn") => next.next() != Some("(") && !in_unsafe_impl(source, &tokens[0]),
        _ => true,
    }
}

/// Whether a token lies between the braces of an `unsafe impl`.
fn in_unsafe_impl(source: &Source, token: &Token) -> bool {
    source.find(&["unsafe", "impl"]).any(|tokens| {
        let mut depth = 0_usize;
        let body = tokens.iter().skip_while(|token| token.text != "{");
        let mut inside = body.take_while(|token| {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            depth > 0
        });
        inside.any(|other| std::ptr::eq(other, token))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &str = "crates/tachograph/tests/invisible.rs";

    fn told(path: &str, text: &str) -> (usize, Vec<String>) {
        let source = Source::parse(path, text).expect("Rust");
        let mut problems = Vec::new();
        let pieces = check_pieces(&source, &mut problems);
        problems.extend(ban(&source));
        (pieces, problems)
    }

    #[test]
    fn every_root_bans_unsafe_code() {
        assert_eq!(told("crates/a/src/lib.rs", "#![forbid(unsafe_code)]").1, [""; 0]);
        assert_eq!(told("crates/a/src/a.rs", "").1, [""; 0]);
        for path in ["crates/a/src/lib.rs", "xtask/src/main.rs", "fuzz/src/bin/b.rs"] {
            let expected = format!("{path}: has no `#![forbid(unsafe_code)]`");
            assert_eq!(told(path, "#![deny(unsafe_code)]").1, [expected]);
        }
        assert_eq!(told("crates/tachograph/src/lib.rs", "#![deny(unsafe_code)]").1, [""; 0]);
        assert_eq!(told("crates/tachograph-c/src/lib.rs", "").1, [""; 0]);
    }

    #[test]
    fn unsafe_code_out_of_its_place_is_told_even_in_a_macro() {
        let text = "// SAFETY: none.\nm!(unsafe { f() });\n#[allow(unsafe_code)]\nmod a {}\n";
        let (pieces, problems) = told("crates/a/src/a.rs", text);
        let expected = [
            format!("crates/a/src/a.rs:3: lifts the ban on unsafe code: {OTHERWISE}"),
            format!("crates/a/src/a.rs:2: unsafe code: {OTHERWISE}"),
        ];
        assert_eq!((pieces, problems), (1, expected.to_vec()));
        assert_eq!(told(ALLOWED, text), (1, Vec::new()));
    }

    #[test]
    fn a_block_an_impl_and_a_function_without_a_reason_are_told() {
        let lines = |text| {
            let problems = told(ALLOWED, text).1;
            let line = |told: &String| told.split(':').nth(1).and_then(|line| line.parse().ok());
            problems.iter().filter_map(line).collect::<Vec<u32>>()
        };
        let bare = "fn f() {\n    unsafe { g() }\n}\nunsafe impl A for B {\n    unsafe fn of() {}\n}\n\
                    type C = unsafe fn();\nunsafe fn d() {}\n";
        assert_eq!(lines(bare), [2, 4, 8]);
        let justified = "fn f() {\n    // SAFETY: x.\n    let y =\n        unsafe { g() };\n}\n\
                         // SAFETY: long,\n// x.\nunsafe impl A for B {}\n\
                         /// D.\n///\n/// # Safety\n/// X.\n#[inline]\nunsafe fn d() {}\n";
        assert_eq!(lines(justified), [0; 0]);
    }
}
