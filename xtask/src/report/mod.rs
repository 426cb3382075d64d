//! The benchmark report: a page in `docs/benchmarks/` for each CPU.
//!
//! `benches/report.md` is the page without figures: each line in double braces is filled in by a
//! run.

mod tables;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};
use xshell::cmd;

use self::tables::{Table, Tables};
use crate::tools::{self, Tools};

const TEMPLATE: &str = "benches/report.md";

/// Writes the page of this machine's CPU from a folder of tables.
pub(crate) fn write(tools: &Tools, tables: &Path, folder: &Path) -> Result<String> {
    let tables = Tables::read(tables)?;
    tools.shell.create_dir(folder)?;
    let cpu = cpu();
    let page = folder.join(format!("{}.md", file_name(&cpu)));
    std::fs::write(&page, text(&tools::read(TEMPLATE)?, &tables, &machine(tools, &cpu)?)?)?;
    Ok(format!("{}, {} tables", page.display(), tables.len()))
}

/// The page.
fn text(template: &str, tables: &Tables, machine: &str) -> Result<String> {
    let mut page = String::new();
    let mut shown = BTreeSet::new();
    for line in template.lines() {
        let inner = line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}"));
        let Some(directive) = inner else {
            page += &format!("{line}\n");
            continue;
        };
        page += &match directive.split_once(' ').unwrap_or((directive, "")) {
            ("machine", _) => format!("{machine}\n"),
            ("budgets", _) => markdown(&tables.budgets()),
            ("table", name) => {
                shown.insert(name);
                titled(tables.get(name)?)
            }
            ("more", _) => tables.others(&shown).map(titled).collect(),
            _ => bail!("{TEMPLATE}: `{directive}` is not understood"),
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
    format!("**{}**\n\n{}\n", table.title, markdown(table))
}

fn markdown(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let escaped = |text: &str| text.replace('|', "\\|");
    let header: Vec<_> = table.header.iter().map(|text| escaped(text)).collect();
    let rule = |column| if table.is_of_numbers(column) { "---:" } else { "---" }.to_owned();
    let rule: Vec<_> = (0..header.len()).map(rule).collect();
    let rows = table.rows.iter().map(|row| {
        let mut cells: Vec<_> = row.iter().map(|cell| escaped(&cell.to_string())).collect();
        cells.resize(header.len(), String::new());
        line(&cells)
    });
    [line(&header), line(&rule)].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::tables::Cell;
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
        named.map(table).collect()
    }

    #[test]
    fn the_page_shows_every_table_once() {
        let template = tools::read(TEMPLATE).expect("the template");
        let mut tables = recorded(&template);
        let budget = r#"{"name": "budget-a", "title": "Budget", "header":
            ["budget", "measured", "at most", "unit", "holds"],
            "rows": [["a | b", 1.25, 2, "ns", "yes"]]}"#;
        let extra = r#"{"name": "new-one", "title": "A new one", "header": ["x"], "rows": []}"#;
        tables.add(serde_json::from_str(budget).expect("a table"));
        tables.add(serde_json::from_str(extra).expect("a table"));
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
