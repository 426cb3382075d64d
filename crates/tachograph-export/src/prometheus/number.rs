//! Numbers as the text formats spell them.

use std::time::SystemTime;

use crate::time::milliseconds;

/// Appends a float; `NaN` for `None`.
pub(super) fn push_float(out: &mut String, value: Option<f64>) {
    match value {
        None => out.push_str("NaN"),
        Some(value) if value.is_finite() => {
            out.push_str(zmij::Buffer::new().format_finite(value));
        }
        Some(f64::INFINITY) => out.push_str("+Inf"),
        Some(f64::NEG_INFINITY) => out.push_str("-Inf"),
        Some(_) => out.push_str("NaN"),
    }
}

/// Appends a count.
pub(super) fn push_count(out: &mut String, count: u64) {
    out.push_str(itoa::Buffer::new().format(count));
}

/// Appends an integer.
pub(super) fn push_integer(out: &mut String, value: i128) {
    match u64::try_from(value) {
        // Twice as fast as 128 bits, and nearly always wide enough.
        Ok(value) => push_count(out, value),
        Err(_) => out.push_str(itoa::Buffer::new().format(value)),
    }
}

/// Appends a time as seconds since 1970, to the millisecond.
pub(super) fn push_seconds(out: &mut String, time: SystemTime) {
    let milliseconds = milliseconds(time);
    push_count(out, milliseconds / 1_000);
    out.push('.');
    out.push_str(&itoa::Buffer::new().format(1_000 + milliseconds % 1_000)[1..]);
}

/// A float as a label value, spelled as Go does. A scraper that reads protobuf spells it the same
/// way, so the series is the same in every format. OpenMetrics calls these numbers canonical.
pub(super) fn label(value: f64) -> String {
    if !value.is_finite() {
        let mut out = String::new();
        push_float(&mut out, Some(value));
        return out;
    }
    let digits = format!("{value:e}");
    match digits.split_once('e').map(|(mantissa, exponent)| (mantissa, exponent.parse::<i32>())) {
        Some((mantissa, Ok(exponent))) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => {
            let plain = value.to_string();
            if plain.contains('.') { plain } else { plain + ".0" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_any_size_are_short_and_named_as_the_format_names_them() {
        let float = |value| {
            let mut out = String::new();
            push_float(&mut out, value);
            out
        };
        assert_eq!(float(Some(1e300)), "1e+300");
        assert_eq!(float(Some(0.25)), "0.25");
        assert_eq!(float(Some(-0.0)), "-0.0");
        assert_eq!(float(Some(f64::NAN)), "NaN");
        assert_eq!(float(Some(f64::INFINITY)), "+Inf");
        assert_eq!(float(Some(f64::NEG_INFINITY)), "-Inf");
        assert_eq!(float(None), "NaN");
    }

    #[test]
    fn whole_numbers_are_exact_beyond_64_bits_too() {
        for value in [0, -1, u64::MAX.into(), i64::MIN.into(), i128::MAX, i128::MIN] {
            let mut out = String::new();
            push_integer(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }

    #[test]
    fn labels_are_spelled_as_go_does() {
        for (value, spelled) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-1.0, "-1.0"),
            (0.999, "0.999"),
            (2.5e-5, "2.5e-05"),
            (1e-4, "0.0001"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (1_048_576.0, "1.048576e+06"),
            (1e-10, "1e-10"),
            (1e300, "1e+300"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(label(value), spelled);
        }
    }
}
