//! Plain aligned tables on standard output, also as JSON.

use std::path::Path;

use serde_json::json;

use crate::options::Options;

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Text; may be empty.
    Text(String),
    /// A figure, shown with three significant digits.
    Number(f64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or_else(|| "".into(), Self::Number)
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(value) => f.write_str(&number(*value)),
        }
    }
}

/// A table with a name, a title, a header and rows. The first column is left-aligned, the others
/// right-aligned.
#[derive(Clone, Debug)]
pub struct Table {
    name: &'static str,
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table. `name` is that of its JSON file.
    pub fn new(name: &'static str, title: impl Into<String>, header: &[&str]) -> Self {
        let header = header.iter().map(ToString::to_string).collect();
        Self { name, title: title.into(), header, rows: Vec::new() }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints the table, and writes it as JSON if the command line asks for it.
    ///
    /// # Panics
    /// If the file cannot be written.
    #[expect(clippy::print_stdout, reason = "a bench's output is its purpose")]
    pub fn print(&self) {
        println!("\n{self}");
        if let Some(folder) = &Options::get().json {
            self.write(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        }
    }

    fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(format!("{}.json", self.name)), self.json().to_string())
    }

    fn json(&self) -> serde_json::Value {
        let cell = |cell: &Cell| match cell {
            Cell::Text(text) => json!(text),
            Cell::Number(value) => json!(value),
        };
        let rows: Vec<Vec<_>> =
            self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        json!({ "name": self.name, "title": self.title, "header": self.header, "rows": rows })
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |row: &Vec<Cell>| row.iter().map(ToString::to_string).collect();
        let mut rows: Vec<Vec<String>> = vec![self.header.clone()];
        rows.extend(self.rows.iter().map(shown));
        let widths = widths(&rows);
        write!(f, "{}", self.title)?;
        for row in &rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    line += &format!("{cell:<width$}");
                } else {
                    line += &format!("  {cell:>width$}");
                }
            }
            write!(f, "\n{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width).collect()
}

/// A figure with three significant digits, and separators if it is long.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude < 10.0 {
        return format!("{value:.2}");
    }
    if magnitude < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{magnitude:.0}");
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 { format!("-{grouped}") } else { grouped }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("a-table", "title", &["what", "ns"]);
        table.row(["a long name".into(), 1_234_567.0.into()]);
        table.row(["b".into(), 0.5.into()]);
        table
    }

    #[test]
    fn columns_line_up_and_figures_are_short() {
        let lines = ["title", "what                ns", "a long name  1,234,567"];
        assert_eq!(table().to_string(), format!("{}\nb                 0.50", lines.join("\n")));
        assert_eq!([12.34, 123.4, -1_000.0].map(number), ["12.3", "123", "-1,000"]);
    }

    #[test]
    fn a_written_table_keeps_its_numbers_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        table().write(folder.path()).expect("written");
        let text = std::fs::read_to_string(folder.path().join("a-table.json")).expect("written");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let rows = json!([["a long name", 1_234_567.0], ["b", 0.5]]);
        assert_eq!((&json["rows"], &json["header"]), (&rows, &json!(["what", "ns"])));
    }
}
