//! Allocations for each span. A test of its own process, for its allocator.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tachograph::MetricsCollector;
use tachograph_tracing::TachographLayer;
use tracing::{info, info_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SPANS: usize = 1_000;

fn allocations() -> usize {
    let spans = |count| {
        for _ in 0..count {
            let span = info_span!("request", route = "/users/{id}", status = tracing::field::Empty);
            span.in_scope(|| info!(route = "/users/{id}", "event"));
            span.record("status", 200);
            span.in_scope(|| ());
        }
    };
    // Whatever is allocated once: the registry's places, the thread's lane and names.
    spans(100);
    let round = |_| {
        let region = Region::new(ALLOCATOR);
        spans(SPANS);
        region.change().allocations
    };
    // The least of some rounds: the test harness's thread may allocate in between.
    (0..5).map(round).min().unwrap_or(0)
}

#[test]
fn a_span_allocates_its_place_in_the_extensions_and_nothing_else() {
    let plain = subscriber::with_default(registry(), allocations);
    let collector = MetricsCollector::builder().manual().build();
    let layer = TachographLayer::new(collector).with_field("route").with_field("status");
    let timed = subscriber::with_default(registry().with(layer), allocations);
    assert_eq!(timed, plain + SPANS);
}
