//! What recording must not do, counted: allocate. A test of its own process, for its allocator.

use std::time::Duration;

use allocation_counter::measure;
use tachograph::MetricsCollector;

/// The allocations that this thread makes meanwhile.
fn allocations(act: impl FnOnce()) -> u64 {
    measure(act).count_total
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
