//! OTLP's messages, written down from the public definition once more: what decodes shares nothing
//! with the library that encodes.
//!
//! Fields that the tests do not read are left out. JSON is read as strictly as a Collector does:
//! `null` is no number, 64-bit integers are strings, ids are in hex.

use prost::{Enumeration, Message, Oneof};
use serde::{Deserialize, Deserializer, de::Error};

/// `opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportMetricsServiceRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    pub(crate) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
pub(crate) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Eq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnyValue {
    /// Part of a oneof: present even if it is empty.
    #[prost(string, optional, tag = "1")]
    pub(crate) string_value: Option<String>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
pub(crate) struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    pub(crate) scope: Option<InstrumentationScope>,
    #[prost(message, repeated, tag = "2")]
    #[serde(default)]
    pub(crate) metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Eq, Message, Deserialize)]
pub(crate) struct InstrumentationScope {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) version: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
pub(crate) struct Metric {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    #[serde(default)]
    pub(crate) description: String,
    #[prost(string, tag = "3")]
    #[serde(default)]
    pub(crate) unit: String,
    #[prost(oneof = "Data", tags = "5, 7, 9, 10")]
    #[serde(flatten)]
    pub(crate) data: Option<Data>,
}

#[derive(Clone, PartialEq, Oneof, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Data {
    #[prost(message, tag = "5")]
    Gauge(Gauge),
    #[prost(message, tag = "7")]
    Sum(Sum),
    /// A classic histogram, which is never sent.
    #[prost(message, tag = "9")]
    Histogram(Gauge),
    #[prost(message, tag = "10")]
    ExponentialHistogram(ExponentialHistogram),
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gauge {
    #[prost(message, repeated, tag = "1")]
    pub(crate) data_points: Vec<NumberDataPoint>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sum {
    #[prost(message, repeated, tag = "1")]
    pub(crate) data_points: Vec<NumberDataPoint>,
    #[prost(enumeration = "AggregationTemporality", tag = "2")]
    pub(crate) aggregation_temporality: i32,
    #[prost(bool, tag = "3")]
    #[serde(default)]
    pub(crate) is_monotonic: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(crate) enum AggregationTemporality {
    Unspecified = 0,
    Delta = 1,
    Cumulative = 2,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NumberDataPoint {
    #[prost(fixed64, tag = "2")]
    #[serde(default, deserialize_with = "integer")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "integer")]
    pub(crate) time_unix_nano: u64,
    #[prost(oneof = "Number", tags = "4, 6")]
    #[serde(flatten)]
    pub(crate) value: Option<Number>,
    #[prost(message, repeated, tag = "7")]
    #[serde(default)]
    pub(crate) attributes: Vec<KeyValue>,
}

#[derive(Clone, Copy, PartialEq, Oneof, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Number {
    #[prost(double, tag = "4")]
    #[serde(deserialize_with = "float")]
    AsDouble(f64),
    #[prost(sfixed64, tag = "6")]
    #[serde(deserialize_with = "integer")]
    AsInt(i64),
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExponentialHistogram {
    #[prost(message, repeated, tag = "1")]
    pub(crate) data_points: Vec<ExponentialHistogramDataPoint>,
    #[prost(enumeration = "AggregationTemporality", tag = "2")]
    pub(crate) aggregation_temporality: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExponentialHistogramDataPoint {
    #[prost(message, repeated, tag = "1")]
    #[serde(default)]
    pub(crate) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    #[serde(default, deserialize_with = "integer")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "integer")]
    pub(crate) time_unix_nano: u64,
    #[prost(fixed64, tag = "4")]
    #[serde(deserialize_with = "integer")]
    pub(crate) count: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(default, deserialize_with = "some_float")]
    pub(crate) sum: Option<f64>,
    #[prost(sint32, tag = "6")]
    pub(crate) scale: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "integer")]
    pub(crate) zero_count: u64,
    #[prost(message, optional, tag = "8")]
    pub(crate) positive: Option<Buckets>,
    #[prost(message, optional, tag = "9")]
    pub(crate) negative: Option<Buckets>,
    #[prost(message, repeated, tag = "11")]
    #[serde(default)]
    pub(crate) exemplars: Vec<Exemplar>,
    #[prost(double, optional, tag = "12")]
    #[serde(default, deserialize_with = "some_float")]
    pub(crate) min: Option<f64>,
    #[prost(double, optional, tag = "13")]
    #[serde(default, deserialize_with = "some_float")]
    pub(crate) max: Option<f64>,
    #[prost(double, tag = "14")]
    #[serde(deserialize_with = "float")]
    pub(crate) zero_threshold: f64,
}

#[derive(Clone, PartialEq, Eq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Buckets {
    #[prost(sint32, tag = "1")]
    pub(crate) offset: i32,
    #[prost(uint64, repeated, tag = "2")]
    #[serde(deserialize_with = "integers")]
    pub(crate) bucket_counts: Vec<u64>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exemplar {
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "integer")]
    pub(crate) time_unix_nano: u64,
    #[prost(oneof = "ExemplarValue", tags = "3, 6")]
    #[serde(flatten)]
    pub(crate) value: Option<ExemplarValue>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(default, deserialize_with = "hex")]
    pub(crate) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(default, deserialize_with = "hex")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(message, repeated, tag = "7")]
    #[serde(default)]
    pub(crate) filtered_attributes: Vec<KeyValue>,
}

#[derive(Clone, Copy, PartialEq, Oneof, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ExemplarValue {
    #[prost(double, tag = "3")]
    #[serde(deserialize_with = "float")]
    AsDouble(f64),
    #[prost(sfixed64, tag = "6")]
    #[serde(deserialize_with = "integer")]
    AsInt(i64),
}

fn integer<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
    D: Deserializer<'de>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

fn integers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

fn float<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelled {
        Number(f64),
        Word(String),
    }
    match Spelled::deserialize(from)? {
        Spelled::Number(number) => Ok(number),
        Spelled::Word(word) => match &*word {
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            "NaN" => Ok(f64::NAN),
            _ => Err(D::Error::custom(format!("{word:?} is no number"))),
        },
    }
}

fn some_float<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    float(from).map(Some)
}

fn hex<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).map_err(D::Error::custom)?;
        u8::from_str_radix(pair, 16).map_err(D::Error::custom)
    };
    text.as_bytes().chunks(2).map(byte).collect()
}
