//! Escaping, so that text stays on its line.

use std::borrow::Cow;

/// Replaces U+0000 in HELP: scrapers take it for the end of the input.
pub(super) const INSTEAD_OF_NUL: &str = "\u{fffd}";

/// Escapes U+0000 and itself in label values, so that different values stay different.
const ESCAPE: char = '\u{2400}';

/// A tag's value as a label value.
pub(super) fn label_value(value: &str) -> Cow<'_, str> {
    if !value.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(value);
    }
    let escaped = value.chars().flat_map(|c| match c {
        '\0' => [Some(ESCAPE), Some('0')],
        ESCAPE => [Some(ESCAPE), Some(ESCAPE)],
        c => [Some(c), None],
    });
    Cow::Owned(escaped.flatten().collect())
}

/// Appends text for use between double quotes: a label value, or HELP in OpenMetrics.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    push(out, text, true);
}

/// Appends HELP text of the text format, where double quotes have no meaning.
pub(super) fn push_unquoted(out: &mut String, text: &str) {
    push(out, text, false);
}

fn push(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            '\0' => out.push_str(INSTEAD_OF_NUL),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_with_and_without_a_nul_stay_apart() {
        let parts = ["", "\0", "\u{2400}", "0", "\u{fffd}", "\0\u{2400}"];
        let values = parts.iter().flat_map(|a| parts.map(|b| format!("{a}{b}")));
        let values: BTreeSet<_> = values.collect();
        let escaped: BTreeSet<_> = values.iter().map(|value| label_value(value)).collect();
        assert_eq!(escaped.len(), values.len());
        assert!(escaped.iter().all(|value| !value.contains('\0')));
        assert_eq!(label_value("a\0\u{2400}"), "a\u{2400}0\u{2400}\u{2400}");
    }

    #[test]
    fn text_stays_on_its_line() {
        let escaped = |push: fn(&mut String, &str)| {
            let mut out = String::new();
            push(&mut out, "a\\b\"c\nd\re\0");
            out
        };
        assert_eq!(escaped(push_quoted), "a\\\\b\\\"c\\nd\re\u{fffd}");
        assert_eq!(escaped(push_unquoted), "a\\\\b\"c\\nd\re\u{fffd}");
    }
}
