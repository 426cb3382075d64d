//! Events, and fields as tags.

mod bed;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bed::Bed;
use tachograph::MetricsCollector;
use tachograph_tracing::{BUSY, EVENTS, TachographLayer};
use tracing::field::{self, Empty};
use tracing::{debug, error, info, info_span, subscriber, trace, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

#[test]
fn events_count_by_level_and_target() {
    let bed = Bed::new();
    bed.run(|| {
        (0..5).for_each(|_| error!(target: "test", "an error"));
        (0..4).for_each(|_| warn!(target: "test", "a warning"));
        (0..3).for_each(|_| info!(target: "test", "something"));
        (0..2).for_each(|_| debug!(target: "test", "a detail"));
        trace!(target: "test", "a step");
        info!(target: "other", "something");
    });
    let levels = ["error", "warn", "info", "debug", "trace"];
    assert_eq!(levels.map(|level| bed.events(level)), [5, 4, 3, 2, 1].map(Some));
    let all = bed.collector.total(EVENTS).expect("some");
    assert_eq!(all.as_counter().map(|views| views.lifetime.value), Some(16));
}

#[test]
fn chosen_fields_are_tags_whatever_their_type() {
    let bed = Bed::with(|layer| {
        ["text", "number", "flag", "shown", "debugged"]
            .into_iter()
            .fold(layer, TachographLayer::with_field)
    });
    bed.run(|| {
        info_span!(
            target: "test", "request",
            text = "/users",
            number = -7,
            flag = true,
            shown = %"shown",
            debugged = ?Some(1),
            not_chosen = 5,
        )
        .in_scope(|| ());
    });
    let tags = [
        ("span", "request"),
        ("target", "test"),
        ("text", "/users"),
        ("number", "-7"),
        ("flag", "true"),
        ("shown", "shown"),
        ("debugged", "Some(1)"),
    ];
    assert_eq!(bed.tagged(&tags), Some(1));
}

#[test]
fn the_last_value_of_a_field_holds() {
    let bed = Bed::with(|layer| layer.with_field("status"));
    bed.run(|| {
        let span = info_span!(target: "test", "request", status = Empty);
        span.record("status", 200);
        span.record("status", 503);
        drop(span);
        drop(info_span!(target: "test", "request", status = Empty));
    });
    let tags = [("span", "request"), ("target", "test")];
    assert_eq!(bed.tagged(&[tags[0], tags[1], ("status", "503")]), Some(1));
    assert_eq!(bed.tagged(&[tags[0], tags[1], ("status", "200")]), None);
    assert_eq!(bed.tagged(&tags), Some(1), "without a value there is no tag");
}

#[test]
fn events_have_their_own_fields() {
    let bed = Bed::with(|layer| layer.with_field("status"));
    bed.run(|| {
        let _span = info_span!(target: "test", "request", status = 200).entered();
        info!(target: "test", status = 404, "not found");
        info!(target: "test", "plain");
    });
    let tags = [("level", "info"), ("target", "test"), ("status", "404")];
    assert_eq!(
        bed.collector.with_tags(&tags).get_counter(EVENTS).map(|stats| stats.value),
        Some(1)
    );
    assert_eq!(bed.events("info"), Some(1));
}

#[test]
fn a_field_never_hides_the_spans_name() {
    let bed = Bed::with(|layer| layer.with_field("span").with_field("target"));
    bed.run(|| drop(info_span!(target: "test", "request", span = "other", target = "other")));
    assert_eq!(bed.tagged(&[("span", "request"), ("target", "test")]), Some(1));
}

#[test]
fn fields_that_never_repeat_are_added_up_beyond_the_limit() {
    let collector = MetricsCollector::builder().manual().series_per_metric(50).build();
    let layer = TachographLayer::new(collector.clone()).with_field("user");
    subscriber::with_default(registry().with(layer), || {
        for user in 0..1_000 {
            info_span!("login", user).in_scope(|| info!(user, "seen"));
        }
    });
    let total = |name| collector.total(name).expect("some");
    assert_eq!(total(BUSY).as_timing().map(|views| views.lifetime.count), Some(1_000));
    assert_eq!(total(EVENTS).as_counter().map(|views| views.lifetime.value), Some(1_000));
    let overflow = collector.with_tags(&[("overflow", "true")]);
    assert_eq!(overflow.get_timing(BUSY).map(|stats| stats.count), Some(950));
    assert_eq!(overflow.get_counter(EVENTS).map(|stats| stats.value), Some(950));
}

/// A value that acts when it is formatted.
struct Acts<F>(F);

impl<F: Fn()> fmt::Debug for Acts<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        f.write_str("done")
    }
}

#[test]
fn a_value_that_panics_spoils_no_span() {
    let bed = Bed::with(|layer| layer.with_field("status"));
    bed.run(|| {
        let span = info_span!(target: "test", "request", status = "early");
        let panics = field::debug(Acts(|| panic!("on purpose")));
        let recorded = catch_unwind(AssertUnwindSafe(|| span.record("status", &panics)));
        assert!(recorded.is_err());
        span.in_scope(|| ());
    });
    let tags = [("span", "request"), ("target", "test"), ("status", "early")];
    assert_eq!(bed.tagged(&tags), Some(1));
}

#[test]
fn a_value_may_use_its_span_while_it_is_formatted() {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        let bed = Bed::with(|layer| layer.with_field("status").with_field("route"));
        bed.run(|| {
            let span = info_span!(target: "test", "request", status = Empty, route = Empty);
            let uses = Acts(|| {
                span.record("route", "/");
            });
            span.record("status", field::debug(uses));
        });
        let tags = [("span", "request"), ("target", "test"), ("status", "done"), ("route", "/")];
        done.send(bed.tagged(&tags)).expect("it is waited for");
    });
    assert_eq!(wait.recv_timeout(Duration::from_secs(20)), Ok(Some(1)));
}
