//! Errors by type: `cargo run -p ast-server --example error_tracking`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::collections::BTreeMap;
use std::error::Error;

use ast_server::AstServer;

/// How an event can fail.
enum Failure {
    Value,
    MissingKey,
}

fn process_event(event: &BTreeMap<&str, &str>) -> Result<u32, Failure> {
    let track = event.get("track").ok_or(Failure::MissingKey)?;
    track.parse().map_err(|_| Failure::Value)
}

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let server = AstServer::new();
    let metrics = server.metrics();

    // Track different error types.
    let events = [("track", "3"), ("track", "three"), ("scene", "1"), ("track", "")];
    for event in events {
        match process_event(&BTreeMap::from([event])) {
            Ok(_) => {}
            Err(Failure::Value) => {
                metrics.with_tags(&[("error_type", "ValueError")]).increment("errors.validation");
            }
            Err(Failure::MissingKey) => {
                metrics.with_tags(&[("error_type", "KeyError")]).increment("errors.missing_key");
            }
        }
    }

    // Check error rates.
    let all_metrics = server.get_metrics();
    let counters = all_metrics["metrics"]["counters"].as_object().ok_or("counters by key")?;
    for (key, stats) in counters.iter().filter(|(key, _)| key.contains("error")) {
        println!("{key}: {}", stats["value"]);
    }

    let summary = server.get_metrics_summary();
    assert_eq!(summary.errors["errors.validation"], 2);
    assert_eq!(summary.errors["errors.missing_key"], 1);
    assert_eq!(summary.errors_total, 3);
    Ok(())
}
