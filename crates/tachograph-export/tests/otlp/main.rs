//! OTLP as a receiver reads it.

mod decode;
mod definition;
mod exemplars;
mod hostile;
mod quantiles;
mod receiver;
mod starts;
mod totals;

use std::time::{Duration, SystemTime};

use tachograph::{Clock, MetricsCollector, MockClock, Unit};
use tachograph_export::otlp::{Encoding, Settings, Temporality};

use self::decode::{distributions, json, metric, metrics, numbers, protobuf, tags, whole};
use self::definition::{AggregationTemporality, Data, Number, NumberDataPoint};

const SECOND: Duration = Duration::from_secs(1);

/// A collector with a manual clock.
fn manual() -> (MetricsCollector, MockClock) {
    let (clock, mock) = Clock::mock();
    (MetricsCollector::builder().manual().clock(clock).build(), mock)
}

fn settings() -> Settings {
    Settings::new("mixer")
}

fn delta() -> Settings {
    settings().temporality(Temporality::Delta)
}

fn integer(point: &NumberDataPoint) -> i64 {
    match point.value {
        Some(Number::AsInt(value)) => value,
        _ => panic!("{point:?} is no integer"),
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_nanos()).expect("before 2554")
}

/// One series of each kind.
fn record_all(metrics: &MetricsCollector) {
    metrics.describe("size", Unit::Bytes, "bytes of a message");
    metrics.describe("share", Unit::Ratio, "");
    metrics.describe("load", Unit::Percent, "");
    metrics.describe("sent", Unit::Other("packets".into()), "");
    metrics.with_tags(&[("to", "b"), ("from", "a")]).increment_by("sent", 7);
    metrics.decrement_by("level", 3);
    metrics.gauge("share", 0.25);
    metrics.gauge("load", -50.0);
    metrics.timing("turn", Duration::from_millis(250));
    metrics.timing("turn", Duration::ZERO);
    metrics.histogram("size", 512);
}

#[test]
fn each_kind_is_the_point_it_should_be() {
    let (collector, clock) = manual();
    record_all(&collector);
    clock.advance(5 * SECOND);
    let snapshot = collector.get_all_metrics();
    let request = whole(&settings(), &snapshot);
    let cumulative = AggregationTemporality::Cumulative as i32;
    for (name, unit, description) in [
        ("sent", "{packets}", ""),
        ("level", "", ""),
        ("share", "1", ""),
        ("load", "%", ""),
        ("turn", "s", ""),
        ("size", "By", "bytes of a message"),
    ] {
        let metric = metric(&request, name);
        assert_eq!((&*metric.unit, &*metric.description), (unit, description), "{name}");
        let series = snapshot.metric(name).next().expect("recorded");
        let (start, end) = (nanos(series.created), nanos(snapshot.timestamp()));
        let times: Vec<_> = numbers(metric)
            .iter()
            .map(|point| (point.start_time_unix_nano, point.time_unix_nano))
            .chain(
                distributions(metric).iter().map(|it| (it.start_time_unix_nano, it.time_unix_nano)),
            )
            .collect();
        let start = if series.value.as_gauge().is_some() { 0 } else { start };
        assert_eq!(times, [(start, end)], "{name}");
    }
    let Some(Data::Sum(sent)) = &metric(&request, "sent").data else { panic!("no sum") };
    assert_eq!((sent.is_monotonic, sent.aggregation_temporality), (true, cumulative));
    assert_eq!(integer(&sent.data_points[0]), 7);
    let sent = tags(&sent.data_points[0].attributes);
    assert_eq!(sent.into_iter().collect::<Vec<_>>(), [("from", "a"), ("to", "b")].map(owned));
    let Some(Data::Sum(level)) = &metric(&request, "level").data else { panic!("no sum") };
    assert_eq!((level.is_monotonic, level.aggregation_temporality), (false, cumulative));
    assert_eq!(integer(&level.data_points[0]), -3);
    let Some(Data::Gauge(load)) = &metric(&request, "load").data else { panic!("no gauge") };
    assert_eq!(load.data_points[0].value, Some(Number::AsDouble(-50.0)));
    let Some(Data::ExponentialHistogram(turn)) = &metric(&request, "turn").data else {
        panic!("no histogram")
    };
    assert_eq!(turn.aggregation_temporality, cumulative);
    let turn = &turn.data_points[0];
    assert_eq!((turn.count, turn.zero_count, turn.scale), (2, 1, 8));
    assert_eq!((turn.sum, turn.min, turn.max), (Some(0.25), Some(0.0), Some(0.25)));
    // 0.25 is 2^-2 and the greatest value of its bucket: (2^(-513/256), 2^(-512/256)].
    let positive = turn.positive.as_ref().expect("a sample above zero");
    assert_eq!((positive.offset, &positive.bucket_counts[..]), (-513, &[1][..]));
    assert!(turn.zero_threshold > 0.0 && turn.zero_threshold < 1e-38 && turn.negative.is_none());
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn names_have_the_prefix_and_constant_labels_are_of_the_resource() {
    let collector = MetricsCollector::builder()
        .manual()
        .export_prefix("shop")
        .export_label("region", "eu")
        .export_label("service.name", "no")
        .export_label("", "keyless")
        .build();
    for name in ["orders.taken", ""] {
        collector.with_tags(&[("region", "own")]).increment(name);
    }
    let request = whole(&settings().telemetry(false), &collector.get_all_metrics());
    let resource = request.resource_metrics[0].resource.as_ref().expect("a resource");
    let resource = tags(&resource.attributes);
    assert_eq!(resource.get("region").map(String::as_str), Some("eu"));
    assert_eq!(resource.get("service.name").map(String::as_str), Some("mixer"));
    assert!(!resource.contains_key(""));
    let names: Vec<_> = metrics(&request).map(|metric| metric.name.clone()).collect();
    assert_eq!(names, ["shop._", "shop.orders.taken"]);
    let point = tags(&numbers(metric(&request, "shop._"))[0].attributes);
    assert_eq!(point.into_iter().collect::<Vec<_>>(), [owned(("region", "own"))]);
}

#[test]
fn the_resource_is_the_callers_and_the_scope_is_this_library() {
    let (collector, _) = manual();
    collector.increment("events");
    let settings = settings()
        .attribute("service.instance.id", "a")
        .attribute("service.instance.id", "b")
        .attribute("service.name", "the mixer")
        .attribute("", "nothing");
    let request = whole(&settings, &collector.get_all_metrics());
    let [resource] = &request.resource_metrics[..] else { panic!("{request:?}") };
    let told = tags(&resource.resource.as_ref().expect("a resource").attributes);
    assert_eq!(told["service.name"], "the mixer");
    assert_eq!(told["service.instance.id"], "b");
    assert_eq!(told["telemetry.sdk.name"], "tachograph");
    assert_eq!(told["telemetry.sdk.language"], "rust");
    assert_eq!(told["telemetry.sdk.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told.len(), 5);
    let [scope] = &resource.scope_metrics[..] else { panic!("{request:?}") };
    let scope = scope.scope.as_ref().expect("a scope");
    assert_eq!((&*scope.name, &*scope.version), ("tachograph", env!("CARGO_PKG_VERSION")));
}

#[test]
fn json_says_what_protobuf_says_in_its_own_spelling() {
    let (collector, clock) = manual();
    record_all(&collector);
    clock.advance(SECOND);
    let snapshot = collector.get_all_metrics();
    for settings in [settings(), delta(), settings().scale(5)] {
        let as_json = settings.clone().encoding(Encoding::Json);
        assert_eq!(json(&mut as_json.encoder(), &snapshot), whole(&settings, &snapshot));
    }
    let mut bytes = Vec::new();
    settings().encoding(Encoding::Json).encoder().encode(&snapshot, &mut bytes);
    let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let told = value["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array();
    let named = |name: &str| {
        told.expect("metrics").iter().find(|metric| metric["name"] == name).expect("told").clone()
    };
    let sent = &named("sent")["sum"];
    assert_eq!(sent["aggregationTemporality"], 2);
    assert_eq!(sent["isMonotonic"], true);
    assert_eq!(sent["dataPoints"][0]["asInt"], "7");
    let end = nanos(snapshot.timestamp()).to_string();
    assert_eq!(sent["dataPoints"][0]["timeUnixNano"], end);
    let attribute = serde_json::json!({"key": "from", "value": {"stringValue": "a"}});
    assert_eq!(sent["dataPoints"][0]["attributes"][0], attribute);
    assert_eq!(named("load")["gauge"]["dataPoints"][0]["asDouble"], -50.0);
    let turn = &named("turn")["exponentialHistogram"]["dataPoints"][0];
    assert_eq!(turn["count"], "2");
    assert_eq!(turn["positive"], serde_json::json!({"offset": -513, "bucketCounts": ["1"]}));
    assert_eq!(turn["max"], 0.25);
}

#[test]
fn floats_without_a_json_number_are_words() {
    let (collector, _) = manual();
    collector.gauge("up", f64::INFINITY);
    collector.gauge("down", f64::NEG_INFINITY);
    let snapshot = collector.get_all_metrics();
    let request = whole(&settings(), &snapshot);
    let value = |name| numbers(metric(&request, name))[0].value;
    assert_eq!(value("up"), Some(Number::AsDouble(f64::INFINITY)));
    assert_eq!(value("down"), Some(Number::AsDouble(f64::NEG_INFINITY)));
    let mut bytes = Vec::new();
    settings().encoding(Encoding::Json).encoder().encode(&snapshot, &mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains(r#""asDouble":"Infinity""#), "{text}");
    assert!(text.contains(r#""asDouble":"-Infinity""#), "{text}");
}

#[test]
fn json_has_no_null_for_what_is_missing_or_infinite() {
    let (collector, _) = manual();
    collector.register_timing("never.recorded");
    collector.describe_scaled("huge", Unit::None, 1e300, "");
    collector.histogram("huge", u64::MAX);
    let snapshot = collector.get_all_metrics();
    let request = whole(&settings(), &snapshot);
    let huge = &distributions(metric(&request, "huge"))[0];
    assert_eq!((huge.sum, huge.max), (Some(f64::INFINITY), Some(f64::INFINITY)));
    let mut as_json = settings().encoding(Encoding::Json).encoder();
    assert_eq!(json(&mut as_json, &snapshot), request);
    let mut bytes = Vec::new();
    as_json.encode(&snapshot, &mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(!text.contains("null"), "{text}");
}

#[test]
fn counters_beyond_what_otlp_holds_are_rounded_and_gauges_without_a_value_left_out() {
    let (collector, _) = manual();
    collector.increment_by("fits", i64::MAX as u64);
    collector.increment_by("beyond", u64::MAX);
    collector.register_gauge("never.set");
    collector.register_timing("never.recorded");
    let request = whole(&settings(), &collector.get_all_metrics());
    let value = |name| numbers(metric(&request, name))[0].value;
    assert_eq!(value("fits"), Some(Number::AsInt(i64::MAX)));
    assert_eq!(value("beyond"), Some(Number::AsDouble(2f64.powi(64))));
    assert!(metrics(&request).all(|metric| metric.name != "never.set"));
    let point = &distributions(metric(&request, "never.recorded"))[0];
    assert_eq!((point.count, point.sum, point.zero_count), (0, Some(0.0), 0));
    assert_eq!((point.min, point.max, point.positive.clone()), (None, None, None));
}

#[test]
fn deltas_tell_gains_once_and_levels_always() {
    let (collector, clock) = manual();
    let mut encoder = delta().encoder();
    record_all(&collector);
    collector.register_counter("never");
    clock.advance(SECOND);
    let first = collector.get_all_metrics();
    let request = protobuf(&mut encoder, &first);
    let Some(Data::Sum(sent)) = &metric(&request, "sent").data else { panic!("no sum") };
    assert_eq!(sent.aggregation_temporality, AggregationTemporality::Delta as i32);
    assert_eq!(integer(&sent.data_points[0]), 7);
    assert!(metrics(&request).all(|metric| metric.name != "never"));

    clock.advance(SECOND);
    collector.with_tags(&[("from", "a"), ("to", "b")]).increment_by("sent", 5);
    collector.timing("turn", Duration::from_millis(500));
    collector.increment("new");
    clock.advance(SECOND);
    let second = collector.get_all_metrics();
    let request = protobuf(&mut encoder, &second);
    let sent = &numbers(metric(&request, "sent"))[0];
    assert_eq!(integer(sent), 5);
    let (since, until) = (nanos(first.timestamp()), nanos(second.timestamp()));
    assert_eq!((sent.start_time_unix_nano, sent.time_unix_nano), (since, until));
    let turn = &distributions(metric(&request, "turn"))[0];
    assert_eq!((turn.count, turn.sum, turn.min, turn.max), (1, Some(0.5), Some(0.5), Some(0.5)));
    let new = &numbers(metric(&request, "new"))[0];
    assert!((since..=until).contains(&new.start_time_unix_nano), "{new:?}");
    let Some(Data::Sum(level)) = &metric(&request, "level").data else { panic!("no sum") };
    assert_eq!(level.aggregation_temporality, AggregationTemporality::Cumulative as i32);
    assert_eq!(integer(&level.data_points[0]), -3, "a level, not a gain");
    assert_eq!(numbers(metric(&request, "load"))[0].value, Some(Number::AsDouble(-50.0)));
    assert!(metrics(&request).all(|metric| metric.name != "size"), "nothing new of it");

    for old in [&first, &second] {
        let mut out = Vec::new();
        assert_eq!((encoder.encode(old, &mut out), out.len()), (0, 0), "told already");
    }
}

#[test]
fn a_wall_clock_that_is_set_back_makes_no_point_end_before_it_starts() {
    let metrics = MetricsCollector::builder().manual().build();
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let begun = std::time::Instant::now();
    let mut encoders = [settings().encoder(), delta().encoder()];
    for (step, wall) in [at(2_000), at(1_000), SystemTime::UNIX_EPOCH - SECOND, at(20_000_000_000)]
        .into_iter()
        .enumerate()
    {
        metrics.increment("events");
        metrics.timing("turn", SECOND);
        metrics.run_pass(begun + SECOND * step as u32, wall);
        for encoder in &mut encoders {
            let request = protobuf(encoder, &metrics.snapshot());
            let events = &numbers(metric(&request, "events"))[0];
            assert!(events.start_time_unix_nano <= events.time_unix_nano, "{events:?}");
            let turn = &distributions(metric(&request, "turn"))[0];
            assert!(turn.start_time_unix_nano <= turn.time_unix_nano, "{turn:?}");
        }
    }
}

#[test]
fn both_encodings_tell_how_many_samples_were_coalesced() {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let timing = metrics.register_timing("t");
    // Room for two blocks of 512.
    (0..5_000).for_each(|nanos| timing.record_ns(1_000_000 + nanos));
    let snapshot = metrics.get_all_metrics();
    let as_json = settings().encoding(Encoding::Json);
    for request in [whole(&settings(), &snapshot), json(&mut as_json.encoder(), &snapshot)] {
        let told = numbers(metric(&request, "telemetry.coalesced"));
        assert_eq!(told.iter().map(integer).collect::<Vec<_>>(), [5_000 - 1_024]);
    }
}
