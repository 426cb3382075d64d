//! Makes functions of the documents' programs, for `tests/documents.rs`.
//!
//! A program is a block of Rust that has a collector. It runs as it stands in the document, and
//! then passes the collector to `page`.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo by it")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Files, and folders with all files below. Without the guides whose programs are whole files:
/// `benches/tests/porting` runs these.
const DOCUMENTS: [&str; 7] = [
    "README.md",
    "docs/porting/metrics.md",
    "crates/tachograph/src",
    "crates/tachograph-export/src",
    "crates/tachograph-loop/src",
    "crates/tachograph-metrics/src",
    "crates/tachograph-tracing/src",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    let mut files = Vec::new();
    for document in DOCUMENTS {
        println!("cargo::rerun-if-changed=../{document}");
        find(root.join(document), &mut files)?;
    }
    files.sort();
    let (mut functions, mut names) = (String::new(), String::new());
    for file in files {
        let name = file.strip_prefix(&root)?.with_extension("").display().to_string();
        let name =
            name.to_lowercase().replace("crates/", "").replace("src/", "").replace(['/', '-'], "_");
        let programs = blocks(&fs::read_to_string(file)?).into_iter().filter_map(program);
        for (number, program) in (1..).zip(programs) {
            writeln!(functions, "fn {name}_{number}() {{\n{program}}}")?;
            writeln!(names, "(\"{name}_{number}\", {name}_{number}),")?;
        }
    }
    let file = Path::new(&env::var("OUT_DIR")?).join("documents.rs");
    let programs = format!("pub(crate) const PROGRAMS: &[(&str, fn())] = &[\n{names}];\n");
    Ok(fs::write(file, functions + &programs)?)
}

/// The files of a document or folder.
fn find(path: PathBuf, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path);
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| find(entry?.path(), files))
}

/// The text of each block of Rust that is compiled, comments' slashes removed.
fn blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block = None;
    for line in document.lines() {
        let line = line.trim_start();
        let line = ["//!", "///"].iter().find_map(|lead| line.strip_prefix(lead)).unwrap_or(line);
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (line.strip_prefix("```"), &mut block) {
            (Some(_), Some(_)) => blocks.extend(block.take().flatten()),
            (Some(kind), None) => {
                let is_rust = ["", "rust", "rust,standalone_crate"].contains(&kind);
                block = Some(is_rust.then(String::new));
            }
            // Hidden lines are part of the program.
            (None, Some(Some(text))) if line != "#" => {
                *text += line.strip_prefix("# ").unwrap_or(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// A block that has a collector, as a function's body.
fn program(block: String) -> Option<String> {
    // A `main` of its own hides its collector.
    if block.contains("fn main()") {
        return None;
    }
    let own = ["metrics", "collector"].into_iter().find(|name| {
        let made = |made: &str| block.contains(&format!("let {name} = {made}"));
        made("MetricsCollector::") || made("tachograph::MetricsCollector::")
    });
    let collector = match own {
        _ if block.contains("set_global(") || block.contains("= tachograph::global()") => {
            "tachograph::global()".to_owned()
        }
        own => format!("&{}", own?),
    };
    let page = format!(";crate::page({collector});\n");
    // `?` in a program is that of a closure.
    Some(match block.find("Ok::<") {
        Some(end) => {
            let (body, result) = block.split_at(end);
            format!("(|| {{\n{body}{page}{result}}})().expect(\"no error\");\n")
        }
        None => block + &page,
    })
}
