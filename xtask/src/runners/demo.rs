//! Runs the README's demo as written and checks what the README promises.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::steps::{Failed, Steps};
use crate::tools::Tools;

const DEMO: &str = "run --release -- demo";

pub(crate) fn run(tools: &Tools, steps: &mut Steps) -> Result<(), Failed> {
    steps.run("demo: needs no C compiler", || no_c_compiler(tools))?;
    steps.command("demo", tools.cargo(DEMO))?;
    steps.run("demo: its summary", || {
        let summary = tools.cargo(DEMO).args(["--events", "20000", "--json"]).read()?;
        check(&serde_json::from_str(&summary).context("the summary is not JSON")?)
    })
}

/// Checks that no dependency of the demo needs a C compiler.
fn no_c_compiler(tools: &Tools) -> Result<String> {
    let packages = tools.cargo("tree --edges normal,build --prefix none").read()?;
    ensure!(packages.contains("ast-server v"), "`cargo tree` does not list the server");
    let compiles = |line: &&str| ["cc ", "cmake "].iter().any(|name| line.starts_with(name));
    let needed: Vec<_> = packages.lines().filter(compiles).collect();
    ensure!(needed.is_empty(), "{needed:?}: put the dependency behind a feature");
    Ok(String::new())
}

/// Nothing lost, every event in exactly one class, every latency measured.
fn check(summary: &Value) -> Result<String> {
    let number = |path: &str| {
        let value = summary.pointer(path).and_then(Value::as_f64);
        value.with_context(|| format!("the summary has no number at {path}"))
    };
    let received = number("/event_processing/received")?;
    let mut classed = number("/errors_total")?;
    for class in ["total_processed", "ignored", "unhandled", "rejected"] {
        classed += number(&format!("/event_processing/{class}"))?;
    }
    let dropped = number("/udp_listener/packets_dropped")?;
    ensure!(
        (received, classed, dropped) == (20_000.0, 20_000.0, 0.0),
        "received {received}, in some class {classed}, dropped {dropped}"
    );
    for quantile in ["p50", "p95", "p99"] {
        let latency = number(&format!("/event_processing/latency_ms/{quantile}"))?;
        ensure!(latency > 0.0, "latency {quantile} is not above zero");
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(received: u32, unhandled: u32, p50: f64) -> Value {
        serde_json::json!({
            "event_processing": {
                "total_processed": 19_980, "received": received, "ignored": 0,
                "unhandled": unhandled, "rejected": 0,
                "latency_ms": {"p50": p50, "p95": 0.02, "p99": 0.03},
            },
            "udp_listener": {"packets_dropped": 0},
            "errors_total": 0,
        })
    }

    #[test]
    fn a_summary_that_lost_an_event_or_a_latency_is_refused() {
        assert!(check(&summary(20_000, 20, 0.001)).is_ok());
        assert!(check(&summary(19_999, 20, 0.001)).is_err());
        assert!(check(&summary(20_000, 19, 0.001)).is_err());
        assert!(check(&summary(20_000, 20, 0.0)).is_err());
        assert!(check(&Value::Null).is_err());
    }
}
