//! Checks which files contain unsafe code. Clippy makes sure that each block has a `SAFETY:`
//! comment.

use anyhow::Result;

use super::source::Source;
use crate::steps::outcome;

/// The files or folders that may, each with the reason.
const MAY: &[(&str, &str)] = &[
    ("benches/src/stamps.rs", "a fence around reads of the time-stamp counter"),
    ("crates/live-set/tests/memory.rs", "a counting allocator"),
    ("crates/tachograph/examples/plugin.rs", "functions that a loader finds by their names"),
    ("crates/tachograph/src/run/background.rs", "threads that work in the child of a fork are C's"),
    ("crates/tachograph/src/run/fork.rs", "`pthread_atfork`, and locks that are kept over a fork"),
    ("crates/tachograph/src/sync/pages.rs", "memory from the system is C's"),
    ("crates/tachograph/src/sync/stand_ins.rs", "loom's own check that no store is concurrent"),
    ("crates/tachograph/tests/allocator.rs", "an allocator that records"),
    ("crates/tachograph/tests/background.rs", "real-time scheduling is C's"),
    ("crates/tachograph/tests/fork.rs", "forking is a foreign call"),
    ("crates/tachograph/tests/fork_moments.rs", "forking, with an allocator that waits and counts"),
    ("crates/tachograph/tests/fork_and_std.rs", "forking, with an allocator that waits"),
    ("crates/tachograph/tests/global_allocator.rs", "an allocator that records"),
    ("crates/tachograph/tests/memory_reported.rs", "a counting allocator"),
    ("crates/tachograph/tests/signals.rs", "a signal handler"),
    ("crates/tachograph/tests/unload.rs", "loading and unloading a library are foreign calls"),
    ("crates/tachograph-c/", "a C interface"),
    ("crates/tachograph-loop/src/stall/signal.rs", "asking a thread for its stack is a signal"),
    ("crates/tachograph-loop/tests/hostile_frames.rs", "a register is set by assembly"),
    ("crates/tachograph-loop/tests/torture.rs", "loading libraries is a foreign call"),
];

/// Packages with such a file lift the ban there, so they use `deny` instead of `forbid`.
const DENY: [&str; 3] = ["benches/", "crates/tachograph/", "crates/tachograph-loop/"];

pub(super) fn check(sources: &[Source]) -> Result<String> {
    let problems: Vec<_> = sources.iter().flat_map(problems).collect();
    outcome(&problems, format!("in at most {} places", MAY.len()))
}

fn problems(source: &Source) -> Vec<String> {
    let path = &source.path;
    if MAY
        .iter()
        .any(|(place, _)| path == place || (place.ends_with('/') && path.starts_with(place)))
    {
        return Vec::new();
    }
    let mut problems = Vec::new();
    // Lints do not see inside macros. A line with quotes may only mention `unsafe`.
    for (line, code) in source.code().filter(|(_, code)| !code.contains('"')) {
        let words = || code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let lifts = words().any(|word| word == "unsafe_code") && !code.starts_with("#![");
        if lifts || words().any(|word| word == "unsafe") {
            problems.push(format!(
                "{path}:{line}: unsafe code: do without it, or add the file to `MAY` in \
                 xtask/src/checks/unsafety.rs with a reason"
            ));
        }
    }
    if let Some((folder, file)) = path.rsplit_once("src/")
        && (["lib.rs", "main.rs"].contains(&file) || file.starts_with("bin/"))
    {
        let level = if DENY.contains(&folder) { "deny" } else { "forbid" };
        let ban = format!("#![{level}(unsafe_code)]");
        if !source.code().any(|(_, code)| code == ban) {
            problems.push(format!("{path}: has no `{ban}`"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> usize {
        problems(&Source::new(path, text)).len()
    }

    #[test]
    fn every_root_bans_unsafe_code() {
        for path in ["crates/a/src/lib.rs", "xtask/src/main.rs", "fuzz/src/bin/b.rs"] {
            assert_eq!(told(path, "#![forbid(unsafe_code)]"), 0);
            assert_eq!(told(path, "#![deny(unsafe_code)]"), 1);
        }
        assert_eq!(told("crates/tachograph/src/lib.rs", "#![deny(unsafe_code)]"), 0);
        assert_eq!(told("crates/tachograph-c/src/lib.rs", ""), 0);
    }

    #[test]
    fn unsafe_code_out_of_its_place_is_told_even_in_a_macro() {
        let text = "// SAFETY: none.\nm!(unsafe { f() });\n#[allow(unsafe_code)]\nmod a {}\n";
        assert_eq!(told("crates/a/src/a.rs", text), 2);
        assert_eq!(told("crates/tachograph/tests/allocator.rs", text), 0);
        assert_eq!(told("crates/a/src/a.rs", "let a = \"unsafe\"; // unsafe"), 0);
    }
}
