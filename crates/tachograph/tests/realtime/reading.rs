//! A loop that reads published snapshots pays for none of them: not even for freeing one.

use std::time::Duration;

use tachograph::MetricsCollector;

use crate::nonblocking;

#[test]
fn snapshots_that_are_replaced_meanwhile() {
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(1)).build();
    let counter = metrics.register_counter("c");
    counter.increment();
    let (mut reader, first) = (metrics.snapshot_reader(), metrics.snapshot().version());
    let last = first + 100;
    nonblocking(|| {
        while metrics.snapshot().version() < last || reader.latest().version() < last {
            counter.increment();
        }
    });
    assert!(reader.latest().find("c", &[]).is_some());
}
