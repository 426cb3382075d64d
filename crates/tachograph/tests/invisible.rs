//! What recording must not do, counted: allocate. A test of its own process, for its allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use tachograph::MetricsCollector;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting each thread's calls.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; the count is a plain cell of this
// thread, which allocates nothing and needs no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those of the method called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, hence from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(act: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    act();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn recording_never_allocates() {
    let metrics = MetricsCollector::builder().lane_blocks(2, 2).build();
    let (counter, level) = (metrics.register_counter("c"), metrics.register_up_down_counter("l"));
    let (timing, size) = (metrics.register_timing("t"), metrics.register_histogram("h"));
    let gauge = metrics.register_gauge("g");
    let recorder = metrics.recorder();
    let tags = [("event_type", "/live/track/renamed")];
    let tagged = metrics.with_tags(&tags);
    let everything = || {
        // Far more than the lane holds: blocks change hands, and some of it is overload.
        for i in 0..10_000u64 {
            counter.increment();
            counter.increment_by(i);
            level.decrement();
            timing.record_ns(i);
            timing.record(Duration::from_nanos(i));
            size.record(i);
            gauge.set(i as f64);
            gauge.add(1.0);
            drop(timing.start());
            recorder.increment(&counter);
            recorder.decrement_by(&level, 2);
            recorder.record_ns(&timing, i);
            recorder.record(&size, i);
            recorder.set(&gauge, 1.0);
            drop(recorder.start(&timing));
            metrics.increment("by.name");
            metrics.timing("by.name.timing", Duration::from_nanos(i));
            metrics.gauge("by.name.gauge", 1.0);
            tagged.increment("tagged");
            tagged.decrement("tagged.level");
            tagged.histogram("tagged.size", i);
            drop(metrics.timer("by.name.timer"));
        }
    };
    let first_use = allocations(everything);
    assert!(first_use > 0, "the counter counts");
    assert_eq!(allocations(everything), 0, "enabled");
    metrics.set_enabled(false);
    assert_eq!(allocations(everything), 0, "disabled");
    metrics.set_enabled(true);
    metrics.reset();
    assert_eq!(allocations(everything), 0, "after a reset");
    metrics.shutdown(Duration::from_secs(10));
    assert_eq!(allocations(everything), 0, "after shutdown");
}
