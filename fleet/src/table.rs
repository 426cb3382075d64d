//! Markdown tables.

use std::fmt;

/// A header and rows. Text columns come first and are left-aligned; figures are right-aligned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table whose first `words` columns hold text.
    pub fn new(words: usize, header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), words, rows: Vec::new() }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, row: &[String]| {
            row.iter().try_for_each(|cell| write!(f, "| {cell} "))?;
            f.write_str("|\n")
        };
        line(f, &self.header)?;
        (0..self.header.len()).try_for_each(|column| {
            f.write_str(if column < self.words { "| --- " } else { "| ---: " })
        })?;
        f.write_str("|\n")?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// An integer with separators.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 { format!("-{grouped}") } else { grouped }
}

/// A relative difference in percent, with its sign.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 0.005 {
        return "0.00 %".to_owned();
    }
    if percent.abs() < 100.0 { format!("{percent:+.2} %") } else { format!("{percent:+.0} %") }
}

/// A duration in seconds, with three significant digits.
pub(crate) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

/// A number of bytes.
pub(crate) fn bytes(bytes: f64) -> String {
    let (value, unit) = match bytes {
        b if b < 1e3 => (b, "B"),
        b if b < 1e6 => (b / 1e3, "kB"),
        b if b < 1e9 => (b / 1e6, "MB"),
        b if b < 1e12 => (b / 1e9, "GB"),
        b => (b / 1e12, "TB"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_figures_right() {
        let mut table = Table::new(1, ["what", "how much"]);
        table.row(["a", "1"]);
        assert_eq!(table.to_string(), "| what | how much |\n| --- | ---: |\n| a | 1 |\n");
    }

    #[test]
    fn figures_are_short_and_say_their_unit() {
        assert_eq!(whole(1_234_567.4), "1,234,567");
        assert_eq!([0.0312, -0.000_01, 12.5].map(percent), ["+3.12 %", "0.00 %", "+1250 %"]);
        assert_eq!([3.2e-5, 0.0045, 12.0].map(duration), ["32.0 µs", "4.50 ms", "12.0 s"]);
        assert_eq!([999.0, 4.5e6, 1.5e10].map(bytes), ["999 B", "4.50 MB", "15.0 GB"]);
    }
}
