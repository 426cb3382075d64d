//! The Prometheus formats, read back by independent parsers.

mod exemplars;
mod forms;
mod hostile;
mod names;
mod parse;
mod scaled;
mod windows;
mod wire;

use std::time::Duration;

use tachograph::{MetricsCollector, Unit};
use tachograph_export::prometheus::{self, Prometheus};

use self::parse::{Family, parse};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

/// The lines of a collector, without its own series.
fn text(metrics: &MetricsCollector) -> String {
    let mut text = String::new();
    prometheus::encode(&metrics.get_all_metrics(), &mut text);
    parse(&text).expect("valid");
    let about_itself = |line: &&str| line.contains("telemetry_");
    text.lines().filter(|line| !about_itself(line)).map(|line| format!("{line}\n")).collect()
}

fn families(metrics: &MetricsCollector) -> Vec<Family> {
    parse(&text(metrics)).expect("valid")
}

fn names(metrics: &MetricsCollector) -> Vec<String> {
    families(metrics).into_iter().map(|family| family.name).collect()
}

#[test]
fn each_kind_is_written_as_its_type() {
    let metrics = manual();
    metrics.describe("event.processing.duration", Unit::Seconds, "time to process an event");
    let renamed = [("event_type", "/live/track/renamed")];
    metrics.with_tags(&renamed).timing("event.processing.duration", Duration::from_millis(5));
    metrics.increment_by("events.processed", 3);
    metrics.decrement("sessions.open");
    metrics.gauge("cache.hit_rate", 0.87);
    metrics.describe("websocket.message.size", Unit::Bytes, "");
    metrics.register_histogram("websocket.message.size");
    let expected = r#"# HELP cache_hit_rate gauge cache.hit_rate
# TYPE cache_hit_rate gauge
cache_hit_rate 0.87
# HELP event_processing_duration_seconds time to process an event
# TYPE event_processing_duration_seconds summary
event_processing_duration_seconds{event_type="/live/track/renamed",quantile="0.5"} 0.005
event_processing_duration_seconds{event_type="/live/track/renamed",quantile="0.9"} 0.005
event_processing_duration_seconds{event_type="/live/track/renamed",quantile="0.95"} 0.005
event_processing_duration_seconds{event_type="/live/track/renamed",quantile="0.99"} 0.005
event_processing_duration_seconds{event_type="/live/track/renamed",quantile="0.999"} 0.005
event_processing_duration_seconds_sum{event_type="/live/track/renamed"} 0.005
event_processing_duration_seconds_count{event_type="/live/track/renamed"} 1
# HELP events_processed_total counter events.processed
# TYPE events_processed_total counter
events_processed_total 3
# HELP sessions_open up-down counter sessions.open
# TYPE sessions_open gauge
sessions_open -1
# HELP websocket_message_size_bytes histogram websocket.message.size
# TYPE websocket_message_size_bytes summary
websocket_message_size_bytes{quantile="0.5"} NaN
websocket_message_size_bytes{quantile="0.9"} NaN
websocket_message_size_bytes{quantile="0.95"} NaN
websocket_message_size_bytes{quantile="0.99"} NaN
websocket_message_size_bytes{quantile="0.999"} NaN
websocket_message_size_bytes_sum 0.0
websocket_message_size_bytes_count 0
"#;
    assert_eq!(text(&metrics), expected);
}

#[test]
fn series_of_a_metric_stay_together_when_another_key_sorts_between_them() {
    let metrics = manual();
    metrics.increment("a");
    metrics.increment("a.b");
    metrics.with_tags(&[("k", "v")]).increment("a");
    assert_eq!(names(&metrics), ["a_total", "a_b_total"]);
}

#[test]
fn an_encoder_meets_other_series_of_the_same_metrics_in_any_format() {
    let of = |tag: &str| {
        let metrics = manual();
        metrics.increment("a.first");
        metrics.with_tags(&[("tag", tag)]).increment("b.second");
        metrics.with_tags(&[("tag", tag)]).timing("c.third", Duration::from_millis(3));
        let first = metrics.get_all_metrics();
        metrics.describe("c.third", Unit::None, "told when much is written already");
        [first, metrics.get_all_metrics()]
    };
    let snapshots = [of("this"), of("that")].concat();
    let (mut lines, mut messages) = (Prometheus::new(), Prometheus::new());
    for snapshot in snapshots.iter().cycle().take(8) {
        let [mut kept, mut new] = ["before\n"; 2].map(str::to_owned);
        lines.text(snapshot, &mut kept);
        Prometheus::new().text(snapshot, &mut new);
        assert!(kept == new, "text");
        lines.open_metrics(snapshot, &mut kept);
        Prometheus::new().open_metrics(snapshot, &mut new);
        assert!(kept == new, "OpenMetrics");
        let [mut kept, mut new] = [vec![1], vec![1]];
        messages.protobuf(snapshot, &mut kept);
        Prometheus::new().protobuf(snapshot, &mut new);
        assert!(kept == new, "protobuf");
    }
}

#[test]
fn suffixes_are_not_doubled() {
    let metrics = manual();
    metrics.increment("events_total");
    metrics.timing("wait_seconds", Duration::ZERO);
    metrics.describe("sent_bytes_total", Unit::Bytes, "");
    metrics.increment("sent_bytes_total");
    metrics.describe("traffic.total", Unit::Bytes, "");
    metrics.increment("traffic.total");
    let expected = ["events_total", "sent_bytes_total", "traffic_bytes_total", "wait_seconds"];
    assert_eq!(names(&metrics), expected);
}

#[test]
fn names_that_collide_get_numbers_in_the_order_of_the_originals() {
    let metrics = manual();
    for name in ["a_b", "a.b", "a-b", "a_b_1"] {
        metrics.timing(name, Duration::ZERO);
    }
    let helps: Vec<_> = families(&metrics).into_iter().map(|f| (f.help, f.name)).collect();
    let of = |name: &str| helps.iter().find(|(help, _)| help == &format!("timing {name}"));
    let name = |original: &str| of(original).map(|(_, name)| name.as_str());
    assert_eq!(name("a-b"), Some("a_b_seconds"));
    assert_eq!(name("a.b"), Some("a_b_1_seconds"));
    assert_eq!(name("a_b"), Some("a_b_2_seconds"));
    assert_eq!(name("a_b_1"), Some("a_b_1_1_seconds"));
    let mut text = String::new();
    assert_eq!(prometheus::encode(&metrics.get_all_metrics(), &mut text), 3);
    assert!(text.contains("\ntelemetry_prometheus_renamed 3\n"));
}

#[test]
fn a_family_never_has_the_name_of_another_ones_sample() {
    let metrics = manual();
    for name in ["x", "x.count", "x.sum", "x.total"] {
        metrics.describe(name, Unit::None, "");
    }
    metrics.histogram("x", 1);
    metrics.gauge("x.count", 1.0);
    metrics.increment("x.sum");
    metrics.gauge("y", 1.0);
    metrics.increment("y.total");
    assert_eq!(names(&metrics), ["x", "x_count_1", "x_sum_1_total", "y", "y_1_total"]);
}

#[test]
fn reserved_labels_and_colliding_keys_get_numbers() {
    let metrics = manual();
    metrics
        .with_tags(&[
            ("le", "1"),
            ("quantile", "2"),
            ("__name__", "3"),
            ("a.b", "4"),
            ("a_b", "5"),
            ("9", "6"),
            ("éé", "7"),
            ("", "8"),
        ])
        .increment("x");
    // A key has the same label in every series.
    metrics.with_tags(&[("a_b", "4")]).increment("x");
    let families = families(&metrics);
    let labels: Vec<_> =
        families[0].samples[0].labels.iter().map(|(k, v)| format!("{v}{k}")).collect();
    let expected = ["8_", "6_9", "3name___1", "4a_b", "5a_b_1", "1le_1", "2quantile_1", "7tag_1"];
    assert_eq!(labels, expected);
    assert_eq!(families[0].samples[1].labels, [("a_b_1".to_owned(), "4".to_owned())]);
}

#[test]
fn names_may_be_anything() {
    let metrics = manual();
    for name in ["", "404", "é", "a\nb", "a b{c=\"d\"} 1\n# TYPE x"] {
        metrics.increment(name);
    }
    let expected =
        ["__total", "_404_total", "a_b_total", "a_b_c__d___1___TYPE_x_total", "__1_total"];
    assert_eq!(names(&metrics), expected);
}

#[test]
fn ten_thousand_names_that_collide_are_ten_thousand_families() {
    let metrics = MetricsCollector::builder().manual().max_metrics(20_000).build();
    for c in ('\u{4e00}'..).take(10_000) {
        metrics.increment(&c.to_string());
    }
    assert_eq!(families(&metrics).len(), 10_000);
}

#[test]
fn an_encoder_that_goes_on_writes_what_a_new_one_would() {
    let metrics = manual();
    let mut kept = Prometheus::new();
    let mut same = |what: &str| {
        let snapshot = metrics.get_all_metrics();
        let (mut text, mut anew) = (String::new(), String::new());
        let renamed = kept.text(&snapshot, &mut text);
        assert_eq!(renamed, prometheus::encode(&snapshot, &mut anew), "{what}");
        assert_eq!(text, anew, "{what}");
    };
    same("nothing");
    metrics.increment("b");
    metrics.with_tags(&[("k", "v")]).timing("t", Duration::from_micros(5));
    same("new series");
    metrics.increment_by("b", 7);
    metrics.with_tags(&[("k", "v")]).timing("t", Duration::from_micros(9));
    same("new values");
    metrics.describe("b", Unit::Bytes, "told later");
    metrics.increment("b");
    same("a unit and a description");
    metrics.with_tags(&[("k.", "v"), ("k_", "w")]).increment("a");
    same("a series that sorts before the others");
    metrics.reset();
    same("nothing again");
    metrics.gauge("b.", 1.0);
    metrics.gauge("c", f64::NEG_INFINITY);
    same("other series, as many");
}

/// A collector that has coalesced some of its samples, and how many.
fn coalesced() -> (MetricsCollector, u64) {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let timing = metrics.register_timing("t");
    (0..5_000).for_each(|nanos| timing.record_ns(1_000_000 + nanos));
    let stats = metrics.get_timing("t").expect("recorded");
    (metrics, stats.buckets().coalesced())
}

#[test]
fn every_form_tells_how_many_samples_were_coalesced() {
    // Room for two blocks of 512.
    let ((overloaded, samples), (quiet, none)) = (coalesced(), (manual(), 0));
    assert_eq!(samples, 5_000 - 1_024);
    for (metrics, samples) in [(overloaded, samples), (quiet, none)] {
        let snapshot = metrics.get_all_metrics();
        let (mut text, mut open_metrics, mut bytes) = (String::new(), String::new(), Vec::new());
        let mut encoder = Prometheus::new();
        encoder.text(&snapshot, &mut text);
        encoder.open_metrics(&snapshot, &mut open_metrics);
        encoder.protobuf(&snapshot, &mut bytes);
        let line = format!("\ntelemetry_coalesced_total {samples}\n");
        assert!(text.contains(&line), "text");
        let value = open_metrics
            .lines()
            .find_map(|line| line.strip_prefix("telemetry_coalesced_total ")?.parse::<f64>().ok());
        assert_eq!(value, Some(samples as f64), "OpenMetrics");
        let families = wire::decode(&bytes);
        let told = families.iter().find(|family| family.name == "telemetry_coalesced_total");
        let counter = told.and_then(|family| family.metrics[0].counter);
        assert_eq!(counter, Some(samples as f64), "protobuf");
    }
}
