//! The tables and the page that shows them.

use thiserror::Error;

use crate::Fleet;
use crate::accuracy::Accuracy;
use crate::scrape::Scrapes;
use crate::table::Table;

/// Every table, by its name on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables(Vec<(&'static str, Table)>);

impl Tables {
    /// All tables of a fleet.
    pub fn of(fleet: &Fleet) -> Self {
        let accuracy = Accuracy::of(fleet);
        let mut tables = Self::quick(fleet);
        tables.0.push(("accuracy", accuracy.table()));
        tables
    }

    /// The tables that take a second or two, whatever the number of processes.
    pub fn quick(fleet: &Fleet) -> Self {
        Self(vec![("bytes", Scrapes::of(fleet).table())])
    }

    /// Each table with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Table)> {
        self.0.iter().map(|(name, table)| (*name, table))
    }
}

/// A Markdown page with places for tables, each between two comments: `<!-- fleet: NAME -->` and
/// `<!-- /fleet: NAME -->`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page(String);

/// The page lacks a place for a table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the page has no place for `{0}`: put the lines {start} and {end} into it", start = start(.0), end = end(.0))]
pub struct PageError(&'static str);

impl Page {
    /// A page with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The page's text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Puts every table into its place.
    ///
    /// # Errors
    /// If a table has no place; then nothing is changed.
    pub fn set(&mut self, tables: &Tables) -> Result<(), PageError> {
        let mut text = self.0.clone();
        for (name, table) in tables.iter() {
            let (from, to) = place(&text, name).ok_or(PageError(name))?;
            text.replace_range(from..to, &format!("\n\n{table}\n"));
        }
        self.0 = text;
        Ok(())
    }
}

/// The place of a table: after the first comment and before the second.
fn place(text: &str, name: &'static str) -> Option<(usize, usize)> {
    let start = start(name);
    let from = text.find(&start)? + start.len();
    let to = text[from..].find(&end(name))? + from;
    Some((from, to))
}

fn start(name: &str) -> String {
    format!("<!-- fleet: {name} -->")
}

fn end(name: &str) -> String {
    format!("<!-- /fleet: {name} -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        let mut table = Table::new(1, ["a"]);
        table.row(["1"]);
        Tables(vec![("one", table)])
    }

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let mut page = Page::new("x\n<!-- fleet: one -->\nold\n<!-- /fleet: one -->\ny\n");
        page.set(&tables()).expect("a place");
        let expected =
            "x\n<!-- fleet: one -->\n\n| a |\n| --- |\n| 1 |\n\n<!-- /fleet: one -->\ny\n";
        assert_eq!(page.text(), expected);
        page.set(&tables()).expect("still a place");
        assert_eq!(page.text(), expected);
    }

    #[test]
    fn a_page_without_a_place_is_told_and_stays() {
        let mut page = Page::new("<!-- /fleet: one -->\n<!-- fleet: one -->\n");
        let before = page.clone();
        let told = page.set(&tables()).expect_err("the wrong way round").to_string();
        assert!(told.starts_with("the page has no place for `one`: put the lines"), "{told}");
        assert!(told.contains("<!-- /fleet: one -->"));
        assert_eq!(page, before);
    }
}
