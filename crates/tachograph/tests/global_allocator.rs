//! An allocator that counts itself by static handles, from the program's first allocation on. A
//! test of its own process, for its allocator.
#![cfg(feature = "record")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tachograph::{LazyCounter, LazyHistogram, global};

static CALLS: LazyCounter = LazyCounter::new("alloc.calls");
static SIZES: LazyHistogram = LazyHistogram::new("alloc.sizes");
static MEASURING: AtomicBool = AtomicBool::new(true);
static RECORDED: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, measured.
struct Measured;

// SAFETY: every call goes to the system's allocator unchanged; what is recorded beside it does
// not touch the memory.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Relaxed, here and below: plain counts of a test.
        if MEASURING.load(Ordering::Relaxed) {
            RECORDED.fetch_add(2, Ordering::Relaxed);
            CALLS.increment();
            SIZES.record(layout.size() as u64);
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
fn an_allocator_records_before_while_and_after_the_collector_is_made() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..1_000usize {
                    std::hint::black_box(vec![0u8; i]);
                }
            });
        }
    });
    // Threads that run on, such as the test harness's, may be in the middle of a call.
    let metrics = global();
    metrics.reset();
    // Relaxed: see `alloc`.
    MEASURING.store(false, Ordering::Relaxed);
    let mut report = metrics.shutdown(Duration::from_secs(10));
    for _ in 0..1_000 {
        // Relaxed: see `alloc`.
        if report.recorded == RECORDED.load(Ordering::Relaxed) {
            break;
        }
        std::thread::yield_now();
        report = metrics.shutdown(Duration::from_secs(10));
    }
    // Relaxed: see `alloc`.
    assert_eq!(report.recorded, RECORDED.load(Ordering::Relaxed));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    assert!(report.aggregated > 8_000 && report.dropped > 0, "{report:?}");
}
