//! Pushing to a receiver in memory, in time that stands still while anything is to be done.

mod otlp;
mod own_thread;
mod shutdown;
mod statuses;
mod stub;
mod transport;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_serve::{Push, PushReport, Pusher};
use tokio::time::sleep;

use self::stub::{Received, Stub};

const URL: &str = "http://receiver.example:4318";
const SECOND: Duration = Duration::from_secs(1);

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

/// Pushes a number each second: how many it has pushed before.
fn numbers(metrics: &MetricsCollector, url: &str) -> Push {
    let number = AtomicU64::new(0);
    let encode = move |_: &tachograph::Snapshot, out: &mut Vec<u8>| {
        // Relaxed: a number that stands for itself.
        out.extend(number.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    };
    Push::with_encoder(metrics.clone(), url, encode).expect("a target").every(SECOND)
}

fn number(received: &Received) -> u64 {
    u64::from_be_bytes(received.body[..].try_into().expect("8 bytes"))
}

fn numbers_of(stub: &Stub) -> Vec<u64> {
    stub.received().iter().map(number).collect()
}

/// Waits until so many payloads were made.
async fn made(pusher: &Pusher, payloads: u64) {
    while pusher.report().payloads < payloads {
        sleep(SECOND / 10).await;
    }
}

/// Nothing is lost without being counted, neither in the report nor in the series.
fn assert_settled(metrics: &MetricsCollector, report: PushReport) {
    assert_eq!(report.payloads, report.delivered + report.dropped, "{report:?}");
    let count = |name: &str, key, value| {
        let counter = metrics.with_tags(&[(key, value)]).get_counter(name).expect("registered");
        u64::try_from(counter.value).expect("never negative")
    };
    let dropped = ["queue_full", "refused", "shutdown", "panicked"]
        .map(|reason| count("metrics.push.dropped", "reason", reason));
    assert_eq!(dropped.iter().sum::<u64>(), report.dropped);
    let attempts = ["taken", "later", "refused", "unanswered"]
        .map(|outcome| count("metrics.push.attempts", "outcome", outcome));
    assert_eq!(attempts[0], report.delivered);
    assert_eq!(attempts.iter().sum::<u64>(), report.attempts);
    let rejected = metrics.get_counter("metrics.push.rejected").expect("registered");
    assert_eq!(rejected.value, report.rejected_data_points.into());
    let sizes = metrics.get_timing("metrics.push.size").expect("registered");
    assert_eq!(sizes.count, report.payloads);
}
