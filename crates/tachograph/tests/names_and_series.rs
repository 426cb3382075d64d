//! Names, tags, kinds, limits: what is one series, what is refused, what is counted.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tachograph::{Kind, MetricsCollector, Unit, Value, Warning};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn count(metrics: &MetricsCollector, name: &str) -> i128 {
    metrics.get_counter(name).map_or(-1, |stats| stats.value)
}

#[test]
fn tags_are_a_set_whose_order_makes_no_difference() {
    let metrics = manual();
    metrics.with_tags(&[("a", "1"), ("b", "2")]).increment("x");
    metrics.with_tags(&[("b", "2"), ("a", "1")]).increment("x");
    let read = |tags: &[(&str, &str)]| metrics.with_tags(tags).get_counter("x");
    assert_eq!(read(&[("b", "2"), ("a", "1")]).map(|stats| stats.value), Some(2));
    assert_eq!(metrics.get_all_metrics().metric("x").count(), 1);
}

#[test]
fn of_duplicate_tag_keys_the_last_wins() {
    let metrics = manual();
    metrics.with_tags(&[("a", "1"), ("a", "2")]).increment("x");
    metrics.with_tags(&[("a", "2")]).increment("x");
    let snapshot = metrics.get_all_metrics();
    let keys: Vec<&str> = snapshot.metric("x").map(|series| &*series.key).collect();
    assert_eq!(keys, ["x[a=2]"]);
    assert_eq!(metrics.with_tags(&[("a", "2")]).get_counter("x").map(|s| s.value), Some(2));
}

#[test]
fn no_tags_and_an_empty_tag_set_are_one_series() {
    let metrics = manual();
    metrics.with_tags(&[]).increment("x");
    metrics.increment("x");
    assert_eq!(count(&metrics, "x"), 2);
}

#[test]
fn a_tag_with_an_empty_value_is_no_tag() {
    let metrics = manual();
    let registered = metrics.with_tags(&[("user", ""), ("a", "1")]).register_counter("dup");
    for (tags, times) in [(&[("user", "")][..], 7), (&[], 100), (&[("a", "1"), ("b", "")], 3)] {
        (0..times).for_each(|_| metrics.with_tags(tags).increment("dup"));
    }
    registered.increment();
    let snapshot = metrics.get_all_metrics();
    let keys: Vec<&str> = snapshot.metric("dup").map(|series| &*series.key).collect();
    assert_eq!(keys, ["dup", "dup[a=1]"]);
    assert_eq!(count(&metrics, "dup"), 107);
    let tagged = metrics.with_tags(&[("a", "1"), ("c", "")]).get_counter("dup");
    assert_eq!(tagged.map(|stats| stats.value), Some(4));
    // The last of equal keys wins, and if that is empty there is none.
    metrics.with_tags(&[("a", "1"), ("a", "")]).increment("dup");
    assert_eq!(count(&metrics, "dup"), 108);
    let json = r#"{"a": "1", "b": ""}"#;
    let read: tachograph::Tags = serde_json::from_str(json).expect("an object of texts");
    assert_eq!(read, tachograph::Tags::new(&[("a", "1")]));
}

#[test]
fn a_users_own_overflow_tag_is_the_overflow_series() {
    for limit in [2, 1_000] {
        let metrics = MetricsCollector::builder().manual().series_per_metric(limit).build();
        let own = metrics.with_tags(&[("overflow", "true")]).register_counter("x");
        own.increment();
        for i in 0..10 {
            metrics.with_tags(&[("i", &i.to_string())]).increment("x");
            metrics.with_tags(&[("overflow", "true")]).increment("x");
        }
        let snapshot = metrics.get_all_metrics();
        let mut keys: Vec<&str> = snapshot.metric("x").map(|series| &*series.key).collect();
        keys.dedup();
        assert_eq!(keys.len(), limit.min(10) + 1, "it takes no place of another's: {keys:?}");
        assert_eq!(snapshot.metric("x").count(), keys.len(), "no two have one key");
        let overflow = metrics.with_tags(&[("overflow", "true")]).get_counter("x");
        let beyond = 10 - limit.min(10) as i128;
        assert_eq!(overflow.map(|stats| stats.value), Some(11 + beyond));
    }
}

#[test]
fn hostile_text_never_makes_two_series_share_a_key() {
    let metrics = manual();
    let texts = ["", "a", "a,b", "a=b", "a[b=c]", r"a\", r"a\,b", "=", "[", "]", "a,b=c"];
    for name in texts {
        for (key, value) in texts.iter().flat_map(|k| texts.map(|v| (*k, v))) {
            metrics.with_tags(&[(key, value)]).increment(name);
        }
    }
    let snapshot = metrics.get_all_metrics();
    let mut keys: Vec<&str> = snapshot.series().iter().map(|series| &*series.key).collect();
    let all = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), all, "sorted keys are distinct");
    let ours = snapshot.series().iter().filter(|s| !s.key.starts_with("telemetry."));
    // With each value that is not empty one for each key, and one without tags.
    assert_eq!(ours.count(), texts.len() * (texts.len() * (texts.len() - 1) + 1));
    for series in snapshot.series() {
        let tags: Vec<(&str, &str)> = series.tags.iter().collect();
        let found = snapshot.find(&series.metric.name, &tags).map(|s| &s.key);
        assert_eq!(found, Some(&series.key));
    }
}

#[test]
fn another_kind_under_a_name_is_refused_counted_and_reported_once() {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&warnings);
    let metrics = MetricsCollector::builder()
        .manual()
        .on_warning(move |warning| sink.lock().expect("not poisoned").push(warning.clone()))
        .build();
    metrics.increment("x");
    metrics.timing("x", Duration::from_secs(1));
    metrics.gauge("x", 1.0);
    let handle = metrics.register_histogram("x");
    handle.record(7);
    assert_eq!(count(&metrics, "x"), 1);
    assert_eq!(count(&metrics, "telemetry.kind_conflicts"), 3);
    let dropped =
        metrics.with_tags(&[("reason", "kind_conflict")]).get_counter("telemetry.dropped");
    assert_eq!(dropped.map(|stats| stats.value), Some(3));
    let expected =
        Warning::KindConflict { name: "x".into(), is: Kind::Counter, recorded_as: Kind::Timing };
    assert_eq!(*warnings.lock().expect("not poisoned"), [expected]);
}

#[test]
fn a_conflict_is_reported_and_spoils_nothing_in_a_threads_second_collector_too() {
    let (first, warnings) = (manual(), Arc::new(Mutex::new(0)));
    first.increment("x");
    let sink = Arc::clone(&warnings);
    let metrics = MetricsCollector::builder()
        .manual()
        .on_warning(move |_| *sink.lock().expect("not poisoned") += 1)
        .build();
    for _ in 0..3 {
        metrics.increment("x");
        drop(metrics.timer("x"));
        metrics.gauge("x", 1.0);
    }
    assert_eq!(count(&metrics, "x"), 3);
    assert_eq!(count(&metrics, "telemetry.kind_conflicts"), 6);
    assert_eq!(*warnings.lock().expect("not poisoned"), 1);
}

#[test]
fn increment_and_decrement_fit_both_kinds_of_counter() {
    let metrics = manual();
    metrics.decrement("level");
    metrics.increment_by("level", 3);
    metrics.register_counter("total").increment_by(5);
    metrics.decrement_by("total", 2);
    assert_eq!((count(&metrics, "level"), count(&metrics, "total")), (2, 3));
    assert_eq!(count(&metrics, "telemetry.kind_conflicts"), 0);
    assert_eq!(count(&metrics, "telemetry.monotonic_decrements"), 1);
    let snapshot = metrics.get_all_metrics();
    let value = |name: &str| snapshot.find(name, &[]).map(|series| series.value.clone());
    assert!(matches!(value("level"), Some(Value::UpDownCounter(_))));
    assert!(matches!(value("total"), Some(Value::Counter(_))));
}

#[test]
fn counters_wrap_and_up_down_counters_are_signed() {
    let metrics = manual();
    metrics.increment_by("total", u64::MAX);
    assert_eq!(count(&metrics, "total"), i128::from(u64::MAX));
    metrics.increment_by("total", 3);
    assert_eq!(count(&metrics, "total"), 2);
    metrics.decrement_by("level", 5);
    assert_eq!(count(&metrics, "level"), -5);
}

#[test]
fn a_registered_series_exists_with_nothing_recorded() {
    let metrics = manual();
    let _handles = (
        metrics.register_counter("c"),
        metrics.register_timing("t"),
        metrics.register_gauge("g"),
        metrics.register_histogram("h"),
    );
    assert_eq!(count(&metrics, "c"), 0);
    let timing = metrics.get_timing("t").expect("registered");
    assert_eq!((timing.count, timing.min, timing.p99), (0, None, None));
    let gauge = metrics.get_gauge("g").expect("registered");
    assert_eq!((gauge.count, gauge.current, gauge.mean), (0, None, None));
    assert_eq!(metrics.get_timing("h").map(|stats| stats.count), Some(0));
}

#[test]
fn an_unknown_series_is_none_and_a_read_never_makes_one() {
    let metrics = manual();
    assert!(metrics.get_counter("x").is_none());
    assert!(metrics.with_tags(&[("a", "b")]).get_timing("x").is_none());
    assert!(metrics.get_all_metrics().find("x", &[]).is_none());
}

/// Records 2,000 values of every magnitude to the timing `t` of a shard, and publishes.
fn record_wide(metrics: &MetricsCollector, shard: usize) {
    let timing = metrics.with_tags(&[("shard", &shard.to_string())]).register_timing("t");
    for i in 0..2_000u64 {
        timing.record_ns(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (i % 60));
    }
    metrics.run_pass(Instant::now(), SystemTime::now());
}

#[test]
fn beyond_the_bytes_of_all_distributions_further_ones_overflow_and_counters_do_not() {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&warnings);
    let metrics = MetricsCollector::builder()
        .manual()
        .max_distribution_bytes(256 << 10)
        .on_warning(move |warning| told.lock().unwrap().push(warning.clone()))
        .build();
    (0..40).for_each(|shard| record_wide(&metrics, shard));
    let snapshot = metrics.get_all_metrics();
    let own = snapshot.metric("t").filter(|series| series.tags.get("overflow").is_none()).count();
    assert!((2..20).contains(&own), "{own} series in 256 KiB");
    let overflow = metrics.with_tags(&[("overflow", "true")]);
    let added_up = overflow.get_timing("t").map(|stats| stats.count);
    assert_eq!(added_up, Some((40 - own as u64) * 2_000));
    // A known series goes on, and a counter takes no room that matters.
    record_wide(&metrics, 0);
    let first = metrics.with_tags(&[("shard", "0")]);
    assert_eq!(first.get_timing("t").map(|stats| stats.count), Some(4_000));
    metrics.with_tags(&[("shard", "x")]).increment("c");
    assert_eq!(metrics.with_tags(&[("shard", "x")]).get_counter("c").map(|c| c.value), Some(1));
    let limit = Warning::DistributionLimit { name: "t".into() };
    assert_eq!(*warnings.lock().unwrap(), [limit]);
    // With the values gone there is room again.
    metrics.reset();
    metrics.run_pass(Instant::now(), SystemTime::now());
    record_wide(&metrics, 39);
    let last = metrics.with_tags(&[("shard", "39")]);
    assert_eq!(last.get_timing("t").map(|stats| stats.count), Some(2_000));
}

#[test]
fn beyond_a_metrics_limit_samples_go_to_its_overflow_series() {
    let metrics = MetricsCollector::builder().manual().series_per_metric(10).build();
    let values: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    for round in 1..=3u64 {
        for value in &values {
            metrics.with_tags(&[("id", value)]).increment_by("x", round);
            metrics.with_tags(&[("id", value)]).timing("t", Duration::from_nanos(round));
        }
    }
    let snapshot = metrics.get_all_metrics();
    let total: i128 = snapshot
        .metric("x")
        .filter_map(|series| series.value.as_counter())
        .map(|views| views.lifetime.value)
        .sum();
    assert_eq!((snapshot.metric("x").count(), total), (11, 600));
    let overflow = metrics.with_tags(&[("overflow", "true")]);
    assert_eq!(overflow.get_counter("x").map(|stats| stats.value), Some(90 * 6));
    assert_eq!(overflow.get_timing("t").map(|stats| stats.count), Some(270));
}

#[test]
fn samples_of_a_metric_beyond_the_limit_are_counted_drops() {
    let metrics = MetricsCollector::builder().manual().max_metrics(2).build();
    for name in ["a", "b", "c", "d"] {
        metrics.increment(name);
        metrics.gauge(&format!("{name}.gauge"), 1.0);
    }
    metrics.register_counter("e").increment();
    assert_eq!((count(&metrics, "a"), count(&metrics, "c")), (1, -1));
    let dropped = metrics.with_tags(&[("reason", "series_limit")]).get_counter("telemetry.dropped");
    assert_eq!(dropped.map(|stats| stats.value), Some(7));
}

#[test]
fn the_limit_on_all_series_keeps_totals_exact() {
    let metrics = MetricsCollector::builder().manual().max_series(5).build();
    for i in 0..20 {
        metrics.with_tags(&[("i", &i.to_string())]).increment("x");
    }
    let snapshot = metrics.get_all_metrics();
    let total: i128 = snapshot
        .metric("x")
        .filter_map(|series| series.value.as_counter())
        .map(|views| views.lifetime.value)
        .sum();
    assert_eq!((snapshot.metric("x").count(), total), (6, 20));
}

#[test]
fn long_text_is_cut_at_a_character_boundary_and_counted() {
    let metrics = manual();
    let long = "é".repeat(1_000);
    metrics.with_tags(&[("k", &long)]).increment("x");
    metrics.with_tags(&[("k", &"é".repeat(128))]).increment("x");
    assert_eq!(metrics.with_tags(&[("k", &long)]).get_counter("x").map(|s| s.value), Some(2));
    assert_eq!(count(&metrics, "telemetry.truncated"), 1);
}

#[test]
fn the_collectors_own_names_are_reserved() {
    let metrics = manual();
    metrics.increment_by("telemetry.recorded", 1_000);
    metrics.increment("telemetry.mine");
    assert!(metrics.get_counter("telemetry.mine").is_none());
    assert_eq!(count(&metrics, "telemetry.kind_conflicts"), 2);
    let told = |metrics: &MetricsCollector| {
        let snapshot = metrics.get_all_metrics();
        snapshot.find("telemetry.recorded", &[]).map(|series| series.metric.clone())
    };
    let before = told(&metrics);
    metrics.describe("telemetry.recorded", Unit::Bytes, "mine");
    metrics.describe("telemetry.other", Unit::Bytes, "mine");
    assert_eq!(told(&metrics), before);
    assert_eq!(count(&metrics, "telemetry.kind_conflicts"), 4);
    let report = metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.dropped), (2, 2), "a description is no sample");
}

#[test]
fn descriptions_and_units_reach_snapshots_before_or_after_the_first_record() {
    let metrics = manual();
    metrics.describe("size", Unit::Bytes, "size of a message");
    metrics.histogram("size", 512);
    metrics.timing("t", Duration::from_secs(1));
    metrics.histogram("ratio", 250);
    assert_eq!(metrics.get_timing("ratio").and_then(|stats| stats.max), Some(250.0));
    metrics.describe_scaled("ratio", Unit::Ratio, 0.001, "in thousandths");
    let snapshot = metrics.get_all_metrics();
    let size = snapshot.find("size", &[]).expect("recorded");
    assert_eq!((&size.metric.unit, &*size.metric.description), (&Unit::Bytes, "size of a message"));
    assert_eq!(snapshot.find("t", &[]).map(|s| s.metric.unit.clone()), Some(Unit::Seconds));
    assert_eq!(metrics.get_timing("ratio").and_then(|stats| stats.max), Some(0.25));
}
