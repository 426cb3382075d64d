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
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}
