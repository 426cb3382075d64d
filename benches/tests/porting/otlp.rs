//! Pages as OTLP's JSON, and the exporter with which OpenTelemetry's program writes one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use serde_json::Value;

use crate::Samples;

/// Keeps the last payload as JSON, in place of one that sends it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exporter(Arc<Mutex<String>>);

impl Exporter {
    pub(crate) fn last(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }
}

impl PushMetricExporter for Exporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let request = ExportMetricsServiceRequest::from(metrics);
        *self.0.lock().expect("no panic") = serde_json::to_string(&request).expect("it is JSON");
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

/// The values of a payload: of a distribution count, sum, least and greatest.
pub(crate) fn samples(page: &str) -> Samples {
    let page: Value = serde_json::from_str(page).expect("JSON");
    let mut samples = Samples::new();
    for metric in each(&page, "resourceMetrics")
        .flat_map(|resource| each(resource, "scopeMetrics"))
        .flat_map(|scope| each(scope, "metrics"))
    {
        let name = metric["name"].as_str().expect("a name");
        let forms = ["sum", "gauge", "histogram", "exponentialHistogram"];
        for point in forms.iter().flat_map(|form| each(&metric[form], "dataPoints")) {
            for field in ["asInt", "asDouble", "count", "sum", "min", "max"] {
                if let Some(value) = number(&point[field]) {
                    let field = field.trim_start_matches("as").replace("Int", "Double");
                    samples.insert(format!("{name}{:?} {field}", attributes(point)), value);
                }
            }
        }
    }
    samples
}

fn each<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[list].as_array().into_iter().flatten()
}

fn attributes(point: &Value) -> Vec<(String, String)> {
    let attribute = |it: &Value| (it["key"].to_string(), it["value"]["stringValue"].to_string());
    let mut attributes: Vec<_> = each(point, "attributes").map(attribute).collect();
    attributes.sort();
    attributes
}

/// OTLP writes 64-bit integers as strings.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
