//! Recorders for a thread, for a while, one after another; kinds that conflict; gauges of NaN.

use std::cell::RefCell;

use metrics::{counter, gauge, histogram, set_default_local_recorder, with_local_recorder};
use tachograph::MetricsCollector;
use tachograph_metrics::TachographRecorder;

fn made() -> (MetricsCollector, TachographRecorder) {
    let collector = MetricsCollector::builder().manual().build();
    (collector.clone(), TachographRecorder::new(collector))
}

fn value(collector: &MetricsCollector, name: &str) -> Option<i128> {
    collector.get_counter(name).map(|stats| stats.value)
}

#[test]
fn each_scope_records_into_its_own() {
    let (outer, outer_recorder) = made();
    let (inner, inner_recorder) = made();
    let guard = set_default_local_recorder(&outer_recorder);
    counter!("scoped").increment(1);
    with_local_recorder(&inner_recorder, || counter!("scoped").increment(10));
    counter!("scoped").increment(100);
    // A handle belongs to the recorder that it was registered with.
    let kept = counter!("scoped");
    with_local_recorder(&inner_recorder, || kept.increment(1_000));
    drop(guard);
    counter!("scoped").increment(10_000);
    assert_eq!(value(&outer, "scoped"), Some(1_101));
    assert_eq!(value(&inner, "scoped"), Some(10));
}

#[test]
fn recorders_that_come_and_go_on_one_thread_never_share_a_handle() {
    for round in 0..100 {
        let (collector, recorder) = made();
        with_local_recorder(&recorder, || {
            counter!("round").increment(round);
            counter!("round").increment(1);
            gauge!("round.gauge").increment(1.0);
            histogram!("round.histogram").record(1.0);
        });
        assert_eq!(value(&collector, "round"), Some(i128::from(round) + 1));
        assert_eq!(collector.get_gauge("round.gauge").and_then(|gauge| gauge.current), Some(1.0));
        assert_eq!(collector.get_timing("round.histogram").map(|stats| stats.count), Some(1));
    }
}

#[test]
fn many_recorders_at_once_on_one_thread() {
    let all: Vec<_> = (0..20).map(|_| made()).collect();
    for turn in 0..3 {
        for (_, recorder) in &all {
            with_local_recorder(recorder, || counter!("turns").increment(turn + 1));
        }
    }
    assert!(all.iter().all(|(collector, _)| value(collector, "turns") == Some(6)));
}

#[test]
fn a_dropped_recorder_does_not_keep_its_collector() {
    let (collector, recorder) = made();
    with_local_recorder(&recorder, || counter!("kept").increment(1));
    let kept = with_local_recorder(&recorder, || counter!("kept"));
    drop(recorder);
    let counter = collector.register_counter("kept");
    drop(collector);
    // It has shut down: records are counted drops, and nothing panics.
    kept.increment(1);
    counter.increment();
}

#[test]
fn threads_record_into_the_same_series() {
    let (collector, recorder) = made();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                with_local_recorder(&recorder, || {
                    for i in 0..1_000 {
                        counter!("shared").increment(2);
                        gauge!("shared.gauge").increment(1.0);
                        histogram!("shared.histogram").record(f64::from(i));
                    }
                });
            });
        }
    });
    assert_eq!(value(&collector, "shared"), Some(8_000));
    let gauge = collector.get_gauge("shared.gauge").expect("registered");
    assert_eq!((gauge.current, gauge.count), (Some(4_000.0), 4_000));
    // Nobody has recorded a 0 to begin with.
    assert_eq!(gauge.min, Some(1.0));
    let stats = collector.get_timing("shared.histogram").expect("registered");
    assert_eq!((stats.count, stats.sum), (4_000, 4.0 * 499_500.0));
}

#[test]
fn recording_at_the_end_of_a_thread_arrives() {
    struct AtTheEnd(TachographRecorder);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            with_local_recorder(&self.0, || counter!("last.words").increment(1));
        }
    }
    thread_local! {
        static END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    let (collector, recorder) = made();
    std::thread::spawn(move || {
        // Destroyed last: it was used first.
        END.with(|end| *end.borrow_mut() = Some(AtTheEnd(recorder)));
        END.with(|end| {
            let end = end.borrow();
            with_local_recorder(&end.as_ref().expect("set").0, || counter!("words").increment(1));
        });
    })
    .join()
    .expect("no panic");
    assert_eq!(value(&collector, "last.words"), Some(1));
}

#[test]
fn a_name_has_the_kind_that_came_first() {
    let (collector, recorder) = made();
    with_local_recorder(&recorder, || {
        counter!("both").increment(1);
        gauge!("both").set(5.0);
        histogram!("both").record(5.0);
    });
    assert_eq!(value(&collector, "both"), Some(1));
    assert!(collector.get_gauge("both").is_none());
    let dropped = collector.with_tags(&[("reason", "kind_conflict")]);
    assert_eq!(dropped.get_counter("telemetry.dropped").map(|stats| stats.value), Some(2));
}

#[test]
fn a_gauge_refuses_nan_and_keeps_its_value() {
    let (collector, recorder) = made();
    with_local_recorder(&recorder, || {
        gauge!("level").set(2.0);
        gauge!("level").set(f64::NAN);
        gauge!("level").increment(f64::NAN);
    });
    assert_eq!(collector.get_gauge("level").and_then(|gauge| gauge.current), Some(2.0));
}

#[test]
fn a_gauge_that_the_program_has_set_keeps_its_value() {
    let (collector, recorder) = made();
    collector.gauge("level", 3.0);
    with_local_recorder(&recorder, || gauge!("level").increment(1.0));
    let gauge = collector.get_gauge("level").expect("set");
    assert_eq!((gauge.current, gauge.count), (Some(4.0), 2));
}
