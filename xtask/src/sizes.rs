//! Whether files and functions stay small enough to be read in one go.
//!
//! Lines are lines of code: no blank ones, no comments.

use crate::source::Source;
use crate::steps::Outcome;
use crate::tidy::outcome;

/// Lines of a file, without its unit tests.
const FILE: usize = 400;

/// Lines of a function.
const FUNCTION: usize = 70;

/// Lines of a file's unit tests. About 60 is the habit.
const UNIT_TESTS: usize = 75;

pub(crate) fn check(sources: &[Source]) -> Outcome {
    let problems: Vec<_> = sources.iter().flat_map(problems).collect();
    outcome(&problems, String::new())
}

fn problems(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut problems = Vec::new();
    let tests = source.unit_tests().map_or(0, |(first, last)| source.code_lines(first, last));
    let code = source.code_lines(1, source.lines.len()) - tests;
    if code > FILE {
        problems.push(format!(
            "{path}: {code} lines of code, at most {FILE}: move one of its nouns to a file of its own"
        ));
    }
    if let Some((line, _)) = source.unit_tests()
        && tests > UNIT_TESTS
    {
        problems.push(format!(
            "{path}:{line}: {tests} lines of unit tests, at most {UNIT_TESTS}: move them to tests/, \
             or split the file"
        ));
    }
    for function in source.functions() {
        let code = source.code_lines(function.first, function.last);
        if code > FUNCTION {
            let (line, name) = (function.first, &function.name);
            problems.push(format!(
                "{path}:{line}: `{name}` has {code} lines of code, at most {FUNCTION}: name its \
                 parts and make them functions"
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        problems(&Source::parse("a.rs", text).expect("Rust"))
    }

    #[test]
    fn a_file_may_have_as_much_code_as_fits_and_any_number_of_comments() {
        let fits = "//! x\n\n".repeat(50) + &"use x as _;\n".repeat(FILE);
        assert_eq!(told(&fits), [""; 0]);
        let expected = "a.rs: 401 lines of code, at most 400: move one of its nouns to a file of \
                        its own";
        assert_eq!(told(&(fits + "use x as _;\n")), [expected]);
    }

    #[test]
    fn a_function_is_told_by_its_name_wherever_it_is() {
        let function =
            |lines: usize| format!("fn long() {{\n{}}}\n", "x();\n// y\n\n".repeat(lines));
        assert_eq!(told(&function(FUNCTION - 2)), [""; 0]);
        let expected = "`long` has 71 lines of code, at most 70: name its parts and make them \
                        functions";
        let long = function(FUNCTION - 1);
        assert_eq!(told(&long), [format!("a.rs:1: {expected}")]);
        assert_eq!(told(&format!("impl A {{\n{long}}}")), [format!("a.rs:2: {expected}")]);
        assert_eq!(told(&format!("trait A {{\n{long}}}")), [format!("a.rs:2: {expected}")]);
    }

    #[test]
    fn unit_tests_are_no_part_of_the_file_and_have_a_limit_of_their_own() {
        let tests = |lines| {
            let code = "use x as _;\n".repeat(FILE);
            format!("{code}#[cfg(test)]\nmod tests {{\n{}}}\n", "use y as _;\n".repeat(lines))
        };
        assert_eq!(told(&tests(UNIT_TESTS - 3)), [""; 0]);
        let expected = "a.rs:401: 76 lines of unit tests, at most 75: move them to tests/, or \
                        split the file";
        assert_eq!(told(&tests(UNIT_TESTS - 2)), [expected]);
    }
}
