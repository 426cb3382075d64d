//! The benchmark report: a page in `docs/benchmarks/` for each CPU.
//!
//! `benches/report.md` is the page without figures: each line in double braces is filled in by a
//! run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use xshell::cmd;

use crate::tools::{self, Tools};

const TEMPLATE: &str = "benches/report.md";

/// A table as the benches write it; the first cell of each row names it.
#[derive(Debug, Deserialize)]
struct Table {
    name: String,
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// All tables of a run, by name.
type Tables = BTreeMap<String, Table>;

/// A cell of a table.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Cell {
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

/// Writes the page of this machine's CPU from a folder of tables.
pub(crate) fn write(tools: &Tools, tables: &Path, folder: &Path) -> Result<String> {
    let tables = read(tables)?;
    tools.shell.create_dir(folder)?;
    let cpu = cpu();
    let page = folder.join(format!("{}.md", file_name(&cpu)));
    std::fs::write(&page, text(&tools::read(TEMPLATE)?, &tables, &machine(tools, &cpu)?)?)?;
    Ok(format!("{}, {} tables", page.display(), tables.len()))
}

fn read(folder: &Path) -> Result<Tables> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
    let table = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry?.path();
        let table: serde_json::Result<Table> =
            serde_json::from_str(&std::fs::read_to_string(&path)?);
        let table = table.with_context(|| format!("{} is no table", path.display()))?;
        Ok((table.name.clone(), table))
    };
    entries.map(table).collect()
}

/// The page.
fn text(template: &str, tables: &Tables, machine: &str) -> Result<String> {
    let mut page = String::new();
    let (budgets, others): (Vec<_>, Vec<_>) =
        tables.values().partition(|table| table.name.starts_with("budget"));
    let mut shown = BTreeSet::new();
    for line in template.lines() {
        let inner = line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}"));
        page += &match inner.map(|it| it.split_once(' ').unwrap_or((it, ""))) {
            None => format!("{line}\n"),
            Some(("machine", _)) => format!("{machine}\n"),
            Some(("budgets", _)) => markdown(&budgets),
            Some(("table", name)) => {
                shown.insert(name);
                let told = || format!("no bench has written the table `{name}`: run them all");
                titled(tables.get(name).with_context(told)?)
            }
            Some(("more", _)) => {
                others.iter().filter(|it| !shown.contains(&*it.name)).map(|it| titled(it)).collect()
            }
            Some((directive, _)) => bail!("{TEMPLATE}: `{directive}` is not understood"),
        };
    }
    Ok(page)
}

/// The CPU's name; where the system does not tell it, the architecture.
fn cpu() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    model.map_or(std::env::consts::ARCH, str::trim).to_owned()
}

/// The name of a CPU's page: its words, without trademarks.
fn file_name(cpu: &str) -> String {
    let plain = cpu.to_lowercase().replace("(r)", "").replace("(tm)", "").replace("processor", "");
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// The page's heading, and the machine that its figures depend on.
fn machine(tools: &Tools, cpu: &str) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = cmd!(tools.shell, "rustc --version").read()?;
    let rustc = rustc.split(" (").next().unwrap_or_default();
    let day = cmd!(tools.shell, "git log -1 --format=%cs").read()?;
    let system = std::env::consts::OS;
    Ok(format!(
        "# Benchmarks on {cpu}\n\n{cores} cores, {system}; {rustc}, fat LTO; the code of {day}. \
         [How to read this](../BENCHMARKS.md)."
    ))
}

fn titled(table: &Table) -> String {
    format!("**{}**\n\n{}\n", table.title, markdown(&[table]))
}

/// The rows of tables with one header.
fn markdown(tables: &[&Table]) -> String {
    let header = tables.first().map_or(&[][..], |table| &table.header);
    let rows = || tables.iter().flat_map(|table| &table.rows);
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let escaped = |text: &dyn fmt::Display| text.to_string().replace('|', "\\|");
    let is_number = |row: &Vec<Cell>, column| matches!(row.get(column), Some(Cell::Number(_)));
    let rule = |column| if rows().any(|row| is_number(row, column)) { "---:" } else { "---" };
    let heads = line(header.iter().map(|text| escaped(text)).collect());
    let rules = line((0..header.len()).map(|column| rule(column).to_owned()).collect());
    let rows = rows().map(|row| {
        let mut cells: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
        cells.resize(header.len(), String::new());
        line(cells)
    });
    [heads, rules].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table for every name on the page.
    fn recorded(template: &str) -> Tables {
        let named =
            template.lines().filter_map(|line| line.strip_prefix("{{table ")?.strip_suffix("}}"));
        let table = |name: &str| Table {
            name: name.to_owned(),
            title: format!("Title of {name}"),
            header: vec!["operation".to_owned(), "median".to_owned()],
            rows: vec![vec![Cell::Text("one".to_owned()), Cell::Number(1.5)]],
        };
        named.map(|name| (name.to_owned(), table(name))).collect()
    }

    #[test]
    fn the_page_shows_every_table_once() {
        let template = tools::read(TEMPLATE).expect("the template");
        let mut tables = recorded(&template);
        let budget = r#"{"name": "budget-a", "title": "Budget", "header":
            ["budget", "measured", "at most", "unit", "holds"],
            "rows": [["a | b", 1.25, 2, "ns", "yes"]]}"#;
        let extra = r#"{"name": "new-one", "title": "A new one", "header": ["x"], "rows": []}"#;
        for json in [budget, extra] {
            let table: Table = serde_json::from_str(json).expect("a table");
            tables.insert(table.name.clone(), table);
        }
        let page = text(&template, &tables, "a machine").expect("nothing is missing");
        assert!(page.contains("| a \\| b | 1.25 | 2.00 | ns | yes |"), "{page}");
        assert!(page.contains("**A new one**\n") && !page.contains("{{"), "{page}");
        assert_eq!(page.matches("**Title of record**").count(), 1);
        let missing = text(&template, &Tables::default(), "").expect_err("no table");
        assert!(missing.to_string().contains("`record`"), "{missing}");
    }

    #[test]
    fn the_page_of_a_cpu_is_named_after_it() {
        assert_eq!(file_name("Intel(R) Xeon(R) Processor"), "intel-xeon");
        assert_eq!(file_name("AMD EPYC"), "amd-epyc");
    }

    #[test]
    fn the_guide_links_the_page_of_every_cpu() {
        let guide = tools::read("docs/BENCHMARKS.md").expect("the guide");
        let folder = tools::root().join("docs/benchmarks");
        for page in std::fs::read_dir(folder).expect("the folder of the pages") {
            let name = page.expect("a page").file_name();
            let link = format!("](benchmarks/{})", name.display());
            assert!(guide.contains(&link), "docs/BENCHMARKS.md lacks {link}");
        }
    }
}
