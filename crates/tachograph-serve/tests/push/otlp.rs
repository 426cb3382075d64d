//! Totals and deltas on their way to a receiver that adds them up.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message;
use tachograph::MetricsCollector;
use tachograph_export::otlp::{Encoding, Settings, Temporality};
use tachograph_serve::{Push, PushReport, Pusher};
use tokio::time::sleep;

use super::stub::{Received, Reply, Stub, reply};
use super::{SECOND, URL, assert_settled, made, manual};

fn settings(temporality: Temporality, encoding: Encoding) -> Settings {
    Settings::new("mixer").temporality(temporality).encoding(encoding)
}

fn deltas(metrics: &MetricsCollector, encoding: Encoding) -> Push {
    let settings = settings(Temporality::Delta, encoding);
    let push = Push::new(metrics.clone(), URL, settings).expect("a target");
    push.every(SECOND).queue_max(3, usize::MAX).backoff(SECOND, 4 * SECOND)
}

/// What a payload says of the counter `events` and how many samples of the timing `turn`.
fn told(received: &Received) -> [i64; 2] {
    let request = match &*received.headers["content-type"] {
        "application/x-protobuf" => {
            ExportMetricsServiceRequest::decode(&received.body[..]).expect("protobuf")
        }
        "application/json" => serde_json::from_slice(&received.body).expect("OTLP/JSON"),
        other => panic!("{other}"),
    };
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let mut told = [0, 0];
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        match (&*metric.name, &metric.data) {
            ("events", Some(Data::Sum(sum))) => {
                let Some(Value::AsInt(value)) = sum.data_points[0].value else { panic!("{sum:?}") };
                told[0] += value;
            }
            ("turn", Some(Data::ExponentialHistogram(histogram))) => {
                told[1] += histogram.data_points[0].count as i64;
            }
            _ => {}
        }
    }
    told
}

fn sum<'a>(received: impl Iterator<Item = &'a Received>) -> [i64; 2] {
    received.map(told).fold([0, 0], |sum, told| [sum[0] + told[0], sum[1] + told[1]])
}

/// Records for some seconds; how much that was.
async fn record(metrics: &MetricsCollector, seconds: u64) -> [i64; 2] {
    for second in 0..seconds {
        metrics.increment_by("events", second + 1);
        metrics.timing("turn", SECOND);
        metrics.timing("turn", SECOND / 7);
        sleep(SECOND).await;
    }
    [(seconds * (seconds + 1) / 2) as i64, (2 * seconds) as i64]
}

async fn shut_down(pusher: Pusher, metrics: &MetricsCollector) -> PushReport {
    let report = pusher.shutdown(100 * SECOND).await;
    assert_settled(metrics, report);
    let postponed = metrics.get_counter("metrics.push.postponed").expect("registered");
    assert_eq!(postponed.value, report.postponed.into());
    report
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_for_long_misses_no_delta_in_the_end() {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let metrics = manual();
        let stub = Stub::new(|_| reply(200, "", b""));
        stub.set_down(true);
        let pusher = stub.receives(deltas(&metrics, encoding)).start().expect("starts");
        let first = record(&metrics, 100).await;
        assert!(pusher.report().waiting() <= 3, "{:?}", pusher.report());
        stub.set_down(false);
        let rest = record(&metrics, 20).await;
        let report = shut_down(pusher, &metrics).await;
        let recorded = [first[0] + rest[0], first[1] + rest[1]];
        assert_eq!(sum(stub.received().iter()), recorded, "{report:?}");
        assert_eq!(report.dropped, 0);
        assert!(report.postponed >= 90, "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_deltas_only_the_counted_drops_are_missing() {
    let metrics = manual();
    let statuses = [200, 503, 400, 200, 429, 502, 200, 413, 504];
    let refused = Arc::new(Mutex::new(Vec::new()));
    let (told_off, mut requests) = (Arc::clone(&refused), 0);
    let stub = Stub::new(move |received| {
        requests += 1;
        let status = statuses[requests % statuses.len()];
        if [400, 413].contains(&status) {
            told_off.lock().expect("no panic").push(received.clone());
        }
        reply(status, "", b"")
    });
    let push = deltas(&metrics, Encoding::Protobuf);
    let pusher = stub.receives(push).start().expect("starts");
    let recorded = record(&metrics, 200).await;
    let report = shut_down(pusher, &metrics).await;
    let refused = refused.lock().expect("no panic").clone();
    assert_eq!(report.dropped, refused.len() as u64);
    assert!(report.dropped > 5 && report.delivered > 5, "{report:?}");
    // One body may have come several times before it was taken or refused.
    let mut bodies = stub.received();
    bodies.dedup_by(|later, earlier| later.body == earlier.body);
    assert_eq!(bodies.len() as u64, report.payloads);
    let (all, lost) = (sum(bodies.iter()), sum(refused.iter()));
    assert_eq!(all, recorded, "taken and refused together");
    assert!(lost[0] > 0 && lost[1] > 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_deltas_at_the_deadline_is_counted() {
    let metrics = manual();
    let stub = Stub::new(|_| Reply::Silence);
    let pusher = stub.receives(deltas(&metrics, Encoding::Json)).start().expect("starts");
    record(&metrics, 60).await;
    let report = pusher.shutdown(5 * SECOND).await;
    assert_settled(&metrics, report);
    // Three wait, and one more is made at the end.
    assert_eq!((report.payloads, report.delivered, report.dropped), (4, 0, 4));
}

#[tokio::test(start_paused = true)]
async fn totals_need_no_more_than_the_last_payload() {
    let metrics = manual();
    let stub = Stub::new(|_| reply(200, "", b""));
    stub.set_down(true);
    let settings = settings(Temporality::Cumulative, Encoding::Protobuf);
    let push = Push::new(metrics.clone(), URL, settings).expect("a target").every(SECOND);
    let pusher = stub.receives(push.queue_max(3, usize::MAX)).start().expect("starts");
    let recorded = record(&metrics, 50).await;
    stub.set_down(false);
    let report = shut_down(pusher, &metrics).await;
    assert!(report.dropped > 40 && report.postponed == 0, "{report:?}");
    let received = stub.received();
    assert_eq!(told(received.last().expect("delivered")), recorded);
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_in_json_is_counted() {
    let metrics = manual();
    let body = br#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too old"}}"#;
    let stub = Stub::new(|_| reply(200, "Content-Type: application/json\r\n", body));
    let pusher = stub.receives(deltas(&metrics, Encoding::Json)).start().expect("starts");
    metrics.increment("events");
    made(&pusher, 2).await;
    let report = shut_down(pusher, &metrics).await;
    assert_eq!(report.rejected_data_points, 3 * report.delivered);
    assert!(stub.received().iter().all(|it| it.headers["content-type"] == "application/json"));
}
