//! Events, and fields as tags.

mod bed;

use bed::Bed;
use tachograph::MetricsCollector;
use tachograph_tracing::{BUSY, EVENTS, TachographLayer};
use tracing::field::Empty;
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
