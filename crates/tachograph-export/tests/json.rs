//! The shape of the JSON export.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tachograph::{MetricsCollector, Snapshot, Unit};
use tachograph_export::json;

/// A collector with a manual clock that was created two minutes ago.
fn two_minutes_old(metrics: &MetricsCollector) -> std::sync::Arc<Snapshot> {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_325_800);
    metrics.run_pass(Instant::now() + Duration::from_secs(120), wall);
    metrics.snapshot()
}

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn to_json(snapshot: &Snapshot) -> Value {
    json::to_value(snapshot, json::Options::default())
}

#[test]
fn the_document_has_a_timestamp_the_uptime_and_three_sections() {
    let json = to_json(&two_minutes_old(&manual()));
    assert_eq!(keys(&json), ["metrics", "timestamp", "uptime_seconds", "window_seconds"]);
    assert_eq!(keys(&json["metrics"]), ["counters", "gauges", "timings"]);
    assert_eq!(json["timestamp"], "2025-11-28T10:30:00.000Z");
    assert!((120.0..180.0).contains(&json["uptime_seconds"].as_f64().expect("a number")));
    assert_eq!(json["window_seconds"], 60.0);
}

#[test]
fn a_traced_series_has_an_exemplar_and_no_other_has() {
    let metrics = manual();
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = header.parse().expect("a traceparent");
    metrics.histogram_traced("traced", 300, trace);
    metrics.histogram("plain", 300);
    let json = to_json(&two_minutes_old(&metrics));
    let timings = &json["metrics"]["timings"];
    let expected = json!({
        "value": 300.0,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
        "timestamp": "2025-11-28T10:30:00.000Z",
    });
    assert_eq!(timings["traced"]["exemplar"], expected);
    assert_eq!(timings["plain"].get("exemplar"), None);
}

#[test]
fn a_timing_is_in_seconds_and_repeats_its_statistics_in_the_window() {
    let metrics = manual();
    let half = Duration::from_secs(60);
    metrics.run_pass(Instant::now() + half, SystemTime::now());
    for ms in 1..=1_000 {
        metrics.timing("event.processing", Duration::from_millis(ms));
    }
    let json = to_json(&two_minutes_old(&metrics));
    let timing = &json["metrics"]["timings"]["event.processing"];
    for (field, expected) in [
        ("count", 1_000.0),
        ("sum", 500.5),
        ("mean", 0.5005),
        ("min", 0.001),
        ("max", 1.0),
        ("p50", 0.5),
        ("p90", 0.9),
        ("p95", 0.95),
        ("p99", 0.99),
        ("p999", 0.999),
        ("quantile_error", 1.0 / 2048.0),
    ] {
        for view in [timing, &timing["window"]] {
            let value = view[field].as_f64().unwrap_or_else(|| panic!("{field} of {view}"));
            assert!((value - expected).abs() <= expected * 0.001, "{field}: {value}");
        }
    }
    assert_eq!(timing["kind"], "timing");
    assert_eq!(timing["unit"], "seconds");
    assert_eq!(timing["dropped"], 0);
    assert_eq!(timing["count"], json!(1_000), "counts are whole numbers");
    let rate = |view: &Value| view["rate"].as_f64().expect("a number");
    assert!((rate(&timing["window"]) - 1_000.0 / 60.0).abs() < 0.01, "{timing}");
    assert!(rate(timing) < rate(&timing["window"]), "the uptime is longer than the window");
    assert_eq!(timing.get("buckets"), None);
}

#[test]
fn histograms_are_timings_of_their_own_unit_and_both_counters_are_counters() {
    let metrics = manual();
    metrics.describe("websocket.message.size", Unit::Bytes, "size of a broadcast message");
    metrics.histogram("websocket.message.size", 512);
    metrics.increment_by("events.dropped", 5);
    metrics.decrement("websocket.clients");
    metrics.gauge("cache.hit_rate", 0.87);
    let json = to_json(&two_minutes_old(&metrics));
    let metrics = &json["metrics"];
    let size = &metrics["timings"]["websocket.message.size"];
    assert_eq!((&size["kind"], &size["unit"]), (&json!("histogram"), &json!("bytes")));
    assert_eq!((&size["p50"], &size["sum"]), (&json!(512.0), &json!(512.0)));
    let dropped = &metrics["counters"]["events.dropped"];
    assert_eq!((&dropped["value"], &dropped["window"]["value"]), (&json!(5), &json!(5)));
    let clients = &metrics["counters"]["websocket.clients"];
    assert_eq!((&clients["value"], &clients["kind"]), (&json!(-1), &json!("up_down_counter")));
    let hit_rate = &metrics["gauges"]["cache.hit_rate"];
    for (field, expected) in
        [("current", 0.87), ("min", 0.87), ("max", 0.87), ("mean", 0.87), ("count", 1.0)]
    {
        assert_eq!(hit_rate[field].as_f64(), Some(expected), "{field}");
        assert_eq!(hit_rate["window"][field].as_f64(), Some(expected), "{field} of the window");
    }
}

#[test]
fn nothing_recorded_is_zero_and_infinity_is_null() {
    let metrics = manual();
    metrics.register_timing("idle");
    metrics.register_gauge("unset");
    metrics.gauge("endless", f64::INFINITY);
    let json = to_json(&two_minutes_old(&metrics));
    let idle = &json["metrics"]["timings"]["idle"];
    for field in ["mean", "min", "max", "p50", "p99", "p999", "rate"] {
        assert_eq!(idle[field], 0.0, "{field}");
    }
    assert_eq!(json["metrics"]["gauges"]["unset"]["current"], 0.0);
    let endless = &json["metrics"]["gauges"]["endless"];
    assert_eq!((&endless["current"], &endless["mean"]), (&Value::Null, &json!(0.0)));
}

#[test]
fn the_largest_counters_are_whole_numbers() {
    let metrics = manual();
    metrics.increment_by("up", u64::MAX);
    metrics.decrement_by("down", 1 << 63);
    let json = to_json(&two_minutes_old(&metrics));
    assert_eq!(json["metrics"]["counters"]["up"]["value"], json!(u64::MAX));
    assert_eq!(json["metrics"]["counters"]["down"]["value"], json!(i64::MIN));
}

#[test]
fn without_windows_there_is_no_window() {
    let metrics = MetricsCollector::builder().manual().no_window().build();
    metrics.increment("events");
    let json = to_json(&two_minutes_old(&metrics));
    assert_eq!(json.get("window_seconds"), None);
    assert_eq!(json["metrics"]["counters"]["events"].get("window"), None);
}

#[test]
fn bucket_counts_add_up_to_the_count_and_edges_are_in_the_unit() {
    let metrics = manual();
    for us in [1, 10, 10, 250_000] {
        metrics.timing("turn", Duration::from_micros(us));
    }
    let snapshot = two_minutes_old(&metrics);
    let json = json::to_value(&snapshot, json::Options { buckets: true, ..Default::default() });
    let buckets = json["metrics"]["timings"]["turn"]["buckets"].as_array().expect("an array");
    let counts: Vec<_> = buckets.iter().filter_map(|bucket| bucket["count"].as_u64()).collect();
    assert_eq!(counts, [1, 2, 1]);
    let edge = |i: usize, name: &str| buckets[i][name].as_f64().expect("a number");
    assert!(edge(2, "low") <= 0.25 && 0.25 <= edge(2, "high") && edge(2, "high") < 0.2503);
}

#[test]
fn bytes_and_value_say_the_same_and_keys_are_sorted() {
    let metrics = manual();
    for name in ["b", "a.b", "a", "a\"\\\u{1}é"] {
        metrics.with_tags(&[("k", "v,=[]"), ("a", "\n")]).increment(name);
        metrics.increment(name);
    }
    let snapshot = two_minutes_old(&metrics);
    let mut bytes = b"before ".to_vec();
    json::encode(&snapshot, json::Options::default(), &mut bytes);
    let bytes = bytes.strip_prefix(b"before ").expect("encode appends");
    let parsed: Value = serde_json::from_slice(bytes).expect("valid JSON");
    assert_eq!(parsed, to_json(&snapshot));
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let places: Vec<_> = keys(&parsed["metrics"]["counters"])
        .iter()
        .map(|key| text.find(&serde_json::to_string(key).expect("a string")))
        .collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
    assert_eq!(
        parsed["metrics"]["counters"][r"a[a=\n,k=v\,\=\[\]]".replace(r"\n", "\n")]["value"],
        1
    );
}

#[test]
fn the_document_tells_how_many_samples_were_coalesced() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let timing = metrics.register_timing("t");
    // Room for two blocks of 512.
    (0..5_000).for_each(|nanos| timing.record_ns(1_000_000 + nanos));
    let json = json::to_value(&metrics.get_all_metrics(), json::Options::default());
    assert_eq!(json["metrics"]["counters"]["telemetry.coalesced"]["value"], 5_000 - 1_024);
}

#[test]
fn the_collectors_own_series_can_be_left_out() {
    let metrics = MetricsCollector::builder().manual().export_prefix("shop").build();
    metrics.increment("telemetry_mine");
    metrics.timing("turn", Duration::from_secs(1));
    let options = json::Options { telemetry: false, ..Default::default() };
    let json = json::to_value(&metrics.get_all_metrics(), options);
    let keys = |section: &str| -> Vec<String> {
        json["metrics"][section].as_object().expect("a section").keys().cloned().collect()
    };
    // Under the names that they are recorded by.
    assert_eq!(keys("timings"), ["turn"]);
    assert_eq!((keys("counters"), keys("gauges")), (vec!["telemetry_mine".to_owned()], vec![]));
}
