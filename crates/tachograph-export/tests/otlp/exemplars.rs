//! Traced samples as exemplars of data points.

use tachograph::{MetricsCollector, Trace};
use tachograph_export::otlp::Encoding;

use super::decode::{Request, distributions, json, metric, protobuf, whole};
use super::definition::{Exemplar, ExemplarValue};
use super::{SECOND, delta, manual, nanos, settings};

const TRACE_ID: [u8; 16] = [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 1, 2, 3, 4, 5, 6, 7, 8];

fn trace(span: u8) -> Trace {
    Trace::new(TRACE_ID, [0, 0, 0, 0, 0, 0, 0, span]).expect("not zero")
}

fn record(metrics: &MetricsCollector, millis: u32, trace: Trace) {
    metrics.register_timing("turn").record_traced(SECOND / 1_000 * millis, trace);
}

fn exemplars(request: &Request) -> &[Exemplar] {
    &distributions(metric(request, "turn"))[0].exemplars
}

#[test]
fn the_worst_sample_of_the_window_is_the_points_exemplar_with_its_ids_as_bytes() {
    let (collector, clock) = manual();
    record(&collector, 20, trace(1));
    record(&collector, 50, trace(2));
    clock.advance(SECOND);
    let snapshot = collector.get_all_metrics();
    let request = whole(&settings(), &snapshot);
    let [exemplar] = exemplars(&request) else { panic!("{request:?}") };
    assert_eq!(exemplar.trace_id, TRACE_ID);
    assert_eq!(exemplar.span_id, [0, 0, 0, 0, 0, 0, 0, 2]);
    assert_eq!(exemplar.value, Some(ExemplarValue::AsDouble(0.05)));
    assert_eq!(exemplar.time_unix_nano, nanos(snapshot.timestamp()));
    assert!(exemplar.filtered_attributes.is_empty());
}

#[test]
fn json_has_the_ids_in_hex() {
    let (collector, _) = manual();
    record(&collector, 50, trace(0xab));
    collector.histogram_traced("size", 7, Trace::new(TRACE_ID, [0; 8]).expect("not zero"));
    let snapshot = collector.get_all_metrics();
    let as_json = settings().encoding(Encoding::Json);
    assert_eq!(json(&mut as_json.encoder(), &snapshot), whole(&settings(), &snapshot));
    let mut bytes = Vec::new();
    as_json.encoder().encode(&snapshot, &mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains(r#""asDouble":0.05"#), "{text}");
    for id in [r#""spanId":"00000000000000ab""#, r#""traceId":"4bf92f3577b34da60102030405060708""#]
    {
        assert!(text.contains(id), "{text}");
    }
    assert_eq!(text.matches("spanId").count(), 1, "none where no span is known");
    assert_eq!(text.matches("traceId").count(), 2);
}

#[test]
fn a_delta_tells_an_exemplar_once() {
    let (collector, clock) = manual();
    let mut encoder = delta().encoder();
    let mut told = |millis, span| {
        record(&collector, millis, trace(span));
        clock.advance(SECOND);
        let request = protobuf(&mut encoder, &collector.get_all_metrics());
        exemplars(&request).iter().map(|exemplar| exemplar.span_id[7]).collect::<Vec<_>>()
    };
    assert_eq!(told(50, 1), [1]);
    assert_eq!(told(20, 2), [0; 0], "the worst is in the payload before");
    assert_eq!(told(90, 3), [3]);
}
