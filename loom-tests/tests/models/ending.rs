//! Ends: of recording, of a panicking pass, of threads whose lanes are trimmed.

use std::time::Duration;

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::{Counter, MetricsCollector, Recorder, testing::models};

/// Longer than any interleaving: the final pass is never given up.
const TIMEOUT: Duration = Duration::from_secs(3_600);

#[test]
fn what_was_recorded_at_shutdown_is_aggregated_or_a_counted_drop() {
    check("shutdown", 7_700, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let recorder = metrics.recorder();
        let thread = thread::spawn(move || {
            recorder.record_ns(&timing, 5);
            recorder.increment_by(&counter, 2);
            recorder
        });
        let report = metrics.shutdown(TIMEOUT);
        let recorder = thread.join().expect("no panic");
        // A record in progress may have reached its lane after the lane was read.
        assert!(report.recorded >= report.aggregated + report.dropped);
        assert_eq!(report.unfinished_lanes, 1);
        let report = metrics.shutdown(TIMEOUT);
        assert_eq!((report.recorded, report.aggregated + report.dropped), (2, 2));
        let dropped = account(&metrics, 2);
        let counted = metrics.get_counter("n").expect("registered").value;
        let timed = i128::from(metrics.get_timing("t").expect("registered").count);
        assert!([0, 2].contains(&counted), "{counted}");
        assert_eq!(timed + counted / 2 + dropped, 2);
        drop(recorder);
    });
}

/// Counts once more and checks that the call is dropped.
fn refuses(metrics: &MetricsCollector, recorder: &Recorder, counter: &Counter, calls: i128) {
    let before = account(metrics, calls);
    recorder.increment(counter);
    assert_eq!(account(metrics, calls + 1), before + 1);
}

#[test]
fn a_lane_made_during_shutdown_is_shut_down() {
    check("shutdown and a new lane", 260, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        let (recording, counting) = (metrics.clone(), counter.clone());
        let thread = thread::spawn(move || {
            let recorder = recording.recorder();
            recorder.increment(&counting);
            recorder
        });
        metrics.shutdown(TIMEOUT);
        let recorder = thread.join().expect("no panic");
        refuses(&metrics, &recorder, &counter, 1);
    });
}

#[test]
fn recording_that_is_switched_on_during_shutdown_stays_off() {
    check("shutdown and a switch", 12, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        let recorder = metrics.recorder();
        let switching = metrics.clone();
        let thread = thread::spawn(move || switching.set_enabled(true));
        metrics.shutdown(TIMEOUT);
        thread.join().expect("no panic");
        assert!(!metrics.enabled());
        refuses(&metrics, &recorder, &counter, 0);
    });
}

#[test]
fn after_a_pass_that_panicked_the_next_goes_on_and_loses_nothing() {
    check("panic", 5_500, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let recorder = metrics.recorder();
        recorder.record_ns(&timing, 1);
        recorder.increment(&counter);
        let failing = metrics.clone();
        let failing = thread::spawn(move || models::panicking_pass(&failing));
        let thread = thread::spawn(move || {
            recorder.record_ns(&timing, 8);
            recorder.increment_by(&counter, 3);
        });
        pass(&metrics);
        [failing, thread].into_iter().for_each(|thread| thread.join().expect("it is caught"));
        let stats = metrics.get_timing("t").expect("registered");
        assert_eq!((stats.count, stats.buckets().sum()), (2, 9));
        assert_eq!(metrics.get_counter("n").expect("registered").value, 4);
        assert_eq!(account(&metrics, 4), 0);
    });
}

#[test]
fn drops_of_two_threads_are_all_counted() {
    check("drops", 7, || {
        let metrics = collector().build();
        let counter = metrics.register_counter("n");
        let (recorder, other) = (metrics.recorder(), metrics.recorder());
        metrics.shutdown(TIMEOUT);
        let counting = counter.clone();
        let thread = thread::spawn(move || other.increment(&counting));
        recorder.increment(&counter);
        thread.join().expect("no panic");
        assert_eq!(account(&metrics, 2), 2);
        let snapshot = metrics.get_all_metrics();
        assert_eq!(snapshot.find("n", &[]).expect("registered").dropped, 2);
    });
}

#[test]
fn a_surplus_lane_is_trimmed_with_all_that_was_recorded_into_it() {
    check("trim", 1_100, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let recorder = metrics.recorder();
        let (first, registering) = (timing.clone(), metrics.clone());
        let leaving = thread::spawn(move || {
            recorder.record_ns(&first, 1);
            // A cell that the pass may not know yet.
            recorder.increment_by(&registering.register_counter("late"), 3);
            drop(recorder);
        });
        pass(&metrics);
        // The abandoned lane, or a new one if it is gone.
        let recorder = metrics.recorder();
        recorder.record_ns(&timing, 8);
        recorder.increment(&counter);
        leaving.join().expect("no panic");
        drop(recorder);
        pass(&metrics);
        assert_eq!(metrics.get_counter("n").expect("registered").value, 1);
        assert_eq!(metrics.get_counter("late").expect("registered").value, 3);
        assert_eq!(metrics.get_timing("t").expect("registered").buckets().sum(), 9);
        assert_eq!(account(&metrics, 4), 0);
    });
}

#[test]
fn a_lane_that_is_made_while_another_is_trimmed_is_kept() {
    check("trim and a new lane", 480, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let recorder = metrics.recorder();
        recorder.record_ns(&timing, 1);
        recorder.increment(&counter);
        drop(recorder);
        let (arriving, counting, timed) = (metrics.clone(), counter.clone(), timing.clone());
        let arriving = thread::spawn(move || {
            // The closed lane, or a new one if it is gone.
            let recorder = arriving.recorder();
            recorder.record_ns(&timed, 8);
            recorder.increment(&counting);
            recorder
        });
        pass(&metrics);
        let recorder = arriving.join().expect("no panic");
        recorder.increment(&counter);
        assert_eq!(metrics.get_counter("n").expect("registered").value, 3);
        assert_eq!(metrics.get_timing("t").expect("registered").buckets().sum(), 9);
        assert_eq!(account(&metrics, 5), 0);
    });
}
