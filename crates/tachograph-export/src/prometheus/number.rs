//! Numbers as the text formats spell them.

/// Appends a float; `NaN` where there is none.
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

/// Appends a whole number.
pub(super) fn push_integer(out: &mut String, value: i128) {
    match u64::try_from(value) {
        // Twice as fast as 128 bits, and nearly always enough.
        Ok(value) => push_count(out, value),
        Err(_) => out.push_str(itoa::Buffer::new().format(value)),
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
}
