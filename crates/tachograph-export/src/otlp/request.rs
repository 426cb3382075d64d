//! Converts a snapshot to the messages of one request.

use std::borrow::Cow;
use std::collections::HashMap;

use prost::Message;
use tachograph::{Series, Snapshot};

use super::attributes::{KeyValue, keyless, stand_in};
use super::fits::Fits;
use super::message::{
    ExportMetricsServiceRequest, InstrumentationScope, Metric, Resource, ResourceMetrics,
    ScopeMetrics,
};
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
    let series = by_metric(series);
    let groups = || series.chunk_by(|a, b| a.metric.name == b.metric.name);
    let keyless: Vec<_> = groups().map(|group| keyless(group, snapshot)).collect();
    let fits = Fits::new(&series, settings.resolution);
    let mut fits = fits.iter();
    let metrics = groups().zip(&keyless).filter_map(|(group, keyless)| {
        let name = match &*group[0].metric.name {
            "" => stand_in(|name| snapshot.metric(name).next().is_some()).into(),
            name => Cow::Borrowed(name),
        };
        metric::metric(name, group, Context { settings, times, keyless }, &mut fits)
    });
    let request = request(settings, metrics.collect());
    request.write(settings.encoding, out);
    request.points()
}

fn request<'a>(
    settings: &'a Settings,
    metrics: Vec<Metric<'a>>,
) -> ExportMetricsServiceRequest<'a> {
    let scope = InstrumentationScope {
        name: SCOPE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let attributes = settings.resource.iter().map(|(key, value)| KeyValue { key, value });
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes: attributes.collect() }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics }],
        }],
    }
}

impl ExportMetricsServiceRequest<'_> {
    fn write(&self, encoding: Encoding, out: &mut Vec<u8>) {
        match encoding {
            // `encode` would check the remaining capacity first, but a vector grows.
            Encoding::Protobuf => self.encode_raw(out),
            Encoding::Json => serde_json::to_writer(out, self)
                .expect("keys are strings, and memory accepts every write"),
        }
    }

    /// The number of data points.
    fn points(&self) -> usize {
        let scopes = self.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        scopes.flat_map(|scope| &scope.metrics).map(|metric| metric.points()).sum()
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
