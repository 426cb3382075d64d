//! Decodes payloads.

use std::collections::BTreeMap;

use prost::Message;
use tachograph::Snapshot;
use tachograph_export::otlp::{Encoder, Encoding, Settings};

use super::definition::{
    Data, ExponentialHistogramDataPoint, ExportMetricsServiceRequest, KeyValue, Metric,
    NumberDataPoint,
};

pub(crate) type Request = ExportMetricsServiceRequest;

/// The output of an encoder for a snapshot.
pub(crate) fn protobuf(encoder: &mut Encoder, snapshot: &Snapshot) -> Request {
    let mut bytes = Vec::new();
    let points = encoder.encode(snapshot, &mut bytes);
    let request = Request::decode(&bytes[..]).expect("protobuf");
    assert_eq!(points, points_of(&request), "as many points as it says");
    request
}

pub(crate) fn json(encoder: &mut Encoder, snapshot: &Snapshot) -> Request {
    let mut bytes = Vec::new();
    let points = encoder.encode(snapshot, &mut bytes);
    if points == 0 {
        return Request::default();
    }
    let request: Request = serde_json::from_slice(&bytes).expect("OTLP/JSON");
    assert_eq!(points, points_of(&request));
    request
}

/// A snapshot as read by a receiver that has seen nothing before.
pub(crate) fn whole(settings: &Settings, snapshot: &Snapshot) -> Request {
    protobuf(&mut settings.clone().encoding(Encoding::Protobuf).encoder(), snapshot)
}

pub(crate) fn metrics(request: &Request) -> impl Iterator<Item = &Metric> {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics)
}

pub(crate) fn metric<'a>(request: &'a Request, name: &str) -> &'a Metric {
    let mut found = metrics(request).filter(|metric| metric.name == name);
    let metric = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "{name} twice");
    metric
}

fn points_of(request: &Request) -> usize {
    metrics(request).map(|metric| numbers(metric).len() + distributions(metric).len()).sum()
}

pub(crate) fn numbers(metric: &Metric) -> &[NumberDataPoint] {
    match &metric.data {
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        Some(Data::Sum(sum)) => &sum.data_points,
        _ => &[],
    }
}

pub(crate) fn distributions(metric: &Metric) -> &[ExponentialHistogramDataPoint] {
    match &metric.data {
        Some(Data::ExponentialHistogram(histogram)) => &histogram.data_points,
        _ => &[],
    }
}

/// Attributes by key; no key may be empty or occur twice.
pub(crate) fn tags(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for attribute in attributes {
        let value = attribute.value.as_ref().and_then(|value| value.string_value.clone());
        let Some(value) = value else { panic!("{attribute:?}") };
        assert!(!attribute.key.is_empty());
        assert_eq!(tags.insert(attribute.key.clone(), value), None, "{attribute:?} twice");
    }
    tags
}
