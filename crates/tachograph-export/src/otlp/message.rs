//! The OTLP metrics v1 messages that are sent: one description for protobuf and JSON.
//!
//! Field names and numbers follow `opentelemetry/proto/metrics/v1/metrics.proto`,
//! `common/v1/common.proto`, `resource/v1/resource.proto` and
//! `collector/metrics/v1/metrics_service.proto`. Fields that are never sent are left out.

use std::borrow::Cow;

use prost::bytes::BufMut;
use prost::encoding::fixed64;
use prost::{Message, Oneof};
use serde::Serialize;

use super::attributes::KeyValue;
use super::borrowed::{bytes_len, write_bytes, written_by_hand};
use super::json;
use super::point::{ExponentialHistogram, Gauge, Sum};

/// The body of one request.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportMetricsServiceRequest<'a> {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_metrics: Vec<ResourceMetrics<'a>>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceMetrics<'a> {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<Resource<'a>>,
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_metrics: Vec<ScopeMetrics<'a>>,
}

/// The process that reports.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<'a> {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue<'a>>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeMetrics<'a> {
    #[prost(message, optional, tag = "1")]
    pub(super) scope: Option<InstrumentationScope>,
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<Metric<'a>>,
}

/// The library that measured.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstrumentationScope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
}

/// A metric of at least one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metric<'a> {
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) unit: Cow<'a, str>,
    #[serde(flatten)]
    pub(super) data: Option<Data<'a>>,
}

impl Metric<'_> {
    fn write(&self, buffer: &mut impl BufMut) {
        write_bytes(1, &*self.name, buffer);
        write_bytes(2, self.description, buffer);
        write_bytes(3, &*self.unit, buffer);
        if let Some(data) = &self.data {
            data.encode(buffer);
        }
    }

    fn length(&self) -> usize {
        let texts = bytes_len(1, &*self.name) + bytes_len(2, self.description);
        let data = self.data.as_ref().map_or(0, Data::encoded_len);
        texts + bytes_len(3, &*self.unit) + data
    }
}

written_by_hand!(Metric<'_>);

#[derive(Clone, PartialEq, Oneof, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Data<'a> {
    #[prost(message, tag = "5")]
    Gauge(Gauge<'a>),
    #[prost(message, tag = "7")]
    Sum(Sum<'a>),
    #[prost(message, tag = "10")]
    ExponentialHistogram(ExponentialHistogram<'a>),
}

/// A sample with its trace, as an example of its point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exemplar {
    #[serde(serialize_with = "json::integer")]
    pub(super) time_unix_nano: u64,
    #[serde(flatten)]
    pub(super) value: Option<ExemplarValue>,
    #[serde(serialize_with = "json::some_hex", skip_serializing_if = "Option::is_none")]
    pub(super) span_id: Option<[u8; 8]>,
    #[serde(serialize_with = "json::hex")]
    pub(super) trace_id: [u8; 16],
}

impl Exemplar {
    fn write(&self, buffer: &mut impl BufMut) {
        fixed64::encode(2, &self.time_unix_nano, buffer);
        if let Some(value) = &self.value {
            value.encode(buffer);
        }
        write_bytes(4, self.span_id.as_slice().as_flattened(), buffer);
        write_bytes(5, self.trace_id, buffer);
    }

    fn length(&self) -> usize {
        let value = self.value.as_ref().map_or(0, ExemplarValue::encoded_len);
        let ids =
            bytes_len(4, self.span_id.as_slice().as_flattened()) + bytes_len(5, self.trace_id);
        fixed64::encoded_len(2, &self.time_unix_nano) + value + ids
    }
}

written_by_hand!(Exemplar);

#[derive(Clone, Copy, PartialEq, Oneof, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ExemplarValue {
    #[prost(double, tag = "3")]
    #[serde(serialize_with = "json::float")]
    AsDouble(f64),
}
