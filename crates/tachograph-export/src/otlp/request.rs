//! A snapshot as the messages of one request.

use std::collections::HashMap;

use prost::Message;
use tachograph::{Series, Snapshot};

use super::attributes::{keyless, stand_in};
use super::message::{
    ExportMetricsServiceRequest, InstrumentationScope, KeyValue, Resource, ResourceMetrics,
    ScopeMetrics,
};
use super::metric::{self, Context, Times};
use super::settings::{Encoding, Settings};

/// The name of what measures.
const SCOPE: &str = "tachograph";

/// Tells these series of a snapshot; gains since a time, if there is one.
pub(super) fn request<'a>(
    settings: &Settings,
    snapshot: &Snapshot,
    times: Times,
    series: impl Iterator<Item = &'a Series>,
) -> ExportMetricsServiceRequest {
    let mut metrics = Vec::new();
    for series in by_metric(series) {
        let name = match &*series[0].metric.name {
            "" => stand_in(|name| snapshot.metric(name).next().is_some()),
            name => name.to_owned(),
        };
        let keyless = keyless(&series, snapshot);
        let context = Context { settings, times, keyless: &keyless };
        metrics.extend(metric::metric(name, &series, context));
    }
    let scope = InstrumentationScope {
        name: SCOPE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let attributes = settings.resource.iter().map(|(key, value)| KeyValue::new(key, value));
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes: attributes.collect() }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics }],
        }],
    }
}

impl ExportMetricsServiceRequest {
    pub(super) fn write(&self, encoding: Encoding, out: &mut Vec<u8>) {
        match encoding {
            // Err is for buffers that cannot grow.
            Encoding::Protobuf => self.encode(out).expect("a vector grows"),
            Encoding::Json => serde_json::to_writer(out, self)
                .expect("keys are strings, and memory accepts every write"),
        }
    }

    /// How many data points are in it.
    pub(super) fn points(&self) -> usize {
        let scopes = self.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        scopes.flat_map(|scope| &scope.metrics).map(|metric| metric.points()).sum()
    }
}

/// The series of each metric, in the order in which the metrics first come.
fn by_metric<'a>(series: impl Iterator<Item = &'a Series>) -> Vec<Vec<&'a Series>> {
    let mut groups = Vec::<Vec<&Series>>::new();
    let mut known = HashMap::new();
    // Nearly always the next series is of the same metric.
    let mut last = ("", usize::MAX);
    for series in series {
        let name = &*series.metric.name;
        if last.1 == usize::MAX || last.0 != name {
            let next = groups.len();
            last = (name, *known.entry(name).or_insert(next));
            if last.1 == next {
                groups.push(Vec::new());
            }
        }
        groups[last.1].push(series);
    }
    groups
}
