//! Converts a snapshot to the messages of one request.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use tachograph::{ExportedNames, Series, Snapshot};

use super::attributes::{attribute, keyless, stand_in};
use super::json;
use super::metric::{self, Context, Times};
use super::settings::{Encoding, Settings};

/// The name of the instrumentation scope.
const SCOPE: &str = "tachograph";

/// Appends a request with these series of a snapshot, as gains if `times.since` is set. Returns the
/// number of data points.
pub(super) fn write<'a>(
    settings: &Settings,
    snapshot: &Snapshot,
    times: Times,
    series: impl Iterator<Item = &'a Series>,
    out: &mut Vec<u8>,
) -> usize {
    let is_told = |series: &&Series| settings.telemetry || !series.metric.is_telemetry();
    let series = by_metric(series.filter(is_told));
    let names = snapshot.exported_names();
    let groups = series.chunk_by(|a, b| a.metric.name == b.metric.name);
    let metrics = groups.filter_map(|group| {
        let name = match &*group[0].metric.name {
            "" => stand_in(|name| snapshot.metric(name).next().is_some()),
            name => name.to_owned(),
        };
        let name = match names.prefix() {
            "" => name,
            prefix => format!("{prefix}.{name}"),
        };
        let keyless = keyless(group, snapshot);
        metric::metric(name, group, Context { settings, times, keyless: &keyless })
    });
    let (metrics, points): (_, Vec<_>) = metrics.unzip();
    let request = request(settings, names, metrics);
    match settings.encoding {
        // `encode` would check the remaining capacity first, but a vector grows.
        Encoding::Protobuf => request.encode_raw(out),
        Encoding::Json => json::write(&request, out),
    }
    points.iter().sum()
}

fn request(
    settings: &Settings,
    names: &ExportedNames,
    metrics: Vec<Metric>,
) -> ExportMetricsServiceRequest {
    let scope = InstrumentationScope {
        name: SCOPE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let own = &settings.resource;
    let is_free = |key: &str| !key.is_empty() && own.iter().all(|(known, _)| known != key);
    let constants = names.constants().iter().filter(|constant| is_free(&constant.key));
    let constants = constants.map(|it| attribute(&it.key, &it.value));
    let own = own.iter().map(|(key, value)| attribute(key, value));
    let attributes = own.chain(constants).collect();
    let scope_metrics = ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_metrics: vec![scope_metrics],
            ..ResourceMetrics::default()
        }],
    }
}

/// The series grouped by metric, in the order in which the metrics first appear.
fn by_metric<'a>(series: impl Iterator<Item = &'a Series>) -> Vec<&'a Series> {
    let mut known = HashMap::new();
    // The next series nearly always belongs to the same metric.
    let mut last = None;
    let placed = series.map(|series| {
        let name = &*series.metric.name;
        let place = match last {
            Some((last, place)) if last == name => place,
            _ => {
                let next = known.len();
                *known.entry(name).or_insert(next)
            }
        };
        last = Some((name, place));
        (place, series)
    });
    let mut placed: Vec<_> = placed.collect();
    // Stable, and fast if they are already in order.
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, series)| series).collect()
}
