//! The benchmark report: `docs/BENCHMARKS.md` and its plots.
//!
//! `benches/report.md` is the page without figures: each line in double braces is filled in by a
//! run.

mod plots;
mod tables;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use self::plots::Plot;
use self::tables::{Table, Tables};
use crate::tools::{self, Tools};

const TEMPLATE: &str = "benches/report.md";
const PLOTS: &str = "benches/plots.toml";

/// Writes the page and its plots from a folder of tables.
pub(crate) fn write(tools: &Tools, tables: &Path, folder: &Path) -> Result<String> {
    let tables = Tables::read(tables)?;
    let plots = Plot::parse(&tools::read(PLOTS)?)?;
    let plots_folder = folder.join("benchmarks");
    tools.shell.create_dir(&plots_folder)?;
    for plot in &plots {
        std::fs::write(plots_folder.join(&plot.file), plot.draw(&tables)?)?;
    }
    let page = folder.join("BENCHMARKS.md");
    std::fs::write(&page, text(&tools::read(TEMPLATE)?, &tables, &plots, &machine(tools)?)?)?;
    Ok(format!("{}, {} plots, {} tables", page.display(), plots.len(), tables.len()))
}

/// The page.
fn text(template: &str, tables: &Tables, plots: &[Plot], machine: &str) -> Result<String> {
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
            ("plot", file) => {
                let plot = plots.iter().find(|plot| plot.file == file);
                let title = &plot.with_context(|| format!("{PLOTS} has no {file}"))?.title;
                format!("![{title}](benchmarks/{file})\n")
            }
            ("more", _) => tables.others(&shown).map(titled).collect(),
            _ => bail!("{TEMPLATE}: `{directive}` is not understood"),
        };
    }
    Ok(page)
}

/// The machine that the figures depend on.
fn machine(tools: &Tools) -> Result<String> {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let cpu = model.map_or(std::env::consts::ARCH, str::trim);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = cmd!(tools.shell, "rustc --version").read()?;
    let rustc = rustc.split(" (").next().unwrap_or_default();
    let system = std::env::consts::OS;
    Ok(format!("Measured on: {cpu}, {cores} cores, {system}; {rustc}, fat LTO."))
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

    /// A table for every name on the page, with all columns that plots read.
    fn recorded(template: &str, plots: &[Plot]) -> Tables {
        let columns: Vec<_> = plots.iter().flat_map(Plot::columns).collect();
        let named =
            template.lines().filter_map(|line| line.strip_prefix("{{table ")?.strip_suffix("}}"));
        named.map(|name| of_columns(name, &columns)).collect()
    }

    fn of_columns(name: &str, columns: &[(String, String)]) -> Table {
        let read = columns.iter().filter(|(table, _)| *table == name).map(|(_, column)| column);
        let header: BTreeSet<_> = read.filter(|it| *it != "operation").cloned().collect();
        let header: Vec<_> = ["operation".to_owned()].into_iter().chain(header).collect();
        let cell = |row: &str, (place, column): (usize, &String)| match (place, &**column) {
            (0, _) => Cell::Text(format!("{row}, handle")),
            (_, "") => Cell::Text("call".to_owned()),
            _ => Cell::Number(place as f64 + 0.5),
        };
        let row = |name| header.iter().enumerate().map(|column| cell(name, column)).collect();
        let rows = vec![row("one"), row("other")];
        Table { name: name.to_owned(), title: format!("Title of {name}"), header, rows }
    }

    #[test]
    fn the_page_shows_every_table_and_plot_once() {
        let template = tools::read(TEMPLATE).expect("the template");
        let plots = Plot::parse(&tools::read(PLOTS).expect("the plots")).expect("plots");
        let mut tables = recorded(&template, &plots);
        let budget = r#"{"name": "budget-a", "title": "Budget", "header":
            ["budget", "measured", "at most", "unit", "holds"],
            "rows": [["a | b", 1.25, 2, "ns", "yes"]]}"#;
        let extra = r#"{"name": "new-one", "title": "A new one", "header": ["x"], "rows": []}"#;
        tables.add(serde_json::from_str(budget).expect("a table"));
        tables.add(serde_json::from_str(extra).expect("a table"));
        let page = text(&template, &tables, &plots, "a machine").expect("nothing is missing");
        assert!(page.contains("| a \\| b | 1.25 | 2.00 | ns | yes |"), "{page}");
        assert!(page.contains("**A new one**\n") && !page.contains("{{"), "{page}");
        assert_eq!(page.matches("**Title of record**").count(), 1);
        for plot in &plots {
            assert_eq!(page.matches(&*plot.file).count(), 1, "{}", plot.file);
            let svg = plot.draw(&tables).expect("nothing is missing");
            assert!(svg.starts_with("<svg") && svg.contains("one, handle"), "{svg}");
        }
        let missing = text(&template, &Tables::default(), &plots, "").expect_err("no table");
        assert!(missing.to_string().contains("`record`"), "{missing}");
    }
}
