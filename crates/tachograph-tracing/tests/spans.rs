//! Spans on a clock that stands still until the test moves it: every value is exact.

mod bed;

use std::sync::Barrier;
use std::thread;

use bed::{Bed, times};
use tachograph::MetricsCollector;
use tachograph_tracing::{BUSY, IDLE, TachographLayer};
use tracing::{info_span, subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, registry};

#[test]
fn a_span_is_idle_until_it_is_entered_and_after_it_is_left() {
    let bed = Bed::new();
    bed.run(|| {
        let span = info_span!(target: "test", "request");
        bed.pass_ms(1);
        span.in_scope(|| bed.pass_ms(10));
        bed.pass_ms(100);
        span.in_scope(|| bed.pass_ms(1_000));
        bed.pass_ms(10_000);
    });
    assert_eq!(bed.spans("request"), times(&[1_010], &[10_101]));
}

#[test]
fn a_span_that_is_never_entered_was_idle() {
    let bed = Bed::new();
    bed.run(|| {
        let _span = info_span!(target: "test", "request");
        bed.pass_ms(3);
    });
    assert_eq!(bed.spans("request"), times(&[0], &[3]));
}

#[test]
fn a_parent_is_busy_while_its_child_is() {
    let bed = Bed::new();
    bed.run(|| {
        let _outer = info_span!(target: "test", "outer").entered();
        bed.pass_ms(1);
        {
            let _inner = info_span!(target: "test", "inner").entered();
            bed.pass_ms(10);
        }
        bed.pass_ms(100);
    });
    assert_eq!(bed.spans("outer"), times(&[111], &[0]));
    assert_eq!(bed.spans("inner"), times(&[10], &[0]));
}

#[test]
fn a_child_that_lives_longer_ends_by_itself() {
    let bed = Bed::new();
    bed.run(|| {
        let child = {
            let _parent = info_span!(target: "test", "parent").entered();
            bed.pass_ms(1);
            info_span!(target: "test", "child")
        };
        bed.pass_ms(10);
        drop(child);
    });
    assert_eq!(bed.spans("child"), times(&[0], &[10]));
    // The registry keeps a parent open for its children.
    assert_eq!(bed.spans("parent"), times(&[1], &[10]));
}

#[test]
fn entered_again_while_entered_it_is_busy_once() {
    let bed = Bed::new();
    bed.run(|| {
        let span = info_span!(target: "test", "recursive");
        span.in_scope(|| {
            bed.pass_ms(1);
            span.in_scope(|| bed.pass_ms(10));
            bed.pass_ms(100);
        });
        bed.pass_ms(1_000);
    });
    assert_eq!(bed.spans("recursive"), times(&[111], &[1_000]));
}

#[test]
fn a_span_moves_between_threads_and_is_closed_on_another() {
    let bed = Bed::new();
    bed.run(|| {
        let span = info_span!(target: "test", "task");
        span.in_scope(|| bed.pass_ms(1));
        bed.pass_ms(10);
        let elsewhere = || {
            bed.run(|| {
                span.in_scope(|| bed.pass_ms(100));
                bed.pass_ms(1_000);
                drop(span);
            });
        };
        thread::scope(|scope| scope.spawn(elsewhere).join()).expect("no panic");
        bed.pass_ms(10_000);
    });
    assert_eq!(bed.spans("task"), times(&[101], &[1_010]));
}

#[test]
fn two_threads_in_one_span_are_busy_until_the_last_has_left() {
    let bed = Bed::new();
    bed.run(|| {
        let span = info_span!(target: "test", "shared");
        let [both_in, one_left] = [(); 2].map(|()| Barrier::new(2));
        let elsewhere = || {
            bed.run(|| {
                let _there = span.enter();
                both_in.wait();
                one_left.wait();
                bed.pass_ms(100);
            });
        };
        thread::scope(|scope| {
            let here = span.enter();
            bed.pass_ms(1);
            scope.spawn(elsewhere);
            both_in.wait();
            bed.pass_ms(10);
            drop(here);
            one_left.wait();
        });
        bed.pass_ms(1_000);
    });
    assert_eq!(bed.spans("shared"), times(&[111], &[1_000]));
}

#[test]
fn a_span_that_is_never_closed_is_never_recorded() {
    let bed = Bed::new();
    bed.run(|| {
        let span = info_span!(target: "test", "leaked");
        span.in_scope(|| bed.pass_ms(5));
        std::mem::forget(span);
        info_span!(target: "test", "closed").in_scope(|| bed.pass_ms(5));
    });
    assert!(!bed.has_spans("leaked"));
    assert_eq!(bed.spans("closed"), times(&[5], &[0]));
}

#[test]
fn a_handle_that_is_kept_keeps_the_span() {
    let bed = Bed::new();
    bed.run(|| {
        let span = info_span!(target: "test", "kept");
        let clone = span.clone();
        drop(span);
        bed.pass_ms(7);
        assert!(!bed.has_spans("kept"));
        drop(clone);
    });
    assert_eq!(bed.spans("kept"), times(&[0], &[7]));
}

#[test]
fn follows_from_changes_nothing() {
    let bed = Bed::new();
    bed.run(|| {
        let cause = info_span!(target: "test", "cause");
        cause.in_scope(|| bed.pass_ms(1));
        let effect = info_span!(target: "test", "effect");
        effect.follows_from(&cause);
        drop(cause);
        effect.in_scope(|| bed.pass_ms(10));
    });
    assert_eq!(bed.spans("cause"), times(&[1], &[0]));
    assert_eq!(bed.spans("effect"), times(&[10], &[0]));
}

#[test]
fn each_span_of_a_name_is_one_sample() {
    let bed = Bed::new();
    bed.run(|| {
        for ms in [1, 2, 3] {
            info_span!(target: "test", "request").in_scope(|| bed.pass_ms(ms));
        }
    });
    assert_eq!(bed.spans("request"), times(&[1, 2, 3], &[0, 0, 0]));
}

#[test]
fn what_a_filter_disables_is_not_recorded() {
    // A filter of this layer's own, and one of the whole subscriber's.
    for whole in [false, true] {
        let bed = Bed::new();
        let layer = TachographLayer::new(bed.collector.clone());
        let all = || {
            let _seen = info_span!(target: "test", "seen").entered();
            let _hidden = tracing::debug_span!(target: "test", "hidden").entered();
            bed.pass_ms(1);
            tracing::debug!(target: "test", "hidden");
            tracing::info!(target: "test", "seen");
        };
        if whole {
            subscriber::with_default(registry().with(layer).with(LevelFilter::INFO), all);
        } else {
            // Another layer sees all, so the spans exist.
            let layers = registry().with(layer.with_filter(LevelFilter::INFO)).with(bed::Sees);
            subscriber::with_default(layers, all);
        }
        assert_eq!(bed.spans("seen"), times(&[1], &[0]));
        assert!(!bed.has_spans("hidden"));
        assert_eq!((bed.events("debug"), bed.events("info")), (None, Some(1)));
    }
}

#[test]
fn spans_while_recording_is_off_are_not_recorded() {
    let bed = Bed::new();
    bed.run(|| {
        bed.collector.set_enabled(false);
        let before = info_span!(target: "test", "begun.off");
        bed.collector.set_enabled(true);
        let during = info_span!(target: "test", "entered.off");
        let whole = info_span!(target: "test", "whole");
        bed.collector.set_enabled(false);
        during.in_scope(|| bed.pass_ms(1));
        bed.collector.set_enabled(true);
        [before, during, whole].iter().for_each(|span| span.in_scope(|| bed.pass_ms(2)));
    });
    assert!(!bed.has_spans("begun.off"));
    assert!(!bed.has_spans("entered.off"));
    // 5 ms pass before it is entered, in the two spans above; then its own 2.
    assert_eq!(bed.spans("whole"), times(&[2], &[5]));
}

#[test]
fn of_two_layers_the_first_times_spans_and_both_count_events() {
    let (first, second) = (Bed::new(), Bed::new());
    let layers = [&first, &second].map(|bed| TachographLayer::new(bed.collector.clone()));
    let [one, two] = layers;
    subscriber::with_default(registry().with(one).with(two), || {
        info_span!(target: "test", "request").in_scope(|| first.pass_ms(4));
        tracing::info!(target: "test", "event");
    });
    assert_eq!(first.spans("request"), times(&[4], &[0]));
    assert!(!second.has_spans("request"));
    assert_eq!((first.events("info"), second.events("info")), (Some(1), Some(1)));
}

#[test]
fn metrics_are_described() {
    let collector = MetricsCollector::builder().manual().build();
    let layer = TachographLayer::new(collector.clone());
    subscriber::with_default(registry().with(layer), || drop(info_span!("request")));
    let snapshot = collector.get_all_metrics();
    for name in [BUSY, IDLE] {
        let series = snapshot.metric(name).next().expect("recorded");
        assert!(!series.metric.description.is_empty());
    }
}
