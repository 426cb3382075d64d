//! Numbers and times for narrow columns.

use std::time::{Duration, SystemTime};

use tachograph::Unit;
use tachograph_history::format;

/// A value in its unit, such as `8.90 µs`.
pub(crate) fn value(value: Option<f64>, unit: &Unit) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return "–".to_owned() };
    match unit {
        // Other units are too long for a column; the title of the series has them.
        Unit::None | Unit::Other(_) => number(value),
        unit => format(value, unit),
    }
}

/// A plain number, such as `4,982`, `12.3` or `45.60 M`.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e9 => format!("{:.2} G", value / 1e9),
        size if size >= 1e6 => format!("{:.2} M", value / 1e6),
        size if size >= 1e3 => grouped(value.round() as i64),
        size if value.fract() == 0.0 || size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size < 0.1 => format(value, &Unit::None),
        _ => format!("{value:.2}"),
    }
}

/// A rate per second; `–` if it is unknown.
pub(crate) fn rate(rate: Option<f64>) -> String {
    let text = |rate: f64| match rate.abs() {
        // Three digits even if the others are zeros, so that columns do not jump.
        size if size > 0.0 && size < 10.0 => format!("{rate:.2}/s"),
        size if size > 0.0 && size < 100.0 => format!("{rate:.1}/s"),
        _ => format!("{}/s", number(rate)),
    };
    rate.map_or_else(|| "–".to_owned(), text)
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration, such as `3h12m`, `42s`, `0.2s`.
pub(crate) fn age(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, ms % 1_000 / 100),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// The time of day in UTC, such as `12:01:33`.
pub(crate) fn clock(ms: u64) -> String {
    let seconds = ms / 1_000 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A time from milliseconds since 1970.
pub(crate) fn time(ms: u64) -> SystemTime {
    let since = Duration::from_millis(ms);
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The bars of a sparkline, by height.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A sparkline: a bar for each value, from 0 to the greatest; a space for `None`.
pub(crate) fn sparkline(values: &[Option<f64>]) -> String {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let bar = |value: &Option<f64>| match value {
        None => ' ',
        Some(value) if most > 0.0 => BARS[((value.max(0.0) / most * 7.0).round() as usize).min(7)],
        Some(_) => BARS[0],
    };
    values.iter().map(bar).collect()
}

/// The beginning of a text, with `…` if it is longer than `width` characters.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Like [`cut`], but cuts in the middle: keys often differ only at their ends.
pub(crate) fn cut_middle(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width || width < 8 {
        return cut(text, width);
    }
    let (head, tail) = ((width - 1) / 2, width - 1 - (width - 1) / 2);
    let first: String = text.chars().take(head).collect();
    let last: String = text.chars().skip(length - tail).collect();
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_short_and_of_one_width() {
        let numbers = [0.0, 0.001_234, 1.25, 12.34, 123.4, 4_982.0, 999_999.0, 45_600_000.0, 7.2e9];
        let texts = numbers.map(number);
        assert_eq!(
            texts,
            ["0", "0.00123", "1.25", "12.3", "123", "4,982", "999,999", "45.60 M", "7.20 G"]
        );
        assert_eq!([200, 42_000, 192_000, 11_520_000].map(age), ["0.2s", "42s", "3m12s", "3h12m"]);
        assert_eq!(clock(1_764_504_093_000), "12:01:33");
        assert_eq!(value(Some(8.9e-6), &Unit::Seconds), "8.90 µs");
        let rates = [0.0, 0.1, 9.0, 20.0, 4_982.0].map(|it| rate(Some(it)));
        assert_eq!(rates, ["0/s", "0.10/s", "9.00/s", "20.0/s", "4,982/s"]);
        assert_eq!((rate(None), value(Some(f64::NAN), &Unit::None)), ("–".into(), "–".into()));
    }

    #[test]
    fn a_line_of_bars_has_gaps_where_nothing_is_known() {
        let values = [Some(0.0), Some(3.5), None, Some(7.0)];
        assert_eq!(sparkline(&values), "▁▅ █");
        assert_eq!(sparkline(&[Some(0.0); 3]), "▁▁▁");
        assert_eq!(cut_middle("handler.duration[track=7]", 12), "handl…ack=7]");
    }
}
