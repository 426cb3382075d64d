//! The child of a fork, whose lanes are behind closed gates, and stopping the background thread.

use loom::thread;
use loom_tests::{account, check, collector};
use tachograph::testing::models::{self, ModelStop};

#[test]
fn whoever_comes_first_after_a_fork_opens_the_lanes_for_all() {
    check("first use after a fork", 3_800, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        counter.increment();
        assert_eq!(metrics.get_counter("n").expect("registered").value, 1);
        counter.increment();
        models::fork(&metrics);
        assert!(models::is_shut_by_fork(&metrics));
        let counting = counter.clone();
        let thread = thread::spawn(move || counting.increment());
        counter.increment();
        thread.join().expect("no panic");
        assert!(!models::is_shut_by_fork(&metrics), "it has brought the background thread back");
        assert_eq!(metrics.get_counter("n").expect("registered").value, 2);
        assert_eq!(account(&metrics, 2), 0);
    });
}

#[test]
fn recording_that_is_switched_off_during_the_first_use_stays_off() {
    check("fork and a switch", 70, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        counter.increment();
        models::fork(&metrics);
        let switching = metrics.clone();
        let thread = thread::spawn(move || switching.set_enabled(false));
        counter.increment();
        thread.join().expect("no panic");
        counter.increment();
        metrics.set_enabled(true);
        let counted = metrics.get_counter("n").expect("registered").value;
        assert!([0, 1].contains(&counted), "{counted}");
    });
}

#[test]
fn a_thread_that_is_stopped_and_who_waits_for_it_cannot_both_miss_each_other() {
    check("stop", 37, || {
        let stop = ModelStop::new();
        let (thread, waiter) = (1, 2);
        let stopped = stop.clone();
        let begun = thread::spawn(move || (stopped.arrive(thread), stopped.leave()));
        let woken = stop.ask(waiter);
        let done = stop.is_done();
        let (asked, waiting) = begun.join().expect("no panic");
        assert!(asked || woken == Some(thread), "it sleeps though it is asked");
        assert!(done || waiting == Some(waiter), "who waits is not woken");
    });
}
