//! An allocator that counts itself by static handles, before, while and after there is a collector.
//! A test of its own process, for its allocator.
#![allow(unsafe_code, reason = "an allocator that records")]
#![cfg(feature = "record")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tachograph::{Counter, Histogram, Lazy, MetricsCollector, global};

static CALLS: Lazy<Counter> = Lazy::new("alloc.calls");
static SIZES: Lazy<Histogram> = Lazy::new("alloc.sizes");
static RECORDED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static MEASURES: Cell<bool> = const { Cell::new(false) };
}

/// Measures what this thread allocates in `act`.
fn measured<R>(act: impl FnOnce() -> R) -> R {
    MEASURES.set(true);
    let result = act();
    MEASURES.set(false);
    result
}

fn allocate_much() {
    measured(|| (0..1_000usize).for_each(|i| drop(std::hint::black_box(vec![0u8; i]))));
}

/// The system's allocator, measured.
struct Measured;

// SAFETY: every call goes to the system's allocator unchanged; what is recorded beside it does
// not touch the memory.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if MEASURES.get() {
            // Relaxed, here and below: a plain count of a test.
            RECORDED.fetch_add(2, Ordering::Relaxed);
            CALLS.with(Counter::increment);
            SIZES.with(|sizes| sizes.record(layout.size() as u64));
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

fn recorded(metrics: &MetricsCollector) -> u64 {
    let recorded = metrics.get_counter("telemetry.recorded").map(|stats| stats.value);
    recorded.and_then(|recorded| u64::try_from(recorded).ok()).expect("it is counted")
}

#[test]
fn an_allocator_records_before_while_and_after_the_collector_is_made() {
    allocate_much();
    let metrics = measured(global);
    // What came before there was a collector is recorded nowhere.
    // Relaxed: see `alloc`.
    let unseen = RECORDED.load(Ordering::Relaxed) - recorded(metrics);
    assert!(unseen >= 2_000, "{unseen}");
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(allocate_much))));
    metrics.reset();
    let report = metrics.shutdown(Duration::from_secs(10));
    // Relaxed: see `alloc`.
    assert_eq!(report.recorded, RECORDED.load(Ordering::Relaxed) - unseen);
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    assert!(report.aggregated > 7_000 && report.dropped > 0, "{report:?}");
}
