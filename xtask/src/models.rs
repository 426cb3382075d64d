//! The models of `loom-tests`: what each is called, and whether it can stop looking unseen.

use crate::source::Source;

/// Where they are.
const MODELS: &str = "loom-tests/tests/";

/// A model that sees one execution sees no two threads meet.
const FLOOR_MIN: usize = 2;

/// The models' names. Each test of theirs runs one, by `check`, which prints its executions and
/// fails below its floor.
pub(crate) fn names(sources: &[Source], problems: &mut Vec<String>) -> Vec<String> {
    let mut names = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with(MODELS)) {
        let checks: Vec<_> = checks(source).collect();
        for test in tests(source) {
            let of_test = checks.iter().filter(|check| test.contains(&check.line));
            if of_test.count() != 1 {
                let path = &source.path;
                problems.push(format!(
                    "{path}:{}: a test here runs one model, by one `check`",
                    test.start
                ));
            }
        }
        for Check { name, floor, line } in checks {
            let path = &source.path;
            if floor < FLOOR_MIN {
                problems.push(format!("{path}:{line}: the floor of `{name}` shows nothing"));
            }
            if names.contains(&name) {
                problems.push(format!("{path}:{line}: two models are called `{name}`"));
            }
            names.push(name);
        }
    }
    names
}

struct Check {
    name: String,
    floor: usize,
    line: usize,
}

/// Calls of `check`, each with a name and a floor in plain sight.
fn checks(source: &Source) -> impl Iterator<Item = Check> {
    source.find(&["check", "("]).map(|found| {
        let text = |i: usize| found.get(i).map_or("", |token| token.text.as_str());
        Check {
            name: text(2).trim_matches('"').to_owned(),
            // 0 where it is no number, which is told.
            floor: text(4).replace('_', "").parse().unwrap_or(0),
            line: found[0].line,
        }
    })
}

/// The lines of each test.
fn tests(source: &Source) -> impl Iterator<Item = std::ops::Range<usize>> {
    let starts = source.find(&["#", "[", "test", "]"]).map(|found| found[0].line);
    let functions = source.functions();
    starts.filter_map(move |start| {
        let function = functions.iter().find(|function| function.first > start)?;
        Some(function.first..function.last + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Vec<String>, Vec<String>) {
        let mut problems = Vec::new();
        let source = Source::parse("loom-tests/tests/a.rs", text).expect("Rust");
        (names(&[source], &mut problems), problems)
    }

    #[test]
    fn a_test_without_a_model_and_a_floor_that_shows_nothing_are_told() {
        let fine = "#[test]\nfn a() {\n    check(\"one\", 1_200, || {});\n}\n";
        assert_eq!(told(fine), (vec!["one".to_owned()], vec![]));
        let (_, without) = told("#[test]\nfn a() {\n    body();\n}\n");
        assert_eq!(
            without,
            ["loom-tests/tests/a.rs:2: a test here runs one model, by one `check`"]
        );
        let (_, low) = told(&fine.replace("1_200", "1"));
        assert_eq!(low, ["loom-tests/tests/a.rs:3: the floor of `one` shows nothing"]);
        let (_, twice) = told(&format!("{fine}{fine}"));
        assert_eq!(twice, ["loom-tests/tests/a.rs:7: two models are called `one`"]);
    }
}
