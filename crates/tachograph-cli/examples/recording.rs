//! Writes a recording and, as JSON, the samples in it, and a shorter one of an earlier run:
//! `recording FOLDER SECONDS`.
#![allow(clippy::print_stdout, reason = "a command-line program")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder: PathBuf = arguments.next().ok_or("which folder?")?.into();
    let seconds = arguments.next().ok_or("how many seconds?")?.parse()?;
    std::fs::create_dir_all(&folder)?;
    let known = common::write(&folder.join("run.jsonl.gz"), seconds, 7)?;
    common::write(&folder.join("before.jsonl.gz"), seconds / 2, 8)?;
    let json = serde_json::json!({ "samples": known.samples, "counts": known.counts });
    std::fs::write(folder.join("known.json"), json.to_string())?;
    println!("{seconds} s, {} samples", known.samples.len());
    Ok(())
}
