//! A gauge's current value: a word shared by all setters, beside samples in many lanes.

use loom::thread;
use loom_tests::{account, check, collector, pass};
use tachograph::{GaugeStats, MetricsCollector};

/// The gauge in the last published pass, if it has been set.
fn published(metrics: &MetricsCollector) -> GaugeStats {
    let snapshot = metrics.snapshot();
    snapshot.find("g", &[]).and_then(|series| series.value.as_gauge()).expect("registered").lifetime
}

#[test]
fn the_pass_that_sees_a_current_value_has_its_sample() {
    check("gauge current", 43_000, || {
        let metrics = collector().build();
        let gauge = metrics.register_gauge("g");
        let threads = [1.0, 2.0].map(|value| {
            let (recorder, gauge) = (metrics.recorder(), gauge.clone());
            thread::spawn(move || recorder.set(&gauge, value))
        });
        pass(&metrics);
        let seen = published(&metrics);
        assert_eq!(seen.current.is_some(), seen.count > 0, "{seen:?}");
        if seen.count == 1 {
            assert_eq!(seen.mean, seen.current, "the one sample is the current one");
        }
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let stats = metrics.get_gauge("g").expect("registered");
        assert_eq!((stats.count, stats.mean), (2, Some(1.5)));
        assert!([Some(1.0), Some(2.0)].contains(&stats.current), "{stats:?}");
        assert_eq!(account(&metrics, 2), 0);
    });
}

#[test]
fn a_read_of_one_gauge_that_sees_a_current_value_has_its_sample() {
    check("gauge current, read alone", 13, || {
        let metrics = collector().build();
        let gauge = metrics.register_gauge("g");
        let recorder = metrics.recorder();
        recorder.set(&gauge, 1.0);
        let thread = thread::spawn(move || recorder.set(&gauge, 3.0));
        let seen = metrics.get_gauge("g").expect("registered");
        assert!(seen.count == 2 || seen.current == Some(1.0), "{seen:?}");
        thread.join().expect("no panic");
        let stats = metrics.get_gauge("g").expect("registered");
        assert_eq!((stats.count, stats.current), (2, Some(3.0)));
    });
}

#[test]
fn the_last_setter_to_finish_leaves_its_value() {
    check("gauge at rest", 12, || {
        let metrics = collector().build();
        let gauge = metrics.register_gauge("g");
        let (recorder, other) = (metrics.recorder(), metrics.recorder());
        let others = gauge.clone();
        let thread = thread::spawn(move || other.set(&others, 2.0));
        recorder.set(&gauge, 1.0);
        recorder.set(&gauge, 3.0);
        thread.join().expect("no panic");
        let current = metrics.get_gauge("g").expect("registered").current;
        assert!([Some(3.0), Some(2.0)].contains(&current), "{current:?}");
    });
}

#[test]
fn amounts_that_two_threads_add_are_all_there() {
    check("gauge add", 8_500, || {
        let metrics = collector().build();
        let gauge = metrics.register_gauge("g");
        let threads = [1.0, 2.0].map(|amount| {
            let gauge = gauge.clone();
            thread::spawn(move || gauge.add(amount))
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let stats = metrics.get_gauge("g").expect("registered");
        assert_eq!((stats.current, stats.max, stats.count), (Some(3.0), Some(3.0), 2));
    });
}

#[test]
fn a_value_set_while_all_is_forgotten_is_forgotten_or_current() {
    check("gauge and reset", 210, || {
        let metrics = collector().build();
        let gauge = metrics.register_gauge("g");
        let recorder = metrics.recorder();
        recorder.set(&gauge, 1.0);
        let thread = thread::spawn(move || recorder.set(&gauge, 2.0));
        metrics.reset();
        let forgotten_or_current = || {
            let stats = metrics.get_gauge("g").expect("registered");
            let seen = (stats.count, stats.current, stats.mean);
            assert!([(0, None, None), (1, Some(2.0), Some(2.0))].contains(&seen), "{seen:?}");
        };
        forgotten_or_current();
        thread.join().expect("no panic");
        forgotten_or_current();
        assert_eq!(account(&metrics, 2), 0);
    });
}
