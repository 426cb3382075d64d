//! Whether `telemetry.memory` tells of what threads hold for the names that they record by. A
//! process of its own, for its allocator, which counts the bytes that are in use.
#![allow(unsafe_code, reason = "a counting allocator")]
#![cfg(feature = "record")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Instant, SystemTime};

use tachograph::MetricsCollector;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: the system's allocator does it all; what is counted beside it does not touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Relaxed, here and below: a count.
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: what the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const THREADS: usize = 16;
const NAMES: usize = 1_000;

/// A third of them counters, with a tag, and the others timings.
fn record(metrics: &MetricsCollector, number: usize) {
    let name = format!("event.processing.of.kind.{number}");
    match number % 3 {
        0 => metrics.with_tags(&[("event_type", "/live/scene/added")]).increment(&name),
        1 => metrics.histogram(&name, 5),
        _ => drop(metrics.timer(&name)),
    }
}

/// What the collector says that it holds, and what the process does.
fn memory(metrics: &MetricsCollector) -> (f64, f64) {
    metrics.run_pass(Instant::now(), SystemTime::now());
    let snapshot = metrics.snapshot();
    let series = snapshot.find("telemetry.memory", &[]).expect("always there");
    let told = series.value.as_gauge().and_then(|views| views.lifetime.current);
    (told.expect("a pass was made"), IN_USE.load(Ordering::Relaxed) as f64)
}

#[test]
fn telemetry_tells_of_the_memory_of_every_threads_names() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(16, 16).no_window().build();
    (0..NAMES).for_each(|number| record(&metrics, number));
    let step = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // A lane, and a cache with two names. All blocks of the lane are touched: they
                // count from their first use on, and are no memory of the allocator's.
                record(&metrics, 0);
                (0..8_000).for_each(|_| record(&metrics, 1));
                step.wait();
                step.wait();
                (0..NAMES).for_each(|number| record(&metrics, number));
                step.wait();
                step.wait();
            });
        }
        step.wait();
        let before = memory(&metrics);
        step.wait();
        step.wait();
        let after = memory(&metrics);
        step.wait();
        let (told, held) = (after.0 - before.0, after.1 - before.1);
        let each = held / (THREADS * NAMES) as f64;
        assert!(told > 0.9 * held && told < 1.1 * held, "{told} of {held} bytes, {each} a name");
    });
    metrics.run_pass(Instant::now(), SystemTime::now());
}
