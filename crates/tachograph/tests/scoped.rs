//! Collectors of one test: what code records without being given a collector goes there.
#![cfg(feature = "record")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

use tachograph::testing::{WithLocal, inherit, with_local, wrap};
use tachograph::{
    Counter, Lazy, MetricsCollector, Stamp, gauge, increment, now, timing, try_global,
};

static EVENTS: Lazy<Counter> = Lazy::new("events");

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn events(metrics: &MetricsCollector) -> Option<i128> {
    metrics.get_counter("events").map(|stats| stats.value)
}

/// What a library does that was given no collector: three events.
fn library() {
    EVENTS.with(Counter::increment);
    increment!("events", 1);
    gauge!("depth", 2.0);
    let start = now();
    timing!("duration", since start);
    timing!("duration", since Stamp::default());
    if let Some(metrics) = try_global() {
        metrics.increment("events");
    }
}

#[test]
fn parallel_tests_do_not_meet() {
    let all: Vec<_> = (0..8).map(|_| manual()).collect();
    let start = Barrier::new(all.len());
    thread::scope(|scope| {
        for (rounds, metrics) in (1..).zip(&all) {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                with_local(metrics, || (0..rounds * 100).for_each(|_| library()));
                library();
            });
        }
    });
    for (rounds, metrics) in (1..).zip(&all) {
        assert_eq!(events(metrics), Some(rounds * 300));
        let durations = metrics.get_timing("duration").map(|stats| i128::from(stats.count));
        assert_eq!(durations, Some(rounds * 100));
        assert_eq!(metrics.get_gauge("depth").and_then(|stats| stats.current), Some(2.0));
    }
    assert!(try_global().is_none(), "nobody has made the process's");
}

#[test]
fn scopes_nest_and_end_with_a_panic_too() {
    let (outer, inner) = (manual(), manual());
    with_local(&outer, || {
        library();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            with_local(&inner, || {
                library();
                panic!("inside");
            })
        }));
        assert!(panicked.is_err());
        library();
    });
    library();
    assert_eq!((events(&outer), events(&inner)), (Some(6), Some(3)));
}

#[test]
fn a_library_passes_the_collector_on_to_the_threads_that_it_starts() {
    let work = || thread::spawn(inherit(library)).join().expect("no panic");
    let metrics = manual();
    with_local(&metrics, work);
    assert_eq!(events(&metrics), Some(3));
    // Made in the test, run after it.
    let late = with_local(&metrics, || inherit(library));
    late();
    assert_eq!(events(&metrics), Some(6));
    work();
    assert_eq!(events(&metrics), Some(6));
    assert!(try_global().is_none(), "nor is the process's made");
}

#[test]
fn a_thread_has_none_of_its_own_unless_its_closure_is_wrapped() {
    let metrics = manual();
    with_local(&metrics, || {
        thread::spawn(library).join().expect("no panic");
        thread::spawn(wrap(&metrics, library)).join().expect("no panic");
    });
    assert_eq!(events(&metrics), Some(3));
}

/// Records at each of its two polls, and when it is dropped.
struct Recording;

impl Recording {
    async fn run(self) {
        library();
        tokio::task::yield_now().await;
        library();
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        library();
    }
}

#[test]
fn tasks_on_one_thread_record_each_into_its_own() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let [one, other, cancelled] = [manual(), manual(), manual()];
    runtime.block_on(async {
        let tasks = [&one, &other].map(|metrics| tokio::spawn(Recording.run().with_local(metrics)));
        for task in tasks {
            task.await.expect("no panic");
        }
        let task = tokio::spawn(Recording.run().with_local(&cancelled));
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.is_err());
    });
    assert_eq!([&one, &other, &cancelled].map(events), [Some(9), Some(9), Some(6)]);
}

#[test]
fn a_local_collector_that_is_off_has_nothing() {
    let metrics = MetricsCollector::builder().enabled(false).manual().build();
    with_local(&metrics, || {
        library();
        assert!(now().is_none());
    });
    metrics.set_enabled(true);
    assert_eq!(events(&metrics), None);
}
