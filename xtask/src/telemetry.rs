//! Whether the core's page on `telemetry.*` has the names that its code has.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::steps::Outcome;
use crate::tidy::outcome;

const CORE: &str = "crates/tachograph/src/";

/// Where the table is.
const PAGE: &str = "crates/tachograph/src/telemetry.rs";

/// How every name begins.
const PREFIX: &str = "telemetry.";

pub(crate) fn check(sources: &[Source]) -> Outcome {
    let core: Vec<_> = sources.iter().filter(|source| source.path.starts_with(CORE)).collect();
    let page = core.iter().find(|source| source.path == PAGE);
    let page = page.ok_or_else(|| format!("{PAGE} is missing, and with it the table of names"))?;
    let told = documented(page);
    let used: BTreeSet<_> = core.into_iter().flat_map(used).collect();
    let missing = used.difference(&told);
    let missing = missing.map(|name| format!("{PAGE}: `{name}` is not in the table: add a row"));
    let gone = told.difference(&used);
    let gone = gone.map(|name| format!("{PAGE}: `{name}` is in the table and nowhere in the code"));
    outcome(&missing.chain(gone).collect::<Vec<_>>(), format!("{} names", used.len()))
}

/// Names in backticks in the table, without their tags.
fn documented(page: &Source) -> BTreeSet<&str> {
    let rows = page.lines.iter().filter(|line| line.starts_with("//! | `"));
    let code = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let names = code.filter_map(|code| code.split('[').next());
    names.filter(|name| name.starts_with(PREFIX)).collect()
}

/// Texts of the code that are such a name, those of unit tests aside.
fn used(source: &Source) -> BTreeSet<&str> {
    let tests = source.unit_tests().unwrap_or((usize::MAX, 0));
    let tokens = source.tokens.iter().filter(|it| it.line < tests.0 || it.line > tests.1);
    let texts = tokens.filter_map(|token| token.text.strip_prefix('"')?.strip_suffix('"'));
    let is_name = |text: &&str| {
        text.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty() && !rest.contains(' '))
    };
    texts.filter(is_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_the_table_or_only_the_code_has_is_told() {
        let page = "//! | name | kind |\n//! |---|---|\n\
                    //! | `telemetry.a`, `telemetry.b[reason=…]` | counter |\n";
        let sources = |code: &str| {
            let parse = |(path, text): (&str, &str)| Source::parse(path, text).expect("Rust");
            let other = "const A: &str = \"telemetry.a\";\nconst B: &str = \"telemetry.\";\n\
                         #[cfg(test)]\nmod tests {\n    const C: &str = \"telemetry.c\";\n}\n";
            let files =
                [(PAGE, format!("{page}{code}")), ("crates/tachograph/src/a.rs", other.to_owned())];
            files.iter().map(|(path, text)| parse((path, text))).collect::<Vec<_>>()
        };
        let fine = sources("const B: &str = \"telemetry.b\";");
        assert_eq!(check(&fine), Ok("2 names".to_owned()));
        let gone = format!("{PAGE}: `telemetry.b` is in the table and nowhere in the code");
        assert_eq!(check(&sources("")), Err(gone));
        let more = sources("const B: [&str; 2] = [\"telemetry.b\", \"telemetry.d\"];");
        let missing = format!("{PAGE}: `telemetry.d` is not in the table: add a row");
        assert_eq!(check(&more), Err(missing));
        assert!(check(&[]).is_err(), "no page");
    }
}
