//! The tables that the benches write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A cell of a table.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub(super) enum Cell {
    Number(f64),
    Text(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(value) => f.write_str(&figure(*value)),
        }
    }
}

/// A number with three significant digits.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let shown = format!("{value:.digits$}");
    // A value rounded to zero has no sign.
    if shown.trim_start_matches(['-', '0', '.']).is_empty() {
        return shown.trim_start_matches('-').to_owned();
    }
    shown
}

/// A table; the first cell of each row names it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn is_of_numbers(&self, column: usize) -> bool {
        self.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Number(_))))
    }

    fn is_budget(&self) -> bool {
        self.name.starts_with("budget")
    }
}

/// All tables of a run, by name.
#[derive(Debug, Default)]
pub(super) struct Tables(BTreeMap<String, Table>);

impl FromIterator<Table> for Tables {
    fn from_iter<T: IntoIterator<Item = Table>>(tables: T) -> Self {
        Self(tables.into_iter().map(|table| (table.name.clone(), table)).collect())
    }
}

impl Tables {
    /// Reads every table in a folder.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut tables = Self::default();
        let entries = std::fs::read_dir(folder);
        for entry in entries.with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            let table = serde_json::from_str(&std::fs::read_to_string(&path)?);
            tables.add(table.with_context(|| format!("{} is no table", path.display()))?);
        }
        Ok(tables)
    }

    pub(super) fn add(&mut self, table: Table) {
        self.0.insert(table.name.clone(), table);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, name: &str) -> Result<&Table> {
        let told = || format!("no bench has written the table `{name}`: run them all");
        self.0.get(name).with_context(told)
    }

    /// The rows of all budgets in one table.
    pub(super) fn budgets(&self) -> Table {
        let budgets = || self.0.values().filter(|table| table.is_budget());
        Table {
            name: "budget".to_owned(),
            title: "Budget".to_owned(),
            header: budgets().next().map(|table| table.header.clone()).unwrap_or_default(),
            rows: budgets().flat_map(|table| table.rows.clone()).collect(),
        }
    }

    /// The tables that are neither named nor budgets.
    pub(super) fn others<'a>(&'a self, named: &BTreeSet<&str>) -> impl Iterator<Item = &'a Table> {
        self.0.values().filter(|table| !table.is_budget() && !named.contains(&*table.name))
    }
}
