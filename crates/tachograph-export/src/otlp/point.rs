//! The data points of each kind of metric.

use prost::bytes::BufMut;
use prost::{Enumeration, Message, Oneof};
use serde::Serialize;

use super::attributes::Attributes;
use super::borrowed::written_by_hand;
use super::json;
use super::message::Exemplar;

/// What a point's values are about: everything since a fixed start, or since the point before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(super) enum AggregationTemporality {
    Unspecified = 0,
    Delta = 1,
    Cumulative = 2,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Gauge<'a> {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<NumberDataPoint<'a>>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sum<'a> {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<NumberDataPoint<'a>>,
    #[prost(enumeration = "AggregationTemporality", tag = "2")]
    pub(super) aggregation_temporality: i32,
    #[prost(bool, tag = "3")]
    pub(super) is_monotonic: bool,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExponentialHistogram<'a> {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<ExponentialHistogramDataPoint<'a>>,
    #[prost(enumeration = "AggregationTemporality", tag = "2")]
    pub(super) aggregation_temporality: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct NumberDataPoint<'a> {
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub(super) attributes: Attributes<'a>,
    #[serde(flatten)]
    pub(super) told: NumberFields,
}

impl NumberDataPoint<'_> {
    fn write(&self, buffer: &mut impl BufMut) {
        self.attributes.write(7, buffer);
        self.told.encode_raw(buffer);
    }

    fn length(&self) -> usize {
        self.attributes.length() + self.told.encoded_len()
    }
}

written_by_hand!(NumberDataPoint);

/// All of it but the attributes.
#[derive(Clone, Copy, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NumberFields {
    #[prost(fixed64, tag = "2")]
    #[serde(serialize_with = "json::integer", skip_serializing_if = "json::is_zero")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(serialize_with = "json::integer")]
    pub(super) time_unix_nano: u64,
    #[prost(oneof = "Number", tags = "4, 6")]
    #[serde(flatten)]
    pub(super) value: Option<Number>,
}

#[derive(Clone, Copy, PartialEq, Oneof, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Number {
    #[prost(double, tag = "4")]
    #[serde(serialize_with = "json::float")]
    AsDouble(f64),
    #[prost(sfixed64, tag = "6")]
    #[serde(serialize_with = "json::integer")]
    AsInt(i64),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct ExponentialHistogramDataPoint<'a> {
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub(super) attributes: Attributes<'a>,
    #[serde(flatten)]
    pub(super) told: ExponentialHistogramFields,
}

impl ExponentialHistogramDataPoint<'_> {
    fn write(&self, buffer: &mut impl BufMut) {
        self.attributes.write(1, buffer);
        self.told.encode_raw(buffer);
    }

    fn length(&self) -> usize {
        self.attributes.length() + self.told.encoded_len()
    }
}

written_by_hand!(ExponentialHistogramDataPoint);

/// All of it but the attributes.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExponentialHistogramFields {
    #[prost(fixed64, tag = "2")]
    #[serde(serialize_with = "json::integer", skip_serializing_if = "json::is_zero")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(serialize_with = "json::integer")]
    pub(super) time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(serialize_with = "json::integer")]
    pub(super) count: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(serialize_with = "json::some_float", skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<f64>,
    #[prost(sint32, tag = "6")]
    pub(super) scale: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(serialize_with = "json::integer")]
    pub(super) zero_count: u64,
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) positive: Option<Buckets>,
    #[prost(message, repeated, tag = "11")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(double, optional, tag = "12")]
    #[serde(serialize_with = "json::some_float", skip_serializing_if = "Option::is_none")]
    pub(super) min: Option<f64>,
    #[prost(double, optional, tag = "13")]
    #[serde(serialize_with = "json::some_float", skip_serializing_if = "Option::is_none")]
    pub(super) max: Option<f64>,
    #[prost(double, tag = "14")]
    #[serde(serialize_with = "json::float")]
    pub(super) zero_threshold: f64,
}

/// Counts of the buckets from `offset` on, those without samples in between included.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buckets {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint64, repeated, tag = "2")]
    #[serde(serialize_with = "json::integers")]
    pub(super) bucket_counts: Vec<u64>,
}
