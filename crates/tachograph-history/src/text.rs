//! Values for people.

use tachograph::Unit;

/// A value in a metric's unit, with three significant digits and a suitable prefix, such as `330
/// µs`, `12.4 MiB`, `0.25 %`.
pub fn format(value: f64, unit: &Unit) -> String {
    let scaled = |steps: &[(f64, &str)]| {
        let fits = steps.iter().find(|(size, _)| value.abs() >= *size);
        let (size, name) = fits.or(steps.last()).copied().unwrap_or((1.0, ""));
        format!("{} {name}", digits(value / size))
    };
    match unit {
        Unit::Seconds => scaled(&[
            (86_400.0, "d"),
            (3_600.0, "h"),
            (60.0, "min"),
            (1.0, "s"),
            (1e-3, "ms"),
            (1e-6, "µs"),
            (1e-9, "ns"),
        ]),
        Unit::Bytes => scaled(&[
            (1_099_511_627_776.0, "TiB"),
            (1_073_741_824.0, "GiB"),
            (1_048_576.0, "MiB"),
            (1024.0, "KiB"),
            (1.0, "B"),
        ]),
        Unit::Ratio => format!("{} %", digits(value * 100.0)),
        Unit::Percent => format!("{} %", digits(value)),
        Unit::None => digits(value),
        Unit::Other(name) => format!("{} {name}", digits(value)),
    }
}

/// Three significant digits; integers without decimals.
fn digits(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let decimals = match value.abs() {
        size if size < 1e-4 => return format!("{value:.2e}"),
        size if size < 0.1 => (2.0 - size.log10().floor()) as usize,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_three_digits_that_say_something() {
        let texts = [0.0, 12.0, 1.234, 45.67, 678.9, 0.25, 0.05, 0.001_234, 1.2e-7, -0.02]
            .map(|value| format(value, &Unit::None));
        let wanted =
            ["0", "12", "1.23", "45.7", "679", "0.25", "0.0500", "0.00123", "1.20e-7", "-0.0200"];
        assert_eq!(texts, wanted);
        assert_eq!(format(0.000_4, &Unit::Ratio), "0.0400 %");
        assert_eq!(format(330e-6, &Unit::Seconds), "330 µs");
    }
}
