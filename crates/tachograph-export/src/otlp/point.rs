//! The data points of each kind of metric.

use prost::bytes::BufMut;
use prost::encoding::{sint32, uint64};
use prost::{Enumeration, Message, Oneof};
use serde::Serialize;

use super::attributes::Attributes;
use super::borrowed::written_by_hand;
use super::json;
use super::message::Exemplar;

/// Whether a point covers everything since a fixed start or only since the previous point.
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

written_by_hand!(NumberDataPoint<'_>);

/// All fields except the attributes.
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
    pub(super) told: ExponentialHistogramFields<'a>,
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

written_by_hand!(ExponentialHistogramDataPoint<'_>);

/// All fields except the attributes.
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExponentialHistogramFields<'a> {
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
    pub(super) positive: Option<Buckets<'a>>,
    /// Repeated in the protocol; here at most one.
    #[prost(message, optional, tag = "11")]
    #[serde(serialize_with = "json::list", skip_serializing_if = "Option::is_none")]
    pub(super) exemplars: Option<Exemplar>,
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

/// Bucket counts from `offset` on, including empty buckets in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buckets<'a> {
    offset: i32,
    #[serde(serialize_with = "json::integers")]
    bucket_counts: &'a [u64],
    /// Encoded length, kept because every enclosing message asks for it.
    #[serde(skip)]
    bytes: usize,
}

impl<'a> Buckets<'a> {
    pub(super) fn new(offset: i32, bucket_counts: &'a [u64]) -> Self {
        let counts = uint64::encoded_len_packed(2, bucket_counts);
        Self { offset, bucket_counts, bytes: sint32::encoded_len(1, &offset) + counts }
    }

    fn write(&self, buffer: &mut impl BufMut) {
        sint32::encode(1, &self.offset, buffer);
        uint64::encode_packed(2, self.bucket_counts, buffer);
    }

    fn length(&self) -> usize {
        self.bytes
    }
}

written_by_hand!(Buckets<'_>);
