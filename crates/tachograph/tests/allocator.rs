//! Fault 2: a global allocator that records its own calls. A test of its own process, for its
//! allocator.
#![allow(unsafe_code, reason = "an allocator that records")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::time::Duration;

use tachograph::{Counter, Histogram, MetricsCollector};

static INSTRUMENTS: OnceLock<(MetricsCollector, Counter, Histogram)> = OnceLock::new();

/// The system's allocator, measured by handle and by name.
struct Measured;

// SAFETY: every call goes to the system's allocator unchanged; what is recorded beside it does
// not touch the memory.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some((metrics, calls, sizes)) = INSTRUMENTS.get() {
            calls.increment();
            sizes.record(layout.size() as u64);
            metrics.increment("alloc.by.name");
            metrics.with_tags(&[("kind", "alloc")]).increment("alloc.by.tag");
            drop(metrics.timer("alloc.timer"));
            // A mistake, which is counted: the name is a counter's.
            metrics.gauge("alloc.by.name", 1.0);
        }
        // SAFETY: the caller's promises are those of the method called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, hence from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measured = Measured;

#[test]
fn fault_2_recording_inside_the_allocator_neither_deadlocks_nor_loses_count() {
    let metrics = MetricsCollector::new();
    let (calls, sizes) = (metrics.register_counter("calls"), metrics.register_histogram("sizes"));
    assert!(INSTRUMENTS.set((metrics.clone(), calls, sizes)).is_ok());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let metrics = &metrics;
            scope.spawn(move || {
                for i in 0..200 {
                    // Every cold path there is: new names, tags, handles, recorders, reads.
                    let name = format!("metric.{thread}.{i}");
                    metrics.increment(&name);
                    metrics.with_tags(&[("i", &name)]).histogram("tagged", i);
                    metrics.register_timing(&format!("{name}.timing")).record_ns(i);
                    drop(metrics.timer(&format!("{name}.timer")));
                    drop(metrics.recorder());
                    metrics.get_counter(&name);
                }
            });
        }
    });
    metrics.reset();
    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    assert!(report.aggregated > 10_000, "{report:?}");
}
