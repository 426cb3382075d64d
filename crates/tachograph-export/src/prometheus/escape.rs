//! Text that stays on its line.

/// What a scraper takes for the end of the input is replaced by this.
pub(super) const INSTEAD_OF_NUL: &str = "\u{fffd}";

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
    use super::*;

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
