//! Decodes the bytes as Prometheus and a Collector do.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;

use crate::classic::Classic;
use crate::exponential::Exponential;

/// A message of `io.prometheus.client`, with only the fields needed here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricFamily {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, repeated, tag = "4")]
    pub(crate) metric: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metric {
    #[prost(message, optional, tag = "7")]
    pub(crate) histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(message, repeated, tag = "3")]
    pub(crate) bucket: Vec<Bucket>,
    #[prost(sint32, tag = "5")]
    schema: i32,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    positive_delta: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Bucket {
    #[prost(uint64, tag = "1")]
    cumulative_count: u64,
    #[prost(double, tag = "2")]
    upper_bound: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct BucketSpan {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

impl Histogram {
    /// The native buckets: spans of indices, with each count as the difference from the previous
    /// one.
    pub(crate) fn native(&self) -> Exponential {
        let mut deltas = self.positive_delta.iter();
        let (mut index, mut count, mut buckets) = (0, 0, Vec::new());
        for span in &self.positive_span {
            index += span.offset;
            for delta in deltas.by_ref().take(span.length as usize) {
                count += delta;
                // A negative count would not be a histogram.
                buckets.push((index, count.unsigned_abs()));
                index += 1;
            }
        }
        Exponential::new(self.schema, buckets).with_zeros(self.zero_threshold, self.zero_count)
    }

    /// The classic buckets, including the infinite one, which is the total count.
    pub(crate) fn classic(&self) -> Classic {
        let finite = self.bucket.iter().filter(|bucket| bucket.upper_bound < f64::INFINITY);
        let buckets = finite.map(|bucket| (bucket.upper_bound, bucket.cumulative_count));
        Classic::new(buckets.chain([(f64::INFINITY, self.count)]))
    }
}

/// The families of a scrape in protobuf, each preceded by its length.
///
/// # Panics
/// If the bytes were not written by an encoder.
pub(crate) fn families(mut bytes: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        let family = MetricFamily::decode_length_delimited(&mut bytes);
        families.push(family.expect("the encoder writes whole messages"));
    }
    families
}

/// The exponential histograms of an OTLP request, by metric.
///
/// # Panics
/// If the bytes were not written by an encoder.
pub(crate) fn distributions(bytes: &[u8]) -> Vec<(String, Exponential)> {
    let request = ExportMetricsServiceRequest::decode(bytes);
    let request = request.expect("the encoder writes whole messages");
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    let mut distributions = Vec::new();
    for metric in scopes.flat_map(|scope| scope.metrics) {
        let Some(Data::ExponentialHistogram(histogram)) = metric.data else { continue };
        for point in histogram.data_points {
            let positive = point.positive.unwrap_or_default();
            // OTLP's bucket 0 starts at 1, which is Prometheus's bucket 1.
            let buckets = positive.bucket_counts.iter().zip(positive.offset + 1..);
            let buckets = buckets.map(|(count, index)| (index, *count));
            let distribution = Exponential::new(point.scale, buckets);
            let distribution = distribution.with_zeros(point.zero_threshold, point.zero_count);
            distributions.push((metric.name.clone(), distribution));
        }
    }
    distributions
}

#[cfg(test)]
mod tests {
    use tachograph_export::otlp::Settings;
    use tachograph_export::prometheus::{Bounds, Form, Prometheus, Schema};

    use super::*;
    use crate::process::{clock, collector};

    #[test]
    fn both_protocols_read_back_as_the_samples_that_were_recorded() {
        let metrics = collector(clock().0);
        let samples = [0, 1_000, 1_000, 1_000_000, 3_000_000_000];
        samples.iter().for_each(|sample| metrics.histogram("h", *sample));
        let snapshot = metrics.get_all_metrics();
        // They lie below 2^10, 2^20 and 2^32.
        let expected = Exponential::new(0, [(10, 2), (20, 1), (32, 1)]);

        let mut bytes = Vec::new();
        let form = Form::NativeAndClassic(Schema::new(0).expect("known"), Bounds::default());
        Prometheus::new().timings(form).protobuf(&snapshot, &mut bytes);
        let family = families(&bytes).into_iter().find(|family| family.name == "h");
        let histogram = family.and_then(|family| family.metric[0].histogram.clone()).expect("h");
        let native = histogram.native();
        assert!(native.buckets().eq(expected.buckets()), "{native:?}");
        assert_eq!((native.scale(), native.count()), (0, 5));
        let classic = histogram.classic();
        assert_eq!(classic.buckets().last(), Some(&(f64::INFINITY, 5)));
        assert!(classic.buckets().contains(&(1_000.0, 3)), "{classic:?}");

        let mut bytes = Vec::new();
        Settings::new("s").scale(0).encoder().encode(&snapshot, &mut bytes);
        let found = distributions(&bytes).into_iter().find(|(name, _)| name == "h").expect("h").1;
        assert!(found.buckets().eq(expected.buckets()), "{found:?}");
        assert_eq!((found.scale(), found.count()), (0, 5));
    }
}
