//! The report of the benches: `BENCHMARKS.md`, and plots beside it.

mod machine;
mod plots;
mod sections;
mod tables;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use self::machine::Machine;
use self::sections::{SECTIONS, Section};
use self::tables::{Table, Tables};
use crate::steps::Outcome;

/// The folder of the plots, beside the page.
const PLOTS: &str = "benchmarks";

/// Writes the page and its plots of a folder of tables.
pub(crate) fn write(tables: &Path, folder: &Path) -> Outcome {
    let tables = Tables::read(tables)?;
    let plots = folder.join(PLOTS);
    let told = |error| format!("cannot write to {}: {error}", folder.display());
    std::fs::create_dir_all(&plots).map_err(told)?;
    let mut drawn = 0;
    for section in &SECTIONS {
        for plot in section.plots {
            std::fs::write(plots.join(plot.file), plot.draw(&tables)?).map_err(told)?;
            drawn += 1;
        }
    }
    let page = folder.join("BENCHMARKS.md");
    std::fs::write(&page, text(&tables, &Machine::this())?).map_err(told)?;
    Ok(format!("{}, {drawn} plots, {} tables", page.display(), tables.len()))
}

/// The page.
fn text(tables: &Tables, machine: &Machine) -> Result<String, String> {
    let mut page = format!("{HEAD}\n{machine}\n## The budget\n\n{BUDGET}\n\n");
    page += &markdown(&tables.budgets());
    for Section { title, text, plots, tables: names } in &SECTIONS {
        // Infallible, as below: memory accepts every write.
        let _ = write!(page, "\n## {title}\n\n{text}\n");
        for plot in *plots {
            let _ = write!(page, "\n![{}]({PLOTS}/{})\n", plot.title, plot.file);
        }
        for name in *names {
            page += &told(tables.get(name)?);
        }
    }
    let shown: BTreeSet<_> = SECTIONS.iter().flat_map(|section| section.tables).copied().collect();
    let rest: Vec<_> = tables.others(&shown).collect();
    if !rest.is_empty() {
        page += "\n## More\n";
        rest.into_iter().for_each(|table| page += &told(table));
    }
    Ok(page)
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`, which builds and runs every bench of `benches/`: ten to fifteen minutes
on two cores. `--quick` shows sooner that it works, and leaves this page alone. One bench alone is
`cargo bench -p benches --bench record`.

Each bench checks that its operations did what they should before it times them. Figures are taken in
rounds that alternate between all operations of a bench, the loop without an operation and the least
that the machine could do instead; shown are minimum and median. Believe the ratios: nanoseconds
differ from machine to machine and from day to day.
";

const BUDGET: &str = "\
What each operation may cost, and what it did. `no` is a budget that was broken in this run; figures
over the loop alone can come out a little below zero where an operation costs next to nothing.";

/// A table under its own title.
fn told(table: &Table) -> String {
    format!("\n**{}**\n\n{}", table.title, markdown(table))
}

fn markdown(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let escaped = |text: &str| text.replace('|', "\\|");
    let header: Vec<_> = table.header.iter().map(|text| escaped(text)).collect();
    let rule: Vec<_> = (0..header.len())
        .map(|column| if table.is_of_numbers(column) { "---:" } else { "---" }.to_owned())
        .collect();
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

    /// A table of every name that the page asks for, with all columns that plots read.
    fn recorded() -> Tables {
        let columns = sections::columns();
        let named = SECTIONS.iter().flat_map(|section| section.tables);
        named.map(|name| of_columns(name, &columns)).collect()
    }

    fn of_columns(name: &str, columns: &[(&str, &str)]) -> Table {
        let read = columns.iter().filter(|(table, _)| *table == name).map(|(_, column)| *column);
        let mut header: Vec<String> = read.map(str::to_owned).collect();
        if header.is_empty() {
            header = vec!["operation".to_owned(), "ns".to_owned()];
        }
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
        let mut tables = recorded();
        let budget = r#"{"name": "budget-a", "title": "Budget", "header":
            ["budget", "measured", "at most", "unit", "holds"],
            "rows": [["a | b", 1.25, 2, "ns", "yes"]]}"#;
        let extra = r#"{"name": "new-one", "title": "A new one", "header": ["x"], "rows": []}"#;
        tables.add(Table::parse(budget).expect("a table"));
        tables.add(Table::parse(extra).expect("a table"));
        let page = text(&tables, &Machine::default()).expect("nothing is missing");
        assert!(page.contains("| a \\| b | 1.25 | 2.00 | ns | yes |"), "{page}");
        assert!(page.contains("\n## More\n\n**A new one**\n"), "{page}");
        for section in &SECTIONS {
            for name in section.tables {
                assert_eq!(page.matches(&format!("**Title of {name}**")).count(), 1, "{name}");
            }
            for plot in section.plots {
                assert_eq!(page.matches(plot.file).count(), 1, "{}", plot.file);
                let svg = plot.draw(&tables).expect("nothing is missing");
                assert!(svg.starts_with("<svg") && svg.contains("one, handle"), "{svg}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let problem = text(&Tables::default(), &Machine::default()).expect_err("nothing is there");
        assert!(problem.contains("`record`"), "{problem}");
    }
}
