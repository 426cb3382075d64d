//! Snapshots as text and back; values as decimals.

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use serde::Deserialize;
use tachograph::{MetricsCollector, Snapshot, Trace, Unit};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

fn back(snapshot: &Snapshot) -> Snapshot {
    let text = serde_json::to_string(snapshot).expect("serialises");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn whatever_was_recorded_reads_back() {
    let metrics = manual();
    for (name, value) in [("up", f64::INFINITY), ("down", f64::NEG_INFINITY), ("least", 5e-324)] {
        metrics.gauge(name, value);
        metrics.gauge(name, value / 2.0);
    }
    metrics.gauge("beyond", f64::MAX);
    metrics.gauge("beyond", f64::MAX);
    metrics.register_gauge("unset");
    for (name, scale) in [("huge", 1e300), ("tiny", 1e-300), ("thousandths", 0.001)] {
        metrics.describe_scaled(name, Unit::Bytes, scale, "");
        metrics.histogram(name, u64::MAX);
        metrics.histogram(name, 1);
        metrics.histogram_traced(name, u64::MAX, Trace::new([7; 16], [1; 8]).expect("not zero"));
    }
    metrics.timing("long", Duration::MAX);
    metrics.increment_by("wraps", u64::MAX);
    metrics.decrement_by("negative", 1 << 63);
    metrics.with_tags(&[("k", "v,=[]\\\"\n")]).increment("a\u{0}b,=[]\\");
    metrics.run_pass(Instant::now(), SystemTime::now());
    let snapshot = metrics.snapshot();
    assert_eq!(back(&snapshot), *snapshot);
    let up = back(&snapshot).find("up", &[]).expect("there").value.as_gauge().cloned();
    assert_eq!(up.expect("a gauge").lifetime.max, Some(f64::INFINITY));
    let merged = Snapshot::merge([&*snapshot, &*snapshot]);
    assert_eq!(back(&merged), merged);
    let gain = snapshot.since(&manual().snapshot());
    assert_eq!(back(&gain), gain);
}

#[test]
fn a_time_before_1970_reads_back_as_1970() {
    let metrics = manual();
    metrics.increment("c");
    metrics.run_pass(Instant::now(), SystemTime::UNIX_EPOCH - Duration::from_secs(9));
    assert_eq!(back(&metrics.snapshot()).timestamp(), SystemTime::UNIX_EPOCH);
}

/// A snapshot with one text replaced in its JSON.
fn tampered(from: &str, to: &str) -> Result<Snapshot, String> {
    let metrics = manual();
    metrics.histogram("h", 700);
    metrics.gauge("g", 1.5);
    let text = serde_json::to_string(&*metrics.get_all_metrics()).expect("serialises");
    assert!(text.contains(from), "{from} in {text}");
    let text = text.replacen(from, to, 1);
    // As a field of another type would call it.
    let field = Snapshot::deserialize(&mut serde_json::Deserializer::from_str(&text));
    let whole = serde_json::from_str(&text).map_err(|error| error.to_string());
    assert_eq!(field.is_err(), whole.is_err());
    whole
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    for (from, to, reason) in [
        (r#""min":700,"max":700"#, r#""min":700,"max":0"#, "its min is above its max"),
        ("[[700,1]]", "[[700,2]]", "its count is not the sum of its buckets"),
        ("[[700,1]]", "[[65535,1]]", "a bucket beyond the last one"),
        ("[[700,1]]", "[[700,1],[3,0]]", "not in the order of their buckets"),
        ("[[700,1]]", "[[700,1],[701,0]]", "an empty bucket"),
        (r#""coalesced":0"#, r#""coalesced":2"#, "more samples were coalesced"),
        (r#""finite":1"#, r#""finite":2"#, "more values were finite"),
        (r#""current":1.5"#, r#""current":"NaN""#, "no statistic"),
        (r#""key":"g""#, r#""key":"f""#, "its key is not that of its name"),
        (r#""kind":"gauge""#, r#""kind":"counter""#, "not of its metric's kind"),
    ] {
        let told = tampered(from, to).expect_err(from);
        assert!(told.contains(reason), "{to}: {told}");
    }
    tampered(r#""p50":700.0"#, r#""p50":1.0"#).expect("computed anew");
}

proptest! {
    #[test]
    fn values_are_the_decimals_that_they_stand_for(nanos in any::<u64>(), shift in 0u32..64) {
        let nanos = nanos >> shift;
        let metrics = manual();
        metrics.timing("t", Duration::from_nanos(nanos));
        metrics.describe_scaled("h", Unit::None, 0.001, "");
        metrics.histogram("h", nanos);
        // As the standard library reads them; beyond 2^53 the recorded value is rounded first.
        let decimal = |digits: usize, unit: u64| -> f64 {
            let whole = format!("{}.{:0digits$}", nanos / unit, nanos % unit);
            whole.parse().expect("a number")
        };
        let expected = [("t", decimal(9, 1_000_000_000)), ("h", decimal(3, 1_000))];
        for (name, expected) in expected {
            let stats = metrics.get_timing(name).expect("recorded");
            let told = [stats.min, stats.max, stats.p50, stats.mean, Some(stats.sum)];
            for told in told.into_iter().flatten() {
                let exact = nanos < 1 << 53;
                let close = (told - expected).abs() <= expected * f64::EPSILON;
                prop_assert!(if exact { told == expected } else { close }, "{name}: {told}, not {expected}");
            }
        }
    }
}
