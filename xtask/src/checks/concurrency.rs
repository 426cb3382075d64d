//! Checks that `docs/CONCURRENCY.md` lists every word that threads share and every model, and none
//! that no longer exist.

use std::collections::BTreeSet;

use anyhow::Result;

use super::source::Source;
use super::words;
use crate::steps::outcome;

pub(super) const PAGE: &str = "docs/CONCURRENCY.md";

/// The heading above the table of words.
const WORDS: &str = "## Every shared word";

/// The prefix of a row's reason for having no model.
const NO_MODEL: &str = "none: ";

pub(super) fn check(page: &str, sources: &[Source]) -> Result<String> {
    let mut problems = Vec::new();
    let models = words::models(sources, &mut problems);
    let words = words::shared(sources)?;
    let rows = rows(page);

    let on_page: BTreeSet<_> = rows.iter().map(|row| code(row[0]).join(" ")).collect();
    compare(&on_page, &words, "word", &mut problems);
    if on_page.len() < rows.len() {
        problems.push(format!("{PAGE}: a word has two rows"));
    }
    let last = |row: &Vec<&str>| row.last().copied().unwrap_or_default().to_owned();
    for row in rows.iter().filter(|row| code(&last(row)).is_empty()) {
        if !last(row).starts_with(NO_MODEL) {
            problems
                .push(format!("{PAGE}: {} names no model and no reason: `{NO_MODEL}…`", row[0]));
        }
    }
    let mut named: BTreeSet<_> = rows
        .iter()
        .filter(|row| !last(row).starts_with(NO_MODEL))
        .flat_map(|row| code(&last(row)))
        .collect();
    // Some models belong to no word; the page names them where it explains their protocol.
    named.extend(code(page).into_iter().filter(|name| models.contains(name)));
    compare(&named, &models, "model", &mut problems);
    outcome(&problems, format!("{} words, {} models", words.len(), models.len()))
}

fn compare(
    page: &BTreeSet<String>,
    real: &BTreeSet<String>,
    what: &str,
    problems: &mut Vec<String>,
) {
    let gone = page.difference(real).map(|it| format!("{PAGE}: the {what} `{it}` does not exist"));
    problems.extend(gone);
    problems
        .extend(real.difference(page).map(|it| format!("{PAGE}: the {what} `{it}` is missing")));
}

/// The cells of each row in the table of words.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let section = page.split_once(WORDS).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    // The first row is the header.
    rows.skip(1).map(|row| row.split('|').map(str::trim).collect()).collect()
}

/// The texts in backticks.
fn code(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The model `two` is about no word.\n\n## Every shared word\n\n\
                        | where | models |\n|---|---|\n| `a.rs` `A::word` | `one` |\n\n## More\n";

    fn told(page: &str) -> usize {
        let model = |name: &str| format!("#[test]\nfn f() {{ check(\"{name}\", 9, || {{}}); }}\n");
        let sources = [
            Source::new("crates/tachograph/src/a.rs", "struct A { word: AtomicU64 }"),
            Source::new("loom-tests/tests/a.rs", model("one")),
            Source::new("loom-tests/tests/b.rs", model("two")),
        ];
        let outcome = check(page, &sources).map_err(|error| error.to_string());
        outcome.err().map_or(0, |problems| problems.lines().count())
    }

    #[test]
    fn a_word_or_model_that_only_one_side_has_is_told() {
        assert_eq!(told(TEXT), 0);
        assert_eq!(told(&TEXT.replace("| `a.rs` `A::word` |", "| `a.rs` `A::other` |")), 2);
        assert_eq!(told(&TEXT.replace("`one`", "`on`")), 2);
        assert_eq!(told(&TEXT.replace("`two`", "two")), 1);
    }

    #[test]
    fn a_row_says_which_model_or_why_there_is_none() {
        let without =
            |cell: &str| told(&TEXT.replace("| `one` |", cell).replace("`two`", "`two` `one`"));
        assert_eq!(without("| none: it stands for itself |"), 0);
        assert_eq!(without("| |"), 1);
    }
}
