//! Names that several threads register at once, or during a pass.

use loom::thread;
use loom_tests::{account, check, collector, pass, total};

#[test]
fn two_threads_that_use_a_new_name_share_its_series() {
    check("one name, two threads", 408_000, || {
        let metrics = collector().build();
        let threads = [1, 2].map(|amount| {
            let metrics = metrics.clone();
            thread::spawn(move || metrics.increment_by("n", amount))
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let snapshot = metrics.get_all_metrics();
        assert_eq!(snapshot.metric("n").count(), 1);
        assert_eq!(total(&snapshot, "n", &[]), Some(3));
        assert_eq!(account(&metrics, 2), 0);
    });
}

#[test]
fn a_record_of_a_series_that_the_pass_does_not_know_yet_is_kept() {
    check("registered during a pass", 1_900, || {
        let metrics = collector().build();
        // Its cell is in the same chunk as the next one.
        let known = metrics.register_counter("known");
        let recorder = metrics.recorder();
        recorder.increment(&known);
        let recording = metrics.clone();
        let thread = thread::spawn(move || {
            let new = recording.register_counter("new");
            recorder.increment_by(&new, 3);
            recorder.increment(&known);
            recorder.record_ns(&recording.register_timing("new.timing"), 8);
        });
        pass(&metrics);
        thread.join().expect("no panic");
        let stats = metrics.get_timing("new.timing").expect("registered");
        assert_eq!(stats.buckets().sum(), 8);
        assert_eq!(metrics.get_counter("new").expect("registered").value, 3);
        assert_eq!(metrics.get_counter("known").expect("registered").value, 2);
        assert_eq!(account(&metrics, 4), 0);
    });
}

#[test]
fn a_coalesced_sample_of_a_series_that_the_pass_does_not_know_yet_is_kept() {
    check("coalesced during a pass", 20_000, || {
        let metrics = collector().build();
        let known = metrics.register_timing("known");
        let level = metrics.register_gauge("level");
        let recorder = metrics.recorder();
        let recording = metrics.clone();
        let thread = thread::spawn(move || {
            (0..4).for_each(|_| recorder.record_ns(&known, 1));
            let new = recording.register_timing("new");
            recorder.record_ns(&new, 8);
            let new = recording.register_gauge("new.level");
            recorder.set(&new, 8.0);
            recorder.set(&level, 4.0);
        });
        pass(&metrics);
        thread.join().expect("no panic");
        assert_eq!(metrics.get_timing("known").expect("registered").count, 4);
        assert_eq!(metrics.get_timing("new").expect("registered").buckets().sum(), 8);
        assert_eq!(metrics.get_gauge("new.level").expect("registered").mean, Some(8.0));
        assert_eq!(metrics.get_gauge("level").expect("registered").mean, Some(4.0));
        assert_eq!(account(&metrics, 7), 0);
    });
}

#[test]
fn of_two_threads_one_gets_the_last_free_series_and_the_other_the_overflow() {
    check("cardinality cap", 472_000, || {
        let metrics = collector().series_per_metric(1).build();
        let threads = ["a", "b"].map(|path| {
            let metrics = metrics.clone();
            thread::spawn(move || metrics.with_tags(&[("path", path)]).increment("n"))
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let snapshot = metrics.get_all_metrics();
        let of = |key, value| total(&snapshot, "n", &[(key, value)]);
        assert_eq!(of("overflow", "true"), Some(1));
        let own = [of("path", "a"), of("path", "b")];
        assert!([[Some(1), None], [None, Some(1)]].contains(&own), "{own:?}");
        assert_eq!(account(&metrics, 2), 0);
    });
}
