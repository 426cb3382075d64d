//! The README's demo: run as it stands there, then checked for what it promises.

use serde_json::Value;

use crate::cargo::{cargo, run as run_command};
use crate::steps::{Failed, Outcome, Steps};

const DEMO: [&str; 4] = ["run", "--release", "--", "demo"];

pub(crate) fn run(steps: &mut Steps) -> Result<(), Failed> {
    steps.run("demo", || run_command(&mut cargo(DEMO)))?;
    steps.run("demo: its summary", || {
        let output = cargo(DEMO).args(["--events", "20000", "--json"]).output();
        let output = output.map_err(|error| format!("cargo could not be started: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let summary = serde_json::from_slice(&output.stdout);
        check(&summary.map_err(|error| format!("the summary is no JSON: {error}"))?)
    })
}

/// Nothing lost, every event in exactly one class, every latency measured.
fn check(summary: &Value) -> Outcome {
    let number = |path: &str| {
        let value = summary.pointer(path).and_then(Value::as_f64);
        value.ok_or_else(|| format!("the summary has no number at {path}"))
    };
    let received = number("/event_processing/received")?;
    let classes = ["total_processed", "ignored", "unhandled", "rejected"];
    let mut classed = number("/errors_total")?;
    for class in classes {
        classed += number(&format!("/event_processing/{class}"))?;
    }
    let dropped = number("/udp_listener/packets_dropped")?;
    if (received, classed, dropped) != (20_000.0, 20_000.0, 0.0) {
        return Err(format!("received {received}, in some class {classed}, dropped {dropped}"));
    }
    for quantile in ["p50", "p95", "p99"] {
        if number(&format!("/event_processing/latency_ms/{quantile}"))? <= 0.0 {
            return Err(format!("latency {quantile} is not above zero"));
        }
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
