//! `cargo xtask bench`: every benchmark with recording compiled in, compiled out and beside other
//! libraries, and the report.

use std::path::PathBuf;

use clap::Args;

use crate::report;
use crate::steps::{Failed, Steps};
use crate::tools::{self, Tools};

#[derive(Args)]
pub(crate) struct Options {
    /// Few repeats: figures are rough, so the report goes to the build folder instead of docs/.
    #[arg(long)]
    quick: bool,
    /// Report the tables of an earlier run without measuring anything.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
}

/// The runs of a report. They are separate because a build has one set of features per package.
const RUNS: [(&str, &str); 3] = [
    ("bench: recording on and off", ""),
    ("bench: recording compiled out", "--no-default-features --bench record"),
    ("bench: other libraries", "--no-default-features --features comparisons --bench versus*"),
];

pub(crate) fn run(tools: &Tools, steps: &mut Steps, options: &Options) -> Result<(), Failed> {
    let folder = tools.target("bench");
    let tables = options.from.clone().unwrap_or_else(|| folder.join("tables"));
    if options.from.is_none() {
        steps.run("bench: folder", || {
            // Otherwise tables of an earlier run could be taken for this one's.
            tools.shell.remove_path(&tables)?;
            Ok(tables.display().to_string())
        })?;
        for (name, selection) in RUNS {
            let bench = tools.cargo(&format!("bench --package benches {selection} -- --json"));
            let bench = bench.arg(&tables);
            steps.command(name, bench.args(options.quick.then_some("--quick")))?;
        }
    }
    let page = if options.quick { folder } else { tools::root().join("docs/benchmarks") };
    steps.run("bench: report", || report::write(tools, &tables, &page))
}
