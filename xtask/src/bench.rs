//! `cargo xtask bench`: every benchmark, with recording compiled in, compiled out and beside other
//! libraries, and a report of all of it.

use std::path::{Path, PathBuf};

use crate::cargo::{self, Metadata};
use crate::report;
use crate::steps::{Failed, Outcome, Steps};

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    /// Few repeats: figures are rough, so the report does not go where the documents are.
    quick: bool,
    /// Tables of an earlier run: nothing is measured.
    from: Option<PathBuf>,
}

/// The runs that the report is of: one package has one set of features a build.
const RUNS: [(&str, &[&str]); 3] = [
    ("bench: recording on and off", &[]),
    ("bench: recording compiled out", &["--no-default-features", "--bench", "record"]),
    (
        "bench: other libraries",
        &["--no-default-features", "--features", "comparisons", "--bench", "versus*"],
    ),
];

pub(crate) fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), Failed> {
    let (mut options, mut folder) = (Options::default(), PathBuf::new());
    steps.run("bench: options", || {
        options = parse(arguments)?;
        cargo::need_package("benches", "benches")?;
        folder = Metadata::load()?.target_directory("bench");
        Ok(String::new())
    })?;
    let tables = match &options.from {
        Some(tables) => tables.clone(),
        None => {
            let tables = folder.join("tables");
            steps.run("bench: folder", || emptied(&tables))?;
            measure(steps, &tables, options.quick)?;
            tables
        }
    };
    let page = if options.quick { folder } else { cargo::root().join("docs") };
    steps.run("bench: report", || report::write(&tables, &page))
}

/// Nothing of an earlier run is left to be taken for this one's.
fn emptied(folder: &Path) -> Outcome {
    if folder.exists() {
        let told = |error| format!("cannot empty {}: {error}", folder.display());
        std::fs::remove_dir_all(folder).map_err(told)?;
    }
    Ok(folder.display().to_string())
}

fn measure(steps: &mut Steps, tables: &Path, quick: bool) -> Result<(), Failed> {
    for (name, selection) in RUNS {
        steps.run(name, || {
            let mut bench = cargo::cargo(["bench", "--package", "benches"]);
            bench.args(selection).args(["--", "--json"]).arg(tables);
            bench.args(quick.then_some("--quick"));
            cargo::run(&mut bench)
        })?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--from" => {
                let folder = arguments.next().ok_or("--from needs the folder of the tables")?;
                options.from = Some(folder.into());
            }
            other => {
                let instead = "for one bench, `cargo bench -p benches --bench NAME`";
                return Err(format!("`{other}` is none of --quick, --from FOLDER; {instead}"));
            }
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_not_told_how_to_do_it_refuses() {
        let parse =
            |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let from = Some(PathBuf::from("a/b"));
        assert_eq!(parse("--from a/b --quick"), Ok(Options { quick: true, from }));
        assert_eq!(parse(""), Ok(Options::default()));
        assert!(parse("--from").is_err());
        assert!(parse("--bench record").expect_err("refused").contains("--bench NAME"));
    }
}
