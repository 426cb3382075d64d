//! Whether `docs/CONCURRENCY.md` has every word that threads share, every model and every seeded
//! bug, and none that is gone.

use std::collections::BTreeSet;

use crate::bugs::Bug;
use crate::source::Source;
use crate::steps::Outcome;
use crate::tidy::outcome;
use crate::{models, shared};

pub(crate) const PAGE: &str = "docs/CONCURRENCY.md";

/// Where the table of words begins and where that of seeded bugs does.
const WORDS: &str = "## Every shared word";
const BUGS: &str = "## Every seeded bug";

/// How a row begins its reason for having no model.
const NO_MODEL: &str = "none: ";

pub(crate) fn check(page: &str, sources: &[Source], bugs: &[Bug]) -> Outcome {
    let mut problems = Vec::new();
    let models: BTreeSet<_> = models::names(sources, &mut problems).into_iter().collect();
    let words = shared::words(sources, &mut problems);
    let (rows, seeded) = (rows(page, WORDS), rows(page, BUGS));

    let on_page: BTreeSet<_> = rows.iter().map(|row| place(row)).collect();
    compare(&on_page, &words, "the table of words", &mut problems);
    if on_page.len() < rows.len() {
        problems.push(format!("{PAGE}: a word has two rows"));
    }
    let mut named = BTreeSet::new();
    for row in &rows {
        let last = row.last().copied().unwrap_or_default();
        if last.starts_with(NO_MODEL) {
            continue;
        }
        let of_row = code(last);
        if of_row.is_empty() {
            let place = place(row);
            problems.push(format!("{PAGE}: `{place}` names no model, nor why: `{NO_MODEL}…`"));
        }
        named.extend(of_row);
    }
    // Some are about no word, but named where their protocol is told.
    named.extend(code(page).into_iter().filter(|name| models.contains(name)));
    compare(&named, &models, "the models", &mut problems);

    let on_page = seeded.iter().filter_map(|row| row.first());
    let on_page: BTreeSet<_> = on_page.map(|name| (*name).to_owned()).collect();
    let bugs: BTreeSet<_> = bugs.iter().map(|bug| bug.name.clone()).collect();
    compare(&on_page, &bugs, "the table of seeded bugs", &mut problems);
    for row in &seeded {
        let hit: Vec<_> = row.get(1).map(|it| code(it)).unwrap_or_default();
        let unknown = hit.iter().filter(|hit| !words.iter().any(|word| word.ends_with(&***hit)));
        problems.extend(unknown.map(|hit| format!("{PAGE}: a bug hits `{hit}`, which is no word")));
    }
    let remark = [(words.len(), "words"), (models.len(), "models"), (bugs.len(), "seeded bugs")];
    outcome(&problems, remark.map(|(count, of)| format!("{count} {of}")).join(", "))
}

fn compare(
    page: &BTreeSet<String>,
    real: &BTreeSet<String>,
    what: &str,
    problems: &mut Vec<String>,
) {
    let gone = page.difference(real).map(|it| format!("{PAGE}: {what}: `{it}` does not exist"));
    problems.extend(gone);
    let missing = real.difference(page).map(|it| format!("{PAGE}: {what}: `{it}` is missing"));
    problems.extend(missing);
}

/// The cells of each row of the tables under a heading, without their titles.
fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let section = page.split_once(heading).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines: Vec<_> = section.lines().map(|line| line.strip_prefix("| ")).collect();
    let titles = |i: usize| section.lines().nth(i + 1).is_some_and(|it| it.starts_with("|---"));
    let rows = lines.iter().enumerate().filter(|(i, _)| !titles(*i)).filter_map(|(_, line)| *line);
    rows.map(|row| row.strip_suffix('|').unwrap_or(row).split('|').map(str::trim).collect())
        .collect()
}

/// A word's file and path, from the first cell.
fn place(row: &[&str]) -> String {
    row.first().map(|cell| code(cell).join(" ")).unwrap_or_default()
}

/// What stands in backticks.
fn code(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The model `two` is about no word.\n\n## Every shared word\n\n\
                        | where | models |\n|---|---|\n| `a.rs` `A::word` | `one` |\n\n\
                        ## Every seeded bug\n\n| bug | hits |\n|---|---|\n| a slip | `A::word` |\n";

    fn told(page: &str) -> Vec<String> {
        let model = |name: &str| format!("#[test]\nfn f() {{ check(\"{name}\", 9, || {{}}); }}\n");
        let files = [
            ("crates/tachograph/src/a.rs", "struct A { word: AtomicU64 }".to_owned()),
            ("loom-tests/tests/a.rs", model("one")),
            ("loom-tests/tests/b.rs", model("two")),
        ];
        let parse = |(path, text): (&str, String)| Source::parse(path, &text).expect("Rust");
        let bugs = [Bug { name: "a slip".to_owned(), ..Bug::default() }];
        let outcome = check(page, &files.map(parse), &bugs);
        outcome.err().map(|it| it.lines().map(str::to_owned).collect()).unwrap_or_default()
    }

    #[test]
    fn a_page_that_has_all_is_fine() {
        assert_eq!(told(TEXT), [""; 0]);
    }

    #[test]
    fn what_only_the_page_or_only_the_code_has_is_told() {
        let page = "docs/CONCURRENCY.md";
        let of = |what: &str, name: &str, how: &str| format!("{page}: {what}: `{name}` {how}");
        let cases = [
            (
                TEXT.replace("| `a.rs` `A::word` |", "| `a.rs` `A::other` |"),
                vec![
                    of("the table of words", "a.rs A::other", "does not exist"),
                    of("the table of words", "a.rs A::word", "is missing"),
                ],
            ),
            (
                TEXT.replace("`one`", "`on`"),
                vec![
                    of("the models", "on", "does not exist"),
                    of("the models", "one", "is missing"),
                ],
            ),
            (TEXT.replace("`two`", "two"), vec![of("the models", "two", "is missing")]),
            (
                TEXT.replace("a slip", "a trip"),
                vec![
                    of("the table of seeded bugs", "a trip", "does not exist"),
                    of("the table of seeded bugs", "a slip", "is missing"),
                ],
            ),
            (
                TEXT.replace("| a slip | `A::word` |", "| a slip | `A::lost` |"),
                vec![format!("{page}: a bug hits `A::lost`, which is no word")],
            ),
        ];
        for (text, problems) in cases {
            assert_eq!(told(&text), problems);
        }
    }

    #[test]
    fn a_row_says_which_model_or_why_there_is_none() {
        let without =
            |cell: &str| told(&TEXT.replace("| `one` |", cell).replace("`two`", "`two` `one`"));
        assert_eq!(without("| none: it stands for itself |"), [""; 0]);
        let told = "docs/CONCURRENCY.md: `a.rs A::word` names no model, nor why: `none: …`";
        assert_eq!(without("| |"), [told]);
    }
}
