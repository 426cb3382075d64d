//! The display key of a series, and the length limit of its parts.

use crate::limits::TEXT_BYTES;
use crate::series::tags::Tags;

/// `name` or `name[k1=v1,k2=v2]`, tags sorted by key.
///
/// Each of `,` `=` `[` `]` `\` in names, keys and values is escaped with `\`, so two series never
/// share a key.
pub(crate) fn display(name: &str, tags: &Tags) -> String {
    let mut key = String::with_capacity(name.len() + 16 * tags.len());
    escape(name, &mut key);
    for (i, (tag, value)) in tags.iter().enumerate() {
        key.push(if i == 0 { '[' } else { ',' });
        escape(tag, &mut key);
        key.push('=');
        escape(value, &mut key);
    }
    if !tags.is_empty() {
        key.push(']');
    }
    key
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        if matches!(c, ',' | '=' | '[' | ']' | '\\') {
            into.push('\\');
        }
        into.push(c);
    }
}

/// The text cut to the length limit at a character boundary.
pub(crate) fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_escaped_and_keys_stay_distinct() {
        let key = |name: &str, tags: &[(&str, &str)]| display(name, &Tags::new(tags));
        assert_eq!(key("a", &[]), "a");
        assert_eq!(key("a", &[("z", "1"), ("b", "2")]), "a[b=2,z=1]");
        assert_eq!(key("a", &[("k", "1,b=2")]), r"a[k=1\,b\=2]");
        assert_eq!(key("a[k=v]", &[]), r"a\[k\=v\]");
        assert_ne!(key("a", &[("k", "1"), ("b", "2")]), key("a", &[("k", "1,b=2")]));
        assert_ne!(key(r"a\", &[("k", "v")]), key("a", &[("k", "v")]));
    }

    #[test]
    fn long_text_is_cut_at_a_character_boundary() {
        let long = "é".repeat(200);
        assert_eq!(cut(&long).len(), TEXT_BYTES);
        let odd = format!("x{}", "é".repeat(200));
        assert_eq!(cut(&odd).len(), TEXT_BYTES - 1);
        assert_eq!(cut("short"), "short");
    }
}
