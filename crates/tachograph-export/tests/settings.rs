//! Every setter of what encodes, at its least, at 0, at 1 and at its greatest.

#[path = "otlp/definition.rs"]
mod definition;

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tachograph::{MetricsCollector, Snapshot};
use tachograph_export::otlp::{Encoding, Settings, Temporality};
use tachograph_export::prometheus::{Bounds, Form, Prometheus, Schema};

use self::definition::ExportMetricsServiceRequest;

/// One series of each kind, with values at both ends.
fn snapshot() -> Arc<Snapshot> {
    let metrics = MetricsCollector::builder().manual().build();
    for nanos in [0, 1, 1_000_000, u64::MAX] {
        metrics.timing("t", Duration::from_nanos(nanos));
        metrics.histogram("h", nanos);
    }
    metrics.increment_by("c", u64::MAX);
    metrics.decrement("u");
    metrics.gauge("g", f64::MAX);
    metrics.get_all_metrics()
}

/// The setters of a source, which take and give what they set.
fn setters(source: &str) -> Vec<&str> {
    let names = source.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub fn ")?.split_once("(mut self")?;
        Some(name)
    });
    names.collect()
}

#[test]
fn an_otlp_request_can_be_read_whatever_is_set() {
    let settings = || Settings::new("");
    let mut all = vec![settings(), settings().attribute("", ""), settings().attribute("k", "v")];
    all.extend([Temporality::Cumulative, Temporality::Delta].map(|it| settings().temporality(it)));
    all.extend([false, true].map(|telemetry| settings().telemetry(telemetry)));
    all.extend([0, 1, usize::MAX].map(|buckets| settings().max_buckets(buckets)));
    all.extend([i32::MIN, -1, 0, 1, i32::MAX].map(|scale| settings().scale(scale)));
    let known = ["attribute", "telemetry", "temporality", "encoding", "max_buckets", "scale"];
    assert_eq!(setters(include_str!("../src/otlp/settings.rs")), known, "one is left out");
    let snapshot = snapshot();
    for settings in all {
        let mut bytes = Vec::new();
        assert!(settings.encoder().encode(&snapshot, &mut bytes) > 0);
        let request = ExportMetricsServiceRequest::decode(&bytes[..]).expect("protobuf");
        let mut text = Vec::new();
        settings.clone().encoding(Encoding::Json).encoder().encode(&snapshot, &mut text);
        let as_json: ExportMetricsServiceRequest = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(request, as_json, "{settings:?}");
    }
}

#[test]
fn a_page_has_every_family_whatever_is_set() {
    let bounds = |bounds: &[f64]| Bounds::new(bounds.iter().copied());
    assert!(bounds(&[f64::NAN]).is_err() && bounds(&[1.0, 0.0]).is_err());
    let schemas = [i32::MIN, -5, -4, 0, 1, 8, 9, i32::MAX].map(Schema::new);
    assert!(schemas.iter().any(Result::is_ok) && schemas[0].is_err() && schemas[7].is_err());
    let ends = [&[0.0][..], &[1.0], &[f64::MIN, f64::MAX], &[f64::MIN_POSITIVE]];
    let mut forms = vec![Form::Summary];
    forms.extend(ends.into_iter().filter_map(|some| bounds(some).ok()).map(Form::Classic));
    forms.extend(schemas.into_iter().filter_map(Result::ok).map(Form::Native));
    let known = ["timings", "metric", "timestamps", "created", "lifetime_quantiles", "telemetry"];
    assert_eq!(setters(include_str!("../src/prometheus/encoder.rs")), known, "one is left out");
    let snapshot = snapshot();
    let count = {
        let mut text = String::new();
        Prometheus::new().text(&snapshot, &mut text)
    };
    for form in forms {
        for [timestamps, created, lifetime] in [[false; 3], [true; 3]] {
            let prometheus = Prometheus::new().timings(form.clone()).metric("h", form.clone());
            let prometheus = prometheus.timestamps(timestamps).created(created);
            let prometheus = prometheus.lifetime_quantiles(lifetime).telemetry(lifetime);
            let mut prometheus = prometheus.metric("", form.clone());
            let (mut text, mut open_metrics, mut bytes) = Default::default();
            let written = [
                prometheus.text(&snapshot, &mut text),
                prometheus.open_metrics(&snapshot, &mut open_metrics),
                prometheus.protobuf(&snapshot, &mut bytes),
            ];
            assert_eq!(written, [count; 3], "{form:?}");
            assert!(open_metrics.ends_with("# EOF\n"));
        }
    }
}
