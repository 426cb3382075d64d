//! OTLP of hostile names, tags, values and traces, in two rounds: the output parses with the
//! messages that the exporter's tests write down from the public definition, both encodings agree,
//! and every count is the sum of its buckets.
#![no_main]

#[path = "../../crates/tachograph-export/tests/otlp/definition.rs"]
mod definition;
mod series;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use prost::Message;
use tachograph::Snapshot;
use tachograph_export::otlp::{Encoder, Encoding, Settings, Temporality};

use self::definition::{Data, ExportMetricsServiceRequest};
use self::series::Series;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    is_delta: bool,
    /// A fixed scale, or a limit on the buckets.
    resolution: Result<i8, u8>,
    service: &'a str,
    rounds: [Vec<Series<'a>>; 2],
}

fn encode(encoder: &mut Encoder, snapshot: &Snapshot) -> (usize, Vec<u8>) {
    let mut bytes = Vec::new();
    (encoder.encode(snapshot, &mut bytes), bytes)
}

/// Checks each data point and returns their number.
fn points(request: &ExportMetricsServiceRequest, buckets_max: usize) -> usize {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let mut points = 0;
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        assert!(!metric.name.is_empty());
        points += match metric.data.as_ref().expect("data") {
            Data::Gauge(gauge) => gauge.data_points.len(),
            Data::Sum(sum) => sum.data_points.len(),
            Data::ExponentialHistogram(histogram) => {
                for point in &histogram.data_points {
                    let buckets = point.positive.iter().flat_map(|it| &it.bucket_counts);
                    assert!(buckets.clone().count() <= buckets_max, "{point:?}");
                    assert_eq!(buckets.sum::<u64>() + point.zero_count, point.count, "{point:?}");
                    assert!((-4..=8).contains(&point.scale));
                }
                histogram.data_points.len()
            }
            other => panic!("{other:?}"),
        };
    }
    points
}

fuzz_target!(|input: Input<'_>| {
    let temporality = if input.is_delta { Temporality::Delta } else { Temporality::Cumulative };
    let settings = Settings::new(input.service).temporality(temporality);
    let (settings, buckets_max) = match input.resolution {
        Ok(scale) => (settings.scale(scale.into()), usize::MAX),
        Err(buckets) => (settings.max_buckets(buckets.into()), usize::from(buckets).max(8)),
    };
    let mut protobuf = settings.encoder();
    let mut json = settings.encoding(Encoding::Json).encoder();
    let metrics = series::collector();
    for round in &input.rounds {
        round.iter().for_each(|series| series.record(&metrics));
        let snapshot = metrics.get_all_metrics();
        let (told, bytes) = encode(&mut protobuf, &snapshot);
        let request = ExportMetricsServiceRequest::decode(&bytes[..]).expect("protobuf");
        assert_eq!(points(&request, buckets_max), told);
        let (again, bytes) = encode(&mut json, &snapshot);
        assert_eq!(again, told);
        let as_json: ExportMetricsServiceRequest = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(as_json, request);
    }
});
