//! The configuration file of an OpenTelemetry Collector. Programs push OTLP to the collector, and
//! it writes to Prometheus.

use serde::Serialize;
use serde_json::{Value, json};

/// The sections, in the order in which a sample passes through them.
#[derive(Debug, Serialize)]
pub(crate) struct Config {
    receivers: Value,
    processors: Value,
    exporters: Value,
    service: Value,
}

pub(crate) fn config(job: &str) -> Config {
    Config {
        receivers: json!({ "otlp": { "protocols": { "http": { "endpoint": "127.0.0.1:4318" } } } }),
        processors: json!({
            "memory_limiter": { "check_interval": "1s", "limit_mib": 512 },
            // Data from other services is dropped. The service's name becomes the job.
            "filter/job": {
                "error_mode": "ignore",
                "metrics": {
                    "metric": [format!("resource.attributes[\"service.name\"] != \"{job}\"")],
                },
            },
            // Prometheus needs running totals. Those of an instance that is gone are dropped.
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
                    "processors": ["memory_limiter", "filter/job", "deltatocumulative", "batch"],
                    "exporters": ["prometheusremotewrite"],
                },
            },
        }),
    }
}
