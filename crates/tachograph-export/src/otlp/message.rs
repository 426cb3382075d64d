//! The messages of OTLP metrics v1 that are sent: one description for protobuf and JSON.
//!
//! Names and numbers of the fields are those of `opentelemetry/proto/metrics/v1/metrics.proto`,
//! `common/v1/common.proto`, `resource/v1/resource.proto` and
//! `collector/metrics/v1/metrics_service.proto`. Fields that are never sent are left out.

use std::borrow::Cow;

use prost::bytes::BufMut;
use prost::{Message, Oneof};
use serde::Serialize;

use super::attributes::KeyValue;
use super::borrowed::{text_len, write_text, written_by_hand};
use super::json;
use super::point::{ExponentialHistogram, Gauge, Sum};

/// What is sent: the body of one request.
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

/// Who tells.
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

/// What measured it.
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
        write_text(1, &self.name, buffer);
        write_text(2, self.description, buffer);
        write_text(3, &self.unit, buffer);
        if let Some(data) = &self.data {
            data.encode(buffer);
        }
    }

    fn length(&self) -> usize {
        let texts = text_len(1, &self.name) + text_len(2, self.description);
        let data = self.data.as_ref().map_or(0, Data::encoded_len);
        texts + text_len(3, &self.unit) + data
    }
}

written_by_hand!(Metric);

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

/// A sample that stands for the others of its point, with the trace it belongs to.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exemplar {
    #[prost(fixed64, tag = "2")]
    #[serde(serialize_with = "json::integer")]
    pub(super) time_unix_nano: u64,
    #[prost(oneof = "ExemplarValue", tags = "3")]
    #[serde(flatten)]
    pub(super) value: Option<ExemplarValue>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(serialize_with = "json::hex", skip_serializing_if = "Vec::is_empty")]
    pub(super) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(serialize_with = "json::hex", skip_serializing_if = "Vec::is_empty")]
    pub(super) trace_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Oneof, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ExemplarValue {
    #[prost(double, tag = "3")]
    #[serde(serialize_with = "json::float")]
    AsDouble(f64),
}
