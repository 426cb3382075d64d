//! Checks that files stay small enough to read in one go. Clippy limits the length of functions.

use anyhow::Result;

use super::source::Source;
use crate::steps::outcome;

/// Upper bound for the code lines of a file without its unit tests.
const FILE: usize = 400;

/// Upper bound for the lines of a file's unit tests. About 60 is usual.
const UNIT_TESTS: usize = 75;

pub(super) fn check(sources: &[Source]) -> Result<String> {
    let problems: Vec<_> = sources.iter().filter_map(problem).collect();
    outcome(&problems, "")
}

fn problem(source: &Source) -> Option<String> {
    let path = &source.path;
    let first = source.unit_tests().unwrap_or(usize::MAX);
    let (code, tests): (Vec<_>, Vec<_>) = source.code().partition(|(line, _)| *line < first);
    if code.len() > FILE {
        let lines = code.len();
        return Some(format!(
            "{path}: {lines} lines of code, at most {FILE}: move one of its types to its own file"
        ));
    }
    (tests.len() > UNIT_TESTS).then(|| {
        let lines = tests.len();
        format!(
            "{path}:{first}: {lines} lines of unit tests, at most {UNIT_TESTS}: move them to tests/"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(code: usize, tests: usize) -> bool {
        let (code, tests) = ("use a;\n// x\n\n".repeat(code), "use b;\n".repeat(tests));
        let text = format!("{code}#[cfg(test)]\nmod tests {{\n{tests}}}\n");
        problem(&Source::new("a.rs", text)).is_some()
    }

    #[test]
    fn code_and_unit_tests_have_a_limit_each() {
        assert!(!is_told(FILE, UNIT_TESTS - 3));
        assert!(is_told(FILE + 1, 0));
        assert!(is_told(0, UNIT_TESTS - 2));
    }
}
