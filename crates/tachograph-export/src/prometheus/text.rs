//! The lines of the format.

use std::fmt::{self, Display, Write};

/// Writes HELP and TYPE.
pub(super) fn head(out: &mut String, name: &str, kind: &str, told: &str) {
    // Infallible: memory accepts every write.
    let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", Escaped::help(told));
}

/// Writes a sample; the labels are escaped already.
pub(super) fn sample(
    out: &mut String,
    name: &str,
    suffix: &str,
    labels: &str,
    value: impl Display,
) {
    // Infallible: memory accepts every write.
    let _ = match labels {
        "" => writeln!(out, "{name}{suffix} {value}"),
        labels => writeln!(out, "{name}{suffix}{{{labels}}} {value}"),
    };
}

/// A name in which every character but the allowed ones is `_`, and that starts with no digit.
pub(super) fn sanitized(name: &str, allowed: impl Fn(char) -> bool) -> String {
    let lead =
        if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { "_" } else { "" };
    let rest = name.chars().map(|c| if allowed(c) { c } else { '_' });
    lead.chars().chain(rest).collect()
}

/// A float as the format spells it; `NaN` where there is none.
pub(super) struct Float(pub(super) Option<f64>);

impl Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("NaN"),
            Some(f64::INFINITY) => f.write_str("+Inf"),
            Some(f64::NEG_INFINITY) => f.write_str("-Inf"),
            // `Debug` changes to exponents where `Display` would write 300 digits.
            Some(value) => write!(f, "{value:?}"),
        }
    }
}

/// Text on one line.
pub(super) struct Escaped<'a> {
    text: &'a str,
    quotes: bool,
}

impl<'a> Escaped<'a> {
    /// As the value of a label, between double quotes.
    pub(super) fn label(text: &'a str) -> Self {
        Self { text, quotes: true }
    }

    /// As the text of HELP.
    pub(super) fn help(text: &'a str) -> Self {
        Self { text, quotes: false }
    }
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if self.quotes => f.write_str("\\\"")?,
                // Prometheus's own parser takes it for the end of the input.
                '\0' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_any_size_are_short_and_named_as_the_format_names_them() {
        let float = |value| Float(Some(value)).to_string();
        assert_eq!(float(1e300), "1e300");
        assert_eq!(float(0.25), "0.25");
        assert_eq!(float(f64::NAN), "NaN");
        assert_eq!(float(f64::INFINITY), "+Inf");
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");
        assert_eq!(Float(None).to_string(), "NaN");
    }

    #[test]
    fn text_stays_on_its_line() {
        let value = "a\\b\"c\nd\re\0";
        assert_eq!(Escaped::label(value).to_string(), "a\\\\b\\\"c\\nd\re\u{fffd}");
        assert_eq!(Escaped::help(value).to_string(), "a\\\\b\"c\\nd\re\u{fffd}");
    }
}
