//! Allocations for each span. A test of its own process, for its allocator.

use allocation_counter::measure;
use tachograph::MetricsCollector;
use tachograph_tracing::TachographLayer;
use tracing::{info, info_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

const SPANS: u64 = 1_000;

fn allocations() -> u64 {
    let spans = |count| {
        for _ in 0..count {
            let span = info_span!("request", route = "/users/{id}", status = tracing::field::Empty);
            span.in_scope(|| info!(route = "/users/{id}", "event"));
            span.record("status", 200);
            span.in_scope(|| ());
        }
    };
    // Whatever is allocated once: the registry's places, the thread's lane and names.
    spans(SPANS);
    measure(|| spans(SPANS)).count_total
}

#[test]
fn a_span_allocates_its_place_in_the_extensions_and_nothing_else() {
    let plain = subscriber::with_default(registry(), allocations);
    let collector = MetricsCollector::builder().manual().build();
    let layer = TachographLayer::new(collector).with_field("route").with_field("status");
    let timed = subscriber::with_default(registry().with(layer), allocations);
    assert_eq!(timed, plain + SPANS);
}
