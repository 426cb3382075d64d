//! `hotpath`: its timer of a block. Its measurements end in a report, which is made when its guard
//! is dropped.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hotpath::{Format, HotpathGuard, HotpathGuardBuilder};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::Rival;
use crate::case::Case;

/// The process' only profile, renewed at each check.
struct Profile {
    guard: Option<HotpathGuard>,
    /// Written when the guard is dropped, which comes first.
    report: NamedTempFile,
    /// Measurements in earlier reports.
    reported: u64,
}

fn start(report: &Path) -> HotpathGuard {
    HotpathGuardBuilder::new("benches").format(Format::Json).output_path(report).build()
}

/// The number of measurements in a report.
fn calls(report: &Path) -> u64 {
    let text = std::fs::read_to_string(report).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let functions = report["functions_timing"]["data"].as_array().expect("a list");
    let timer = functions.iter().find(|function| function["name"] == "timer");
    timer.and_then(|timer| timer["calls"].as_u64()).expect("a number")
}

pub(super) fn timer() -> Rival {
    let report = NamedTempFile::new().expect("a temporary file");
    let profile = Mutex::new(Profile { guard: Some(start(report.path())), report, reported: 0 });
    // The braces: a literal would be exported as a symbol, which is unsafe code.
    let time = |(): &(), _| hotpath::measure_block!({ "timer" }, {});
    let case = Case::new("hotpath", || (), time).check(move |done| {
        let mut profile = profile.lock().unwrap_or_else(PoisonError::into_inner);
        drop(profile.guard.take());
        profile.reported += calls(profile.report.path());
        assert_eq!(profile.reported, done.operations);
        profile.guard = Some(start(profile.report.path()));
    });
    Rival::new(
        case,
        "two reads of quanta's clock; by name; a queue that grows while it is not read",
    )
    .seen("in the report at its end; over HTTP every 50 ms")
    .within("0.1 %")
}
