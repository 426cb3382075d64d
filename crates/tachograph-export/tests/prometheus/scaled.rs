//! Counters whose recorded unit is a fraction of the reported one.

use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use tachograph::{MetricsCollector, Snapshot, Unit};
use tachograph_export::json;
use tachograph_export::otlp::{Encoding, Settings};
use tachograph_export::prometheus::Prometheus;

use super::parse::parse;
use super::{manual, wire};

/// The values of the counter `energy` and the level `level` in every format.
fn told(snapshot: &Snapshot) -> Vec<[f64; 2]> {
    let pair = |value: &dyn Fn(&str) -> f64| ["energy", "level"].map(value);
    let family = |name: &str| {
        match name {
            "energy" => "energy_joules_total",
            name => name,
        }
        .to_owned()
    };
    let mut prometheus = Prometheus::new();
    let (mut text, mut bytes, mut otlp) = (String::new(), Vec::new(), Vec::new());
    prometheus.text(snapshot, &mut text);
    prometheus.protobuf(snapshot, &mut bytes);
    Settings::new("test").encoding(Encoding::Json).encoder().encode(snapshot, &mut otlp);
    let lines = parse(&text).expect("valid");
    let messages = wire::decode(&bytes);
    let json = json::to_value(snapshot, json::Options::default());
    let otlp: serde_json::Value = serde_json::from_slice(&otlp).expect("JSON");
    let metrics = &otlp["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let metrics = metrics.as_array().expect("metrics");
    vec![
        pair(&|name| {
            let found = lines.iter().find(|f| f.name == family(name)).expect("a family");
            found.samples[0].float()
        }),
        pair(&|name| {
            let found = messages.iter().find(|f| f.name == family(name)).expect("a family");
            found.metrics[0].counter.or(found.metrics[0].gauge).expect("a value")
        }),
        pair(&|name| json["metrics"]["counters"][name]["value"].as_f64().expect("a number")),
        pair(&|name| {
            let found = metrics.iter().find(|metric| metric["name"] == name).expect("a metric");
            found["sum"]["dataPoints"][0]["asDouble"].as_f64().expect("a float")
        }),
    ]
}

fn recorded(energy: u64, level: u64) -> MetricsCollector {
    let metrics = manual();
    metrics.describe_scaled("energy", Unit::Other("joules".into()), 0.001, "in thousandths");
    metrics.describe_scaled("level", Unit::None, 0.01, "in hundredths");
    metrics.increment_by("energy", energy);
    metrics.decrement_by("level", level);
    metrics
}

#[test]
fn a_counter_with_a_scale_is_told_in_its_unit_by_every_format() {
    let mut random = Rng::with_seed(7);
    for _ in 0..200 {
        let (energy, level) = (random.u64(..1 << 40), random.u64(..1 << 40));
        let snapshot = recorded(energy, level).get_all_metrics();
        // The decimal number, parsed by the standard library.
        let number = |text: String| -> f64 { text.parse().expect("a number") };
        let expected = [
            number(format!("{}.{:03}", energy / 1_000, energy % 1_000)),
            number(format!("-{}.{:02}", level / 100, level % 100)),
        ];
        assert!(told(&snapshot).iter().all(|told| *told == expected), "{:?}", told(&snapshot));
        let json = serde_json::to_string(&*snapshot).expect("serialisable");
        let read: Snapshot = serde_json::from_str(&json).expect("what was written");
        assert_eq!(told(&read), told(&snapshot));
        assert_eq!(told(&Snapshot::merge([&read, &recorded(0, 0).get_all_metrics()])), told(&read));
    }
}

#[test]
fn the_window_and_the_rates_of_a_counter_with_a_scale_are_scaled_too() {
    let metrics = recorded(1_500, 250);
    metrics.run_pass(Instant::now() + Duration::from_secs(20), SystemTime::now());
    let json = json::to_value(&metrics.snapshot(), json::Options::default());
    let energy = &json["metrics"]["counters"]["energy"];
    assert_eq!((&energy["value"], &energy["window"]["value"]), (&1.5.into(), &1.5.into()));
    let rate = energy["rate"].as_f64().expect("a number");
    let seconds = json["uptime_seconds"].as_f64().expect("a number");
    assert!((rate * seconds - 1.5).abs() < 1e-9, "{rate} over {seconds} s");
}

#[test]
fn counters_of_different_scales_stay_apart_in_a_sum() {
    let (first, second) = (manual(), manual());
    for (metrics, scale) in [(&first, 0.001), (&second, 0.01)] {
        metrics.describe_scaled("energy", Unit::None, scale, "");
        metrics.increment_by("energy", 1_000);
    }
    let sum = Snapshot::merge([&*first.get_all_metrics(), &*second.get_all_metrics()]);
    let json = json::to_value(&sum, json::Options::default());
    let counters = &json["metrics"]["counters"];
    assert_eq!(counters["energy"]["value"], 1.0);
    assert_eq!(counters["energy.scale_0.01"]["value"], 10.0);
}

#[test]
fn a_snapshot_with_an_impossible_scale_is_refused() {
    let snapshot = recorded(1, 1).get_all_metrics();
    let json = serde_json::to_string(&*snapshot).expect("serialisable");
    for wrong in ["0.0", "-1.0", "1e999"] {
        let hostile = json.replace("\"scale\":0.001", &format!("\"scale\":{wrong}"));
        assert_ne!(hostile, json);
        assert!(serde_json::from_str::<Snapshot>(&hostile).is_err(), "{wrong}");
    }
}

#[test]
fn a_counter_that_went_back_between_two_snapshots_makes_no_page_invalid() {
    let metrics = manual();
    let counter = metrics.register_counter("c");
    counter.increment_by(5);
    let before = metrics.get_all_metrics();
    metrics.decrement_by("c", 3);
    let difference = metrics.get_all_metrics().since(&before);
    let mut text = String::new();
    Prometheus::new().text(&difference, &mut text);
    assert!(text.contains("\nc_total 0\n"), "{text}");
}
