//! Snapshots, reads and resets, while threads record and other passes run.

use loom::thread;
use loom_tests::{account, check, collector, pass, total};
use tachograph::Snapshot;

/// Checks that a snapshot comes from one pass, which had found as many samples as counts.
fn whole(snapshot: &Snapshot) {
    let timing = snapshot.find("t", &[]).and_then(|series| series.value.as_timing());
    let timing = &timing.expect("registered").lifetime;
    let counted = total(snapshot, "n", &[]).expect("registered");
    assert_eq!(i128::from(timing.count), counted, "as many samples as counts");
    let in_buckets: u64 = timing.buckets().iter().map(|bucket| bucket.count).sum();
    assert_eq!(in_buckets, timing.count, "a count is the sum of its buckets");
    assert_eq!(total(snapshot, "telemetry.recorded", &[]), Some(2 * counted));
}

#[test]
fn readers_find_whole_snapshots_whose_versions_only_grow() {
    check("publish and read", 85, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let recorder = metrics.recorder();
        pass(&metrics);
        let reading = metrics.clone();
        let reader = thread::spawn(move || {
            let (early, late) = (reading.snapshot(), reading.snapshot());
            assert!(early.version() <= late.version());
            assert!(total(&early, "n", &[]) <= total(&late, "n", &[]));
            whole(&early);
            whole(&late);
        });
        for value in [5, 9] {
            recorder.record_ns(&timing, value);
            recorder.increment(&counter);
            pass(&metrics);
            whole(&metrics.snapshot());
        }
        reader.join().expect("no panic");
    });
}

#[test]
fn whoever_passes_versions_only_grow() {
    check("two that pass", 1_200, || {
        let metrics = collector().build();
        let (passing, reading) = (metrics.clone(), metrics.clone());
        let other = thread::spawn(move || {
            let before = passing.snapshot().version();
            pass(&passing);
            assert!(passing.snapshot().version() > before);
        });
        let reader = thread::spawn(move || {
            let (early, late) = (reading.snapshot().version(), reading.snapshot().version());
            assert!(early <= late, "{early} and then {late}");
        });
        pass(&metrics);
        [other, reader].into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(metrics.snapshot().version(), 3, "the first one and two passes");
    });
}

#[test]
fn a_thread_reads_what_it_has_recorded_while_another_passes() {
    check("read-own-writes", 820, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let gauge = metrics.register_gauge("g");
        let recorder = metrics.recorder();
        let reading = metrics.clone();
        let thread = thread::spawn(move || {
            recorder.record_ns(&timing, 5);
            recorder.set(&gauge, 2.0);
            recorder.increment_by(&counter, 3);
            let count = |stats: Option<tachograph::TimingStats>| stats.expect("registered").count;
            assert_eq!(count(reading.get_timing("t")), 1);
            recorder.record_ns(&timing, 9);
            assert_eq!(count(reading.get_timing("t")), 2);
            assert_eq!(reading.get_counter("n").expect("registered").value, 3);
            assert_eq!(reading.get_gauge("g").expect("registered").current, Some(2.0));
        });
        pass(&metrics);
        thread.join().expect("no panic");
        assert_eq!(account(&metrics, 4), 0);
    });
}

#[test]
fn a_thread_reads_what_it_has_coalesced_while_another_passes() {
    check("read-own-writes under overload", 3_100, || {
        let metrics = collector().build();
        let (timing, gauge) = (metrics.register_timing("t"), metrics.register_gauge("g"));
        let recorder = metrics.recorder();
        (0..4).for_each(|_| recorder.record_ns(&timing, 1));
        let reading = metrics.clone();
        let thread = thread::spawn(move || {
            recorder.record_ns(&timing, 6);
            recorder.set(&gauge, 2.0);
            let stats = reading.get_timing("t").expect("registered");
            assert_eq!((stats.count, stats.buckets().sum()), (5, 10));
            let stats = reading.get_gauge("g").expect("registered");
            assert_eq!((stats.count, stats.current, stats.mean), (1, Some(2.0), Some(2.0)));
        });
        pass(&metrics);
        thread.join().expect("no panic");
        assert_eq!(account(&metrics, 6), 0);
    });
}

#[test]
fn a_record_lands_wholly_before_a_reset_or_wholly_after() {
    check("reset", 500, || {
        let metrics = collector().build();
        let (timing, counter) = (metrics.register_timing("t"), metrics.register_counter("n"));
        let recorder = metrics.recorder();
        recorder.record_ns(&timing, 1);
        recorder.increment(&counter);
        let thread = thread::spawn(move || {
            recorder.record_ns(&timing, 8);
            recorder.increment_by(&counter, 3);
        });
        metrics.reset();
        thread.join().expect("no panic");
        let stats = metrics.get_timing("t").expect("registered");
        assert!([(0, 0), (1, 8)].contains(&(stats.count, stats.buckets().sum())), "{stats:?}");
        let counted = metrics.get_counter("n").expect("registered").value;
        assert!([0, 3].contains(&counted), "{counted}");
        assert_eq!(account(&metrics, 4), 0);
    });
}

// A coalesced sample takes several words: one in progress during the reset may leave its sum before
// it and its count after it. The totals are still exact.
#[test]
fn a_coalesced_record_is_counted_once_before_a_reset_or_after() {
    check("reset under overload", 5_300, || {
        let metrics = collector().build();
        let (timing, gauge) = (metrics.register_timing("t"), metrics.register_gauge("g"));
        let recorder = metrics.recorder();
        (0..4).for_each(|_| recorder.record_ns(&timing, 1));
        let thread = thread::spawn(move || {
            recorder.record_ns(&timing, 8);
            recorder.set(&gauge, 16.0);
        });
        metrics.reset();
        thread.join().expect("no panic");
        assert!(metrics.get_timing("t").expect("registered").count <= 1);
        assert!(metrics.get_gauge("g").expect("registered").count <= 1);
        assert_eq!(account(&metrics, 6), 0);
    });
}
