//! Snapshots parsed from tampered text: either refused or harmless to every reader.

use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tachograph::{MetricsCollector, Snapshot, Unit};
use tachograph_export::json;
use tachograph_export::otlp::{Settings, Temporality};
use tachograph_export::prometheus::Prometheus;

fn recorded() -> Value {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.describe_scaled("size", Unit::Bytes, 0.5, "of a message");
    for value in [0, 3, 700, 1 << 40, u64::MAX] {
        metrics.histogram("size", value);
        metrics.timing("turn", Duration::from_nanos(value));
        metrics.increment_by("sent", value);
        metrics.decrement_by("level", value);
        metrics.with_tags(&[("k", "v")]).gauge("load", value as f64);
    }
    serde_json::to_value(&*metrics.get_all_metrics()).expect("serialises")
}

/// Replaces one of the numbers and strings inside, chosen at random.
fn tamper(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Array(values) if !values.is_empty() => {
            let place = random.usize(..values.len());
            match random.u8(..20) {
                0 => drop(values.remove(place)),
                1 => values.push(values[place].clone()),
                _ => tamper(&mut values[place], random),
            }
        }
        Value::Object(values) if !values.is_empty() => {
            let place = random.usize(..values.len());
            let (_, value) = values.iter_mut().nth(place).expect("counted");
            tamper(value, random);
        }
        other => {
            let odd = [
                serde_json::json!(0),
                serde_json::json!(1),
                serde_json::json!(-1),
                serde_json::json!(u64::MAX),
                serde_json::json!(i64::MIN),
                serde_json::json!(56_320),
                serde_json::json!(1e308),
                serde_json::json!(-0.5),
                serde_json::json!("inf"),
                serde_json::json!("size"),
                serde_json::json!("counter"),
                Value::Null,
            ];
            *other = odd[random.usize(..odd.len())].clone();
        }
    }
}

/// Does everything with a snapshot that a reader may do.
fn read(snapshot: &Snapshot, other: &Snapshot) {
    for snapshot in [
        snapshot,
        &snapshot.since(other),
        &other.since(snapshot),
        &Snapshot::merge([snapshot, other]),
        &Snapshot::merge([snapshot, snapshot]),
    ] {
        for series in snapshot.series() {
            assert!(snapshot.find(&series.metric.name, &pairs(series)).is_some());
            let Some(views) = series.value.as_timing() else { continue };
            let stats = &views.lifetime;
            let quantiles = [0.0, 0.3, 1.0].map(|q| stats.quantile(q));
            assert!(quantiles.iter().all(|q| q.is_some() == (stats.count > 0)));
            let buckets = stats.buckets();
            assert!(buckets.iter().count() <= buckets.placed().count());
            assert_eq!(buckets.up_to([0, 5, u64::MAX].into_iter()).count(), 3);
        }
        let mut prometheus = Prometheus::new();
        let (mut text, mut bytes) = (String::new(), Vec::new());
        prometheus.text(snapshot, &mut text);
        prometheus.open_metrics(snapshot, &mut text);
        prometheus.protobuf(snapshot, &mut bytes);
        for temporality in [Temporality::Cumulative, Temporality::Delta] {
            let mut encoder = Settings::new("test").temporality(temporality).encoder();
            encoder.encode(other, &mut bytes);
            encoder.encode(snapshot, &mut bytes);
        }
        json::encode(snapshot, json::Options { buckets: true, ..Default::default() }, &mut bytes);
        let text = serde_json::to_string(snapshot).expect("serialises");
        serde_json::from_str::<Snapshot>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

fn pairs(series: &tachograph::Series) -> Vec<(&str, &str)> {
    series.tags.iter().collect()
}

#[test]
fn a_tampered_snapshot_is_refused_or_harmless() {
    let mut random = Rng::with_seed(14);
    let intact = recorded();
    let whole: Snapshot = serde_json::from_value(intact.clone()).expect("intact");
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..2_000 {
        let mut value = intact.clone();
        (0..random.u8(1..4)).for_each(|_| tamper(&mut value, &mut random));
        match serde_json::from_value::<Snapshot>(value) {
            Ok(snapshot) => {
                read(&snapshot, &whole);
                taken += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(refused > 250 && taken > 50, "{refused} refused, {taken} taken");
}
