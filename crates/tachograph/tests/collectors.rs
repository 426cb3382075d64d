//! Many collectors on one thread, at once and one after the other.
#![cfg(feature = "record")]

use tachograph::{Counter, MetricsCollector};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn counted(metrics: &MetricsCollector) -> Option<i128> {
    metrics.get_counter("counter").map(|stats| stats.value)
}

/// More than there are places in a thread's table, used in turn, some of them dropped in between.
#[test]
fn hundreds_of_collectors_on_one_thread_count_each_its_own() {
    let mut all: Vec<_> = (0..600)
        .map(|_| {
            let metrics = manual();
            let counter = metrics.register_counter("counter");
            (metrics, counter, 0)
        })
        .collect();
    for round in 0..4u64 {
        for (i, (metrics, counter, recorded)) in (0u64..).zip(&mut all) {
            for _ in 0..=(i + round) % 3 {
                counter.increment();
                metrics.increment("by.name");
                *recorded += 1;
            }
        }
        // Every seventh goes, and another comes in its place.
        for place in all.iter_mut().skip(round as usize).step_by(7) {
            check(place);
            let metrics = manual();
            *place = (metrics.clone(), metrics.register_counter("counter"), 0);
        }
    }
    all.iter().for_each(check);
}

fn check((metrics, _, recorded): &(MetricsCollector, Counter, u64)) {
    for name in ["counter", "by.name"] {
        let value = metrics.get_counter(name).map_or(0, |stats| stats.value);
        assert_eq!(value, i128::from(*recorded), "{name}");
    }
}

/// A handle that outlives its collector, whose place another one has.
#[test]
fn a_late_handle_counts_as_dropped_and_leaves_its_successor_alone() {
    let first = manual();
    let late = first.register_counter("counter");
    late.increment();
    assert_eq!(counted(&first), Some(1));
    drop(first);
    let second = manual();
    let counter = second.register_counter("counter");
    for _ in 0..3 {
        late.increment();
        counter.increment();
    }
    assert_eq!(counted(&second), Some(3));
}
