//! The configuration of an OpenTelemetry Collector: servers push OTLP, Prometheus is written to.

use serde::Serialize;
use serde_json::{Value, json};

use crate::metrics::DECLARED;

/// Sections in the order in which a sample passes through them.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    receivers: Value,
    processors: Value,
    exporters: Value,
    service: Value,
}

pub(super) fn config() -> Config {
    Config {
        receivers: json!({ "otlp": { "protocols": { "http": { "endpoint": "127.0.0.1:4318" } } } }),
        processors: json!({
            "memory_limiter": { "check_interval": "1s", "limit_mib": 512 },
            // Whatever else comes to the port is no metric of the server.
            "filter/declared": {
                "error_mode": "ignore",
                "metrics": { "metric": [format!("not IsMatch(name, \"{}\")", declared())] },
            },
            // Prometheus keeps running totals; those of a server that is gone are let go.
            "deltatocumulative": { "max_stale": "5m" },
            "batch": {},
        }),
        exporters: json!({
            "prometheusremotewrite": {
                "endpoint": "http://127.0.0.1:9090/api/v1/write",
                "resource_to_telemetry_conversion": { "enabled": true },
            },
        }),
        service: json!({
            "pipelines": {
                "metrics": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "filter/declared", "deltatocumulative", "batch"],
                    "exporters": ["prometheusremotewrite"],
                },
            },
        }),
    }
}

/// A pattern of the names that the server pushes: its own metrics, and those of its telemetry.
fn declared() -> String {
    let mut names: Vec<_> = DECLARED.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    // To the collector, `$$` is a `$`, and in a string of its language `\\\\` is a `\\`.
    let names = names.join("|").replace('.', "\\\\.");
    format!("^({names}|(telemetry|metrics)\\\\..+)$$")
}
