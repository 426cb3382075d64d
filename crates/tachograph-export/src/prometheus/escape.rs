//! Text that stays on its line.

use std::borrow::Cow;

/// In HELP, what a scraper takes for the end of the input is replaced by this.
pub(super) const INSTEAD_OF_NUL: &str = "\u{fffd}";

/// Escapes it in values of labels, and itself: two values never become one.
const ESCAPE: char = '\u{2400}';

/// A tag's value as that of a label.
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

/// Appends the value of a label, as it stands between double quotes; in OpenMetrics the text of
/// HELP too.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    push(out, text, true);
}

/// Appends the text of HELP, where double quotes mean nothing.
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
