//! The summary: its shape, and which metric feeds which field.

use std::time::Duration;

use ast_server::{LatencyMs, MetricsExporter, Summary};
use serde_json::{Value, json};
use tachograph::{Clock, MetricsCollector, Unit};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn summary(metrics: &MetricsCollector) -> Summary {
    MetricsExporter::to_summary(&metrics.get_all_metrics())
}

#[test]
fn every_field_exists_before_anything_is_recorded() {
    let mut json = serde_json::to_value(summary(&manual())).expect("serialises");
    let timestamp = json["timestamp"].take();
    let version = json["snapshot_version"].take();
    assert!(version.is_u64(), "{version}");
    assert!(timestamp.as_str().is_some_and(|text| text.ends_with('Z')), "{timestamp}");
    assert_eq!(
        json,
        json!({
            "timestamp": null,
            "uptime_seconds": 0.0,
            "snapshot_version": null,
            "event_processing": {
                "total_processed": 0,
                "latency_ms": {"p50": 0.0, "p95": 0.0, "p99": 0.0},
                "latency_ms_lifetime": {"p50": 0.0, "p95": 0.0, "p99": 0.0},
                "received": 0, "ignored": 0, "unhandled": 0, "rejected": 0,
            },
            "udp_listener": {
                "packets_received": 0, "packets_dropped": 0,
                "sequence_gaps": 0, "loss_rate_percent": 0.0,
            },
            "websocket": {"clients_connected": 0, "broadcasts_sent": 0, "broadcasts_failed": 0},
            "cache": {"hit_rate_percent": 0.0},
            "errors": {"errors.event_processing": 0},
            "errors_total": 0,
        })
    );
}

/// The example in the summary's documentation.
const EXAMPLE: &str = r#"{
    "timestamp": "2025-11-28T10:30:00",
    "uptime_seconds": 3600.5,
    "event_processing": {
        "total_processed": 15420,
        "latency_ms": { "p50": 5.2, "p95": 18.7, "p99": 45.3 }
    },
    "udp_listener": { "packets_received": 15500, "packets_dropped": 80 },
    "websocket": { "clients_connected": 3, "broadcasts_sent": 15420 },
    "cache": { "hit_rate_percent": 87.3 },
    "errors": { "errors.event_processing": 2 }
}"#;

/// Every field of `shape` has a counterpart of the same type in `other`.
fn assert_covers(shape: &Value, other: &Value, at: &str) {
    match (shape, other) {
        (Value::Object(shape), Value::Object(other)) => {
            for (field, value) in shape {
                let found = other.get(field).unwrap_or_else(|| panic!("no {at}.{field}"));
                assert_covers(value, found, &format!("{at}.{field}"));
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            assert_eq!(a.is_f64(), b.is_f64(), "{at}: {a} against {b}");
        }
        _ => assert_eq!(shape.is_string(), other.is_string(), "{at}"),
    }
}

#[test]
fn the_shape_is_that_of_the_example_and_the_example_can_be_read() {
    let example: Value = serde_json::from_str(EXAMPLE).expect("valid JSON");
    let ours = serde_json::to_value(summary(&manual())).expect("serialises");
    assert_covers(&example, &ours, "summary");
    let read: Summary = serde_json::from_str(EXAMPLE).expect("a summary");
    assert_eq!(read.event_processing.latency_ms.p95, 18.7);
    assert_eq!((read.websocket.clients_connected, read.errors_total), (3, 0));
}

#[test]
fn each_metric_feeds_its_field() {
    let metrics = manual();
    for (name, amount) in [
        ("events.processed", 1),
        ("events.received", 2),
        ("events.ignored.no_ast", 3),
        ("events.unhandled", 4),
        ("events.rejected", 5),
        ("udp.packet.received", 90),
        ("udp.packet.dropped", 14),
        ("udp.packet.recovered", 4),
        ("udp.sequence.gap", 6),
        ("websocket.broadcast.success", 7),
        ("websocket.broadcast.failure", 8),
        ("websocket.broadcast.attempt", 1_000),
        ("cache.hit", 2),
        ("cache.miss", 1),
        ("errors.event_processing", 9),
        ("errors.validation", 10),
    ] {
        metrics.increment_by(name, amount);
    }
    metrics.gauge("websocket.clients", 3.0);
    let summary = summary(&metrics);
    let events = summary.event_processing;
    assert_eq!((events.total_processed, events.received), (1, 2));
    assert_eq!((events.ignored, events.unhandled, events.rejected), (3, 4, 5));
    let udp = summary.udp_listener;
    assert_eq!((udp.packets_received, udp.packets_dropped, udp.sequence_gaps), (90, 10, 6));
    assert_eq!(udp.loss_rate_percent, 10.0);
    let websocket = summary.websocket;
    assert_eq!((websocket.broadcasts_sent, websocket.broadcasts_failed), (7, 8));
    assert_eq!(websocket.clients_connected, 3);
    assert_eq!(summary.cache.hit_rate_percent, 66.7);
    assert_eq!(summary.errors.into_values().collect::<Vec<_>>(), [9, 10]);
    assert_eq!(summary.errors_total, 19);
}

#[test]
fn the_latency_is_of_the_untagged_timing_in_milliseconds_to_the_nanosecond() {
    let metrics = manual();
    let tagged = [("event_type", "/live/track/renamed")];
    metrics.with_tags(&tagged).timing("event.processing.duration", Duration::from_secs(3));
    assert_eq!(summary(&metrics).event_processing.latency_ms, LatencyMs::default());
    metrics.timing("event.processing.duration", Duration::from_nanos(1_234_567));
    let latency = summary(&metrics).event_processing.latency_ms;
    assert_eq!(latency, LatencyMs { p50: 1.234567, p95: 1.234567, p99: 1.234567 });
}

#[test]
fn values_by_type_are_never_counted_as_the_total_nor_twice() {
    let metrics = manual();
    metrics.with_tags(&[("event_type", "a")]).increment_by("events.processed.by_type", 7);
    assert_eq!(summary(&metrics).event_processing.total_processed, 0);
    metrics.with_tags(&[("event_type", "a")]).increment_by("events.processed", 2);
    metrics.with_tags(&[("event_type", "b")]).increment_by("events.processed", 3);
    assert_eq!(summary(&metrics).event_processing.total_processed, 5, "the sum over the tags");
    metrics.increment_by("events.processed", 4);
    assert_eq!(summary(&metrics).event_processing.total_processed, 4, "the untagged series");
}

#[test]
fn errors_are_counters_of_that_prefix_each_name_once() {
    let metrics = manual();
    metrics.with_tags(&[("error_type", "ValueError")]).increment_by("errors.validation", 2);
    metrics.with_tags(&[("error_type", "KeyError")]).increment_by("errors.validation", 3);
    metrics.with_tags(&[("event_type", "a")]).increment("errors.event_processing.by_type");
    metrics.increment("errors");
    metrics.increment("errors.");
    metrics.increment("network.errors.timeout");
    metrics.gauge("errors.rate", 5.0);
    metrics.timing("errors.recovery", Duration::from_secs(1));
    let summary = summary(&metrics);
    let errors: Vec<_> = summary.errors.iter().map(|(name, count)| (&**name, *count)).collect();
    assert_eq!(errors, [("errors.event_processing", 0), ("errors.validation", 5)]);
    assert_eq!(summary.errors_total, 5);
}

#[test]
fn counts_never_go_below_zero_nor_beyond_64_bits() {
    let metrics = manual();
    metrics.decrement("websocket.clients");
    metrics.increment("udp.packet.dropped");
    metrics.increment_by("udp.packet.recovered", 2);
    for tag in ["a", "b"] {
        metrics.with_tags(&[("t", tag)]).increment_by("errors.many", u64::MAX);
    }
    let summary = summary(&metrics);
    assert_eq!(summary.websocket.clients_connected, 0);
    assert_eq!(summary.udp_listener.packets_dropped, 0);
    assert_eq!(summary.udp_listener.loss_rate_percent, 0.0);
    assert_eq!((summary.errors["errors.many"], summary.errors_total), (u64::MAX, u64::MAX));
}

#[test]
fn clients_are_a_gauge_or_a_counter() {
    let metrics = manual();
    let clients = metrics.register_up_down_counter("websocket.clients");
    clients.increment();
    clients.increment();
    assert_eq!(summary(&metrics).websocket.clients_connected, 2);
    let metrics = manual();
    metrics.gauge("websocket.clients", f64::NEG_INFINITY);
    assert_eq!(summary(&metrics).websocket.clients_connected, 0);
    metrics.gauge("websocket.clients", 41.7);
    assert_eq!(summary(&metrics).websocket.clients_connected, 42);
}

#[test]
fn a_summary_survives_json() {
    let metrics = manual();
    metrics.timing("event.processing.duration", Duration::from_nanos(123_456_789));
    metrics.increment("errors.validation");
    let summary = summary(&metrics);
    let text = serde_json::to_string(&summary).expect("serialises");
    assert!(text.starts_with(r#"{"timestamp":""#), "fields stay in the documented order: {text}");
    assert_eq!(serde_json::from_str::<Summary>(&text).expect("a summary"), summary);
}

#[test]
fn it_says_of_which_snapshot_it_is() {
    let metrics = manual();
    metrics.increment("events.processed");
    let (first, second) = (metrics.get_all_metrics(), metrics.get_all_metrics());
    for snapshot in [first, second] {
        let told = MetricsExporter::to_summary(&snapshot).snapshot_version;
        let written: Value = serde_json::to_value(&*snapshot).expect("serialises");
        assert_eq!(written["version"], told);
    }
}

#[test]
fn a_scaled_counter_is_rounded_to_whole_ones() {
    let metrics = manual();
    metrics.describe_scaled("events.processed", Unit::None, 0.1, "in tenths");
    metrics.increment_by("events.processed", 26);
    assert_eq!(summary(&metrics).event_processing.total_processed, 3);
}

/// Whether each quantile is what it should be, within 0.1 %.
fn is_latency(told: LatencyMs, expected: [f64; 3]) -> bool {
    let pairs = [told.p50, told.p95, told.p99].into_iter().zip(expected);
    pairs.into_iter().all(|(told, expected)| (told - expected).abs() <= expected * 1e-3)
}

/// 3,600 samples of 1 ms and 120 of 2 s: 96.8 % are fast.
const LIFETIME_MS: [f64; 3] = [1.0, 1.0, 2_000.0];

#[test]
fn after_an_hour_at_1_ms_latencies_are_those_of_the_last_two_minutes_at_2_s() {
    for has_windows in [true, false] {
        let (clock, mock) = Clock::mock();
        let builder = MetricsCollector::builder().manual().clock(clock.clone());
        let metrics = if has_windows { builder } else { builder.no_window() }.build();
        let run = |seconds, duration: Option<Duration>| {
            for _ in 0..seconds {
                mock.advance(Duration::from_secs(1));
                let record = |it| metrics.timing("event.processing.duration", it);
                duration.into_iter().for_each(record);
                metrics.run_pass(clock.now(), clock.wall());
            }
            MetricsExporter::to_summary(&metrics.snapshot()).event_processing
        };
        run(3_600, Some(Duration::from_millis(1)));
        let slow = run(120, Some(Duration::from_secs(2)));
        assert!(is_latency(slow.latency_ms_lifetime, LIFETIME_MS));
        let now = if has_windows { [2_000.0; 3] } else { LIFETIME_MS };
        assert!(is_latency(slow.latency_ms, now), "{:?}", slow.latency_ms);
        let quiet = run(120, None);
        let now = if has_windows { [0.0; 3] } else { LIFETIME_MS };
        assert!(is_latency(quiet.latency_ms, now), "{:?}", quiet.latency_ms);
        assert!(is_latency(quiet.latency_ms_lifetime, LIFETIME_MS));
    }
}
