//! A metric keeps its exported name, and no other metric gets it.

use std::sync::Arc;
use std::time::Duration;

use tachograph::{Clock, MetricsCollector, Snapshot, Unit};
use tachograph_export::prometheus::Prometheus;

use super::parse::{Family, parse};
use super::{manual, wire};

/// The families of a snapshot, the same in all three formats.
fn families(snapshot: &Snapshot) -> Vec<Family> {
    let mut prometheus = Prometheus::new();
    let (mut text, mut open_metrics, mut bytes) = (String::new(), String::new(), Vec::new());
    prometheus.text(snapshot, &mut text);
    prometheus.clone().created(false).open_metrics(snapshot, &mut open_metrics);
    prometheus.protobuf(snapshot, &mut bytes);
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(lines(&text), lines(&open_metrics));
    let families = parse(&text).expect("valid");
    let names: Vec<_> = wire::decode(&bytes).into_iter().map(|family| family.name).collect();
    assert!(families.iter().map(|family| &family.name).eq(&names));
    families
}

/// Name, labels and value of every sample, except the collector's own.
fn samples(snapshot: &Snapshot) -> Vec<String> {
    let families = families(snapshot);
    let own_names = snapshot.exported_names().prefixed("telemetry_");
    let own = |family: &&Family| !family.name.starts_with(&own_names);
    let samples = families.iter().filter(own).flat_map(|family| &family.samples);
    let labels = |labels: &[(String, String)]| -> String {
        labels.iter().map(|(label, value)| format!(" {label}={value}")).collect()
    };
    samples.map(|s| format!("{}{} {}", s.name, labels(&s.labels), s.value)).collect()
}

fn through_json(snapshot: &Snapshot) -> Snapshot {
    let json = serde_json::to_string(snapshot).expect("serialisable");
    let read = serde_json::from_str(&json).expect("what was written");
    assert_eq!(&read, snapshot);
    read
}

#[test]
fn a_metric_that_comes_later_never_takes_the_name_of_an_older_one() {
    let metrics = manual();
    metrics.increment_by("http.requests", 1_000);
    assert_eq!(samples(&metrics.get_all_metrics()), ["http_requests_total 1000"]);
    metrics.increment_by("http-requests", 3);
    let both = metrics.get_all_metrics();
    assert_eq!(samples(&both), ["http_requests_1_total 3", "http_requests_total 1000"]);
    assert_eq!(both.exported_names().renamed(), 1);
    metrics.reset();
    metrics.increment_by("http-requests", 5);
    assert_eq!(samples(&metrics.get_all_metrics()), ["http_requests_1_total 5"]);
    metrics.increment_by("http.requests", 2);
    let both = ["http_requests_1_total 5", "http_requests_total 2"];
    assert_eq!(samples(&metrics.get_all_metrics()), both);
}

#[test]
fn a_metric_that_was_hidden_comes_back_under_its_name() {
    let (clock, mock) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone());
    let metrics = builder.idle_timeout(Duration::from_secs(10)).build();
    let pass_after = |seconds| -> Arc<Snapshot> {
        mock.advance(Duration::from_secs(seconds));
        metrics.run_pass(clock.now(), clock.wall());
        metrics.snapshot()
    };
    metrics.gauge("a.b", 1.0);
    assert_eq!(samples(&pass_after(1)), ["a_b 1.0"]);
    assert_eq!(samples(&pass_after(60)), [""; 0]);
    metrics.gauge("a-b", 2.0);
    assert_eq!(samples(&pass_after(1)), ["a_b_1 2.0"]);
    metrics.gauge("a.b", 3.0);
    assert_eq!(samples(&pass_after(1)), ["a_b_1 2.0", "a_b 3.0"]);
}

#[test]
fn tag_keys_keep_their_labels_and_reserved_ones_get_a_number() {
    let metrics = manual();
    metrics.with_tags(&[("a.b", "1")]).gauge("x", 1.0);
    assert_eq!(samples(&metrics.get_all_metrics()), ["x a_b=1 1.0"]);
    metrics.with_tags(&[("a-b", "1"), ("a.b", "2"), ("le", "3")]).gauge("x", 2.0);
    let snapshot = metrics.get_all_metrics();
    assert_eq!(samples(&snapshot), ["x a_b_1=1 a_b=2 le_1=3 2.0", "x a_b=1 1.0"]);
    assert_eq!(snapshot.exported_names().renamed(), 2);
    assert_eq!(samples(&through_json(&snapshot)), samples(&snapshot));
}

#[test]
fn a_unit_that_is_told_later_changes_help_and_not_the_name() {
    let metrics = manual();
    metrics.histogram("size", 512);
    metrics.gauge("level", 1.0);
    metrics.get_all_metrics();
    metrics.describe("size", Unit::Bytes, "size of a message");
    metrics.describe("level", Unit::Other("volts".into()), "");
    metrics.gauge("new", 1.0);
    metrics.describe("new", Unit::Other("volts".into()), "a voltage");
    let families = families(&metrics.get_all_metrics());
    let told: Vec<_> = families.iter().take(3).map(|f| (&*f.name, &*f.help)).collect();
    let expected = [
        ("level", "gauge level (volts)"),
        ("new_volts", "a voltage"),
        ("size", "size of a message (bytes)"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_name_of_nothing_but_a_suffix_becomes_metric() {
    let metrics = manual();
    metrics.describe("_seconds", Unit::Seconds, "");
    for name in [".total", "_total", "metric"] {
        metrics.increment(name);
    }
    metrics.gauge("_seconds", 1.0);
    metrics.timing(".seconds", Duration::ZERO);
    let names: Vec<_> =
        families(&metrics.get_all_metrics()).into_iter().map(|family| family.name).collect();
    let expected =
        ["metric_seconds", "metric_total", "metric_1_seconds", "metric_2_total", "metric_3_total"];
    assert_eq!(names[..5], expected);
}

#[test]
fn of_a_metric_with_many_tag_keys_the_rest_is_in_its_overflow_series() {
    let metrics = manual();
    for i in 0..100 {
        metrics.with_tags(&[(&format!("key{i}"), "v")]).increment("x");
    }
    metrics.with_tags(&[("key3", "other"), ("key5", "other")]).increment("x");
    let samples = samples(&metrics.get_all_metrics());
    assert_eq!(samples.len(), 64 + 1 + 1);
    assert!(samples.contains(&"x_total overflow=true 36".to_owned()), "{samples:?}");
    assert!(samples.contains(&"x_total key3=other key5=other 1".to_owned()), "{samples:?}");
}

#[test]
fn in_a_sum_the_oldest_names_win_and_others_get_the_next_number() {
    let first = manual();
    first.increment_by("http-requests", 1);
    first.with_tags(&[("a-b", "1")]).gauge("x", 1.0);
    let first = first.get_all_metrics();
    let second = manual();
    second.increment_by("http.requests", 10);
    second.with_tags(&[("a.b", "2")]).gauge("x", 2.0);
    second.get_all_metrics();
    second.increment_by("http-requests", 100);
    let second = second.get_all_metrics();
    let expected =
        ["http_requests_total 101", "http_requests_1_total 10", "x a_b=1 1.0", "x a_b_1=2 2.0"];
    for parts in [[&*first, &second], [&second, &first]] {
        let sum = Snapshot::merge(parts);
        assert_eq!(samples(&sum), expected, "whatever their order");
        let again = Snapshot::merge([&through_json(&sum), &*second]);
        assert_eq!(again.exported_names(), sum.exported_names());
        assert_eq!(sum.exported_names().renamed(), 2);
    }
}

#[test]
fn names_that_are_missing_or_wrong_in_a_snapshot_that_came_are_computed() {
    let metrics = manual();
    metrics.with_tags(&[("a-b", "1"), ("a.b", "2")]).increment("http-requests");
    metrics.increment("http.requests");
    metrics.timing("t", Duration::ZERO);
    let snapshot = metrics.get_all_metrics();
    let json = serde_json::to_value(&*snapshot).expect("serialisable");
    let mut without = json.clone();
    without.as_object_mut().expect("an object").remove("names");
    let read: Snapshot = serde_json::from_value(without).expect("a snapshot of before");
    assert_eq!(read, *snapshot);

    let wrong = ["", "1", "a b", "x\n# TYPE y gauge", "telemetry_recorded", "é", "le", "__name__"];
    for wrong in wrong {
        let mut hostile = json.clone();
        let names = &mut hostile["names"]["metrics"];
        names["http-requests"]["base"] = wrong.into();
        names["http-requests"]["labels"]["a-b"] = wrong.into();
        names["http-requests"]["labels"]["a.b"] = wrong.into();
        names["http.requests"]["unit"] = wrong.into();
        names["t"]["base"] = wrong.into();
        let read: Snapshot = serde_json::from_value(hostile).expect("a snapshot");
        let counts = |snapshot: &Snapshot| -> Vec<_> {
            families(snapshot).iter().map(|family| family.samples.len()).collect()
        };
        assert_eq!(counts(&read), counts(&snapshot), "{wrong}");
    }
}

/// A collector whose exported names have a prefix and two constant labels.
fn prefixed() -> MetricsCollector {
    MetricsCollector::builder()
        .manual()
        .export_prefix("shop.")
        .export_label("zone", "a\"b")
        .export_label("le", "x")
        .export_label("empty", "")
        .build()
}

#[test]
fn every_name_has_the_prefix_and_every_series_the_constant_labels() {
    let metrics = prefixed();
    metrics.increment_by("http.requests", 1_000);
    metrics.increment("http-requests");
    metrics.with_tags(&[("zone", "mine"), ("to", "y")]).gauge("5xx", 2.5);
    metrics.timing("turn", Duration::from_secs(1));
    let snapshot = metrics.get_all_metrics();
    let families = families(&snapshot);
    assert!(families.iter().all(|family| family.name.starts_with("shop_")));
    for sample in families.iter().flat_map(|family| &family.samples) {
        let constants: Vec<_> = sample.labels.iter().take(2).cloned().collect();
        let expected = [("le_1", "x"), ("zone", "a\"b")];
        assert_eq!(constants, expected.map(|(label, value)| (label.into(), value.into())));
    }
    let told = |name: &str| -> Vec<String> {
        let all = families.iter().flat_map(|family| &family.samples).filter(|it| it.name == name);
        all.map(|sample| format!("{:?} {}", &sample.labels[2..], sample.value)).collect()
    };
    assert_eq!(told("shop_http_requests_total"), ["[] 1"], "it comes first by name");
    assert_eq!(told("shop_http_requests_1_total"), ["[] 1000"]);
    let tags = r#"[("to", "y"), ("zone_1", "mine")]"#;
    assert_eq!(told("shop__5xx"), [format!("{tags} 2.5")]);
    assert_eq!(told("shop_turn_seconds_count"), ["[] 1"]);
    // A name, a tag key and a constant label.
    assert_eq!(told("shop_telemetry_prometheus_renamed"), ["[] 3"]);
    assert_eq!(through_json(&snapshot).exported_names(), snapshot.exported_names());
}

#[test]
fn a_merge_has_the_oldest_prefix_and_the_labels_that_all_have() {
    let of = |prefix, instance, second| {
        let metrics = MetricsCollector::builder()
            .manual()
            .export_prefix(prefix)
            .export_label("region", "eu")
            .export_label("instance", instance)
            .build();
        metrics.increment("both");
        metrics.increment(prefix);
        let now = std::time::Instant::now();
        metrics.run_pass(now, std::time::UNIX_EPOCH + Duration::from_secs(second));
        metrics.snapshot()
    };
    let (old, new) = (of("a", "1", 1), of("b", "2", 2));
    let merged = Snapshot::merge([&*new, &*old]);
    let told = ["a_a_total region=eu 1", "a_b_total region=eu 1", "a_both_total region=eu 2"];
    assert_eq!(samples(&merged), told);
    assert_eq!(merged.exported_names().prefix(), "a");
    assert_eq!(samples(&through_json(&merged)), told);
}

#[test]
fn the_collectors_own_series_can_be_left_out() {
    let metrics = manual();
    metrics.increment("telemetry_mine");
    metrics.increment("http.requests");
    let snapshot = metrics.get_all_metrics();
    let mut prometheus = Prometheus::new();
    let names = |prometheus: &mut Prometheus| -> Vec<String> {
        let (mut text, mut bytes) = (String::new(), Vec::new());
        prometheus.text(&snapshot, &mut text);
        prometheus.protobuf(&snapshot, &mut bytes);
        let names = parse(&text).expect("valid").into_iter().map(|family| family.name).collect();
        assert_eq!(wire::decode(&bytes).into_iter().map(|it| it.name).collect::<Vec<_>>(), names);
        names
    };
    // Its plan is replaced.
    assert!(names(&mut prometheus).len() > 20);
    let without = ["http_requests_total", "telemetry_mine_total"];
    assert_eq!(names(&mut prometheus.telemetry(false)), without);
}
