//! Runs the programs of the README, the guides and the crates' documentation, and judges what each
//! exports: the page is valid, no kind is wrong, nothing is lost.
//!
//! Each runs in a process of its own, because some set the process's collector.
#![allow(clippy::print_stdout, reason = "its own harness")]

#[path = "program/page.rs"]
mod page;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../../crates/tachograph-export/tests/prometheus/parse.rs"]
mod parse;

use std::env;
use std::process::Command;
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_export::prometheus;

#[allow(warnings, clippy::all, clippy::print_stdout, reason = "as they stand in the documents")]
mod documents {
    include!(concat!(env!("OUT_DIR"), "/documents.rs"));
}
use documents::PROGRAMS;

/// Names the program that this process is to run.
const NAME: &str = "TACHOGRAPH_DOCUMENTS_PROGRAM";

/// The collector counts here what a caller cannot have meant.
const FAULTS: [&str; 3] =
    ["telemetry.monotonic_decrements", "telemetry.kind_conflicts", "telemetry.dropped"];

/// Programs that no document should have, by the complaint about each: if one passes, a document's
/// mistake would pass, too.
const MISTAKES: [(&str, fn()); 4] = [
    ("telemetry.monotonic_decrements", || {
        let metrics = MetricsCollector::new();
        metrics.register_counter("visitors").increment();
        metrics.decrement("visitors");
        page(&metrics);
    }),
    ("telemetry.kind_conflicts", || {
        let metrics = MetricsCollector::new();
        metrics.gauge("visitors", 1.0);
        metrics.increment("visitors");
        page(&metrics);
    }),
    ("telemetry.dropped", || {
        let metrics = MetricsCollector::builder().manual().build();
        let visitors = metrics.register_counter("visitors");
        metrics.shutdown(Duration::ZERO);
        visitors.increment();
        page(&metrics);
    }),
    ("the program panics", || panic!("the program panics")),
];

fn main() {
    if let Ok(name) = env::var(NAME) {
        let mut all = PROGRAMS.iter().chain(&MISTAKES);
        let (_, run) = all.find(|(program, _)| *program == name).expect("one of them");
        return run();
    }
    // The build script would find none if the documents changed their form.
    assert!(PROGRAMS.len() >= 30, "{} programs", PROGRAMS.len());
    for (name, _) in PROGRAMS {
        let (is_right, said) = run(name);
        assert!(is_right, "{name}: {said}");
    }
    for (complaint, _) in MISTAKES {
        let (is_right, said) = run(complaint);
        assert!(!is_right && said.contains(complaint), "{complaint}: {said}");
    }
    println!("{} programs of the documents, {} mistakes", PROGRAMS.len(), MISTAKES.len());
}

/// Runs a program in a process of its own; whether it ended well, and what it said.
fn run(name: &str) -> (bool, String) {
    let this = env::current_exe().expect("this program");
    let output = Command::new(this).env(NAME, name).output().expect("it starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Judges what a program leaves behind.
fn page(metrics: &MetricsCollector) {
    metrics.publish();
    let snapshot = metrics.snapshot();
    for fault in FAULTS {
        let counted =
            snapshot.total(fault).and_then(|total| Some(total.as_counter()?.lifetime.value));
        assert_eq!(counted, Some(0), "{fault}");
    }
    let mut text = String::new();
    prometheus::encode(&snapshot, &mut text);
    parse::parse(&text).expect("a valid page");
    page::keep(&env::var(NAME).expect("set by the parent"), &text);
    let _ = metrics.shutdown(Duration::from_secs(1));
}
