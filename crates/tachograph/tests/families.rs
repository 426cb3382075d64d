//! Families: a handle for each tag set of a type.
#![cfg(feature = "record")]

use tachograph::{MetricsCollector, TagSet, TagValue, tag_set};

tag_set! {
    #[derive(Clone, Copy)]
    enum Handler: "handler" {
        Track = "track",
        Scene = "scene",
        Clip = "clip",
    }
}

tag_set! {
    #[derive(Clone, Copy)]
    enum Outcome: "outcome" {
        Ok = "ok",
        Failed = "failed",
    }
}

tag_set! {
    /// Every combination of three fields.
    struct Event {
        handler: Handler,
        cached: bool,
        outcome: Outcome,
    }
}

const HANDLERS: [(Handler, &str); 3] =
    [(Handler::Track, "track"), (Handler::Scene, "scene"), (Handler::Clip, "clip")];

#[test]
fn each_combination_has_its_own_series_as_by_name() {
    let metrics = MetricsCollector::builder().manual().build();
    let events = metrics.register_counter_family::<Event>("events");
    let durations = metrics.register_timing_family::<Event>("durations");
    let sizes = metrics.register_histogram_family::<Event>("sizes");
    let depths = metrics.register_gauge_family::<Event>("depths");
    let open = metrics.register_up_down_counter_family::<Event>("open");
    let mut amount = 0;
    let mut expected = Vec::new();
    for (handler, handler_tag) in HANDLERS {
        for (cached, cached_tag) in [(false, "false"), (true, "true")] {
            for (outcome, outcome_tag) in [(Outcome::Ok, "ok"), (Outcome::Failed, "failed")] {
                amount += 1;
                let event = Event { handler, cached, outcome };
                events.get(&event).increment_by(amount);
                durations.clone().get(&event).record_ns(amount);
                sizes.get(&event).record(amount);
                depths.get(&event).set(amount as f64);
                open.get(&event).decrement_by(amount);
                let tags =
                    [("handler", handler_tag), ("cached", cached_tag), ("outcome", outcome_tag)];
                expected.push((tags, amount));
            }
        }
    }
    assert_eq!((expected.len(), Event::COUNT), (12, 12));
    for (tags, amount) in expected {
        let tagged = metrics.with_tags(&tags);
        let counted = tagged.get_counter("events").map(|stats| stats.value);
        assert_eq!(counted, Some(i128::from(amount)), "{tags:?}");
        let open = tagged.get_counter("open").map(|stats| stats.value);
        assert_eq!(open, Some(-i128::from(amount)), "{tags:?}");
        let sum = |name: &str| tagged.get_timing(name).map(|stats| stats.buckets().sum());
        assert_eq!([sum("durations"), sum("sizes")], [Some(u128::from(amount)); 2]);
        let depth = tagged.get_gauge("depths").and_then(|stats| stats.current);
        assert_eq!(depth, Some(amount as f64));
    }
    let snapshot = metrics.get_all_metrics();
    let series = snapshot.series().iter().filter(|series| &*series.metric.name == "events");
    assert_eq!(series.count(), 12);
}

#[test]
fn an_enum_alone_has_its_own_key() {
    let metrics = MetricsCollector::builder().manual().build();
    let durations = metrics.register_timing_family::<Handler>("durations");
    for (handler, tag) in HANDLERS {
        durations.get(&handler).record_ns(5);
        let stats = metrics.with_tags(&[("handler", tag)]).get_timing("durations");
        assert_eq!(stats.map(|stats| stats.count), Some(1), "{tag}");
    }
}

#[test]
fn a_family_may_have_tags_of_its_own() {
    let metrics = MetricsCollector::builder().manual().build();
    // The family decides about a key that both have.
    let tags = [("region", "eu"), ("handler", "none")];
    let durations = metrics.with_tags(&tags).register_timing_family::<Handler>("durations");
    for (handler, tag) in HANDLERS {
        durations.get(&handler).record_ns(5);
        let stats =
            metrics.with_tags(&[("handler", tag), ("region", "eu")]).get_timing("durations");
        assert_eq!(stats.map(|stats| stats.count), Some(1), "{tag}");
    }
    assert_eq!(metrics.get_all_metrics().metric("durations").count(), HANDLERS.len());
}

/// By hand, and wrong.
struct Beyond;

impl TagSet for Beyond {
    const COUNT: usize = 2;

    fn index(&self) -> usize {
        usize::MAX
    }

    fn tags(index: usize) -> Vec<(&'static str, &'static str)> {
        vec![("half", bool::VALUES[index])]
    }
}

#[test]
fn a_number_beyond_all_counts_as_the_last() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.register_counter_family::<Beyond>("c").get(&Beyond).increment();
    let last = metrics.with_tags(&[("half", "true")]).get_counter("c");
    assert_eq!(last.map(|stats| stats.value), Some(1));
}

#[test]
fn beyond_the_limit_of_series_the_rest_shares_the_overflow_series() {
    let metrics = MetricsCollector::builder().manual().series_per_metric(2).build();
    let events = metrics.register_counter_family::<Handler>("events");
    HANDLERS.iter().for_each(|(handler, _)| events.get(handler).increment());
    let total = metrics.total("events").and_then(|value| Some(value.as_counter()?.lifetime.value));
    assert_eq!(total, Some(3));
    let overflow = metrics.with_tags(&[("overflow", "true")]).get_counter("events");
    assert_eq!(overflow.map(|stats| stats.value), Some(1));
}

#[test]
fn a_tag_may_be_called_like_a_keyword() {
    tag_set! {
        struct Typed {
            r#type: Outcome,
        }
    }
    let metrics = MetricsCollector::builder().manual().build();
    let events = metrics.register_counter_family::<Typed>("events");
    events.get(&Typed { r#type: Outcome::Failed }).increment();
    let failed = metrics.with_tags(&[("type", "failed")]).get_counter("events");
    assert_eq!(failed.map(|stats| stats.value), Some(1));
}
