//! Traced samples in the formats that support exemplars.

use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use tachograph::{MetricsCollector, Snapshot, Trace};
use tachograph_export::prometheus::{Bounds, Form, Prometheus, Schema};

use super::wire::{self, Exemplar};
use super::{manual, text};

const WALL_MS: u64 = 1_700_000_000_025;

fn trace(number: u64) -> Trace {
    let id = u128::from(number) << 64 | 0xbeef;
    Trace::new(id.to_be_bytes(), number.to_be_bytes()).expect("not zero")
}

/// The exemplar labels of this trace.
fn labels(number: u64) -> Vec<(String, String)> {
    let trace_id = format!("{number:016x}000000000000beef");
    [("trace_id", trace_id), ("span_id", format!("{number:016x}"))]
        .map(|(label, value)| (label.to_owned(), value))
        .into()
}

fn published(metrics: &MetricsCollector) -> std::sync::Arc<Snapshot> {
    metrics.run_pass(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_millis(WALL_MS));
    metrics.snapshot()
}

fn classic(bounds: &[f64]) -> Form {
    Form::Classic(Bounds::new(bounds.iter().copied()).expect("ascending"))
}

fn open_metrics(form: Form, snapshot: &Snapshot) -> String {
    let mut text = String::new();
    Prometheus::new().timings(form).open_metrics(snapshot, &mut text);
    text
}

/// The bucket lines of the family `t_seconds`.
fn buckets(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("t_seconds_bucket")).collect()
}

#[test]
fn the_bucket_that_the_worst_traced_sample_falls_in_has_it_behind_its_count() {
    let metrics = manual();
    metrics.register_timing("t").record_traced(Duration::from_micros(1_500), trace(7));
    metrics.register_timing("t").record_traced(Duration::from_micros(900), trace(8));
    metrics.timing("t", Duration::from_secs(3));
    let snapshot = published(&metrics);
    let told = open_metrics(classic(&[0.001, 0.002, 0.004]), &snapshot);
    let exemplar = concat!(
        " # {trace_id=\"0000000000000007000000000000beef\",span_id=\"0000000000000007\"}",
        " 0.0015 1700000000.025"
    );
    let expected = [
        "t_seconds_bucket{le=\"0.001\"} 1",
        &format!("t_seconds_bucket{{le=\"0.002\"}} 2{exemplar}"),
        "t_seconds_bucket{le=\"0.004\"} 2",
        "t_seconds_bucket{le=\"+Inf\"} 3",
    ];
    assert_eq!(buckets(&told), expected);

    let mut stamped = String::new();
    let mut prometheus = Prometheus::new().timings(classic(&[0.002])).timestamps(true);
    prometheus.open_metrics(&snapshot, &mut stamped);
    let expected = format!("t_seconds_bucket{{le=\"0.002\"}} 2 1700000000.025{exemplar}");
    assert_eq!(buckets(&stamped)[0], expected);
}

#[test]
fn a_sample_at_a_bound_is_in_its_bucket_and_one_beyond_all_bounds_in_the_last() {
    for (nanos, place) in [(1_000, 0), (1_001, 1), (2_000_000, 1), (2_000_001, 2), (1 << 40, 2)] {
        let metrics = manual();
        metrics.register_timing("t").record_ns_traced(nanos, trace(1));
        let told = open_metrics(classic(&[1e-6, 2e-3]), &published(&metrics));
        let found = buckets(&told).iter().position(|line| line.contains(" # "));
        assert_eq!(found, Some(place), "{nanos} ns: {told}");
        assert!(
            nanos != 1_000 || told.contains(" 1e-6 1700000000.025\n"),
            "as the bound is spelled"
        );
        assert_eq!(told.matches("trace_id").count(), 1, "one bucket has it");
    }
}

#[test]
fn a_trace_without_a_span_has_one_label() {
    let metrics = manual();
    let alone = "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("a trace's id");
    metrics.histogram_traced("h", 5, alone);
    let snapshot = published(&metrics);
    let told = open_metrics(classic(&[10.0]), &snapshot);
    let expected = "1 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 5.0 1700000000.025\n";
    assert!(told.contains(expected), "{told}");
    let mut bytes = Vec::new();
    Prometheus::new().protobuf(&snapshot, &mut bytes);
    let families = wire::decode(&bytes);
    let family = families.iter().find(|family| family.name == "h").expect("h");
    let histogram = family.metrics[0].histogram.as_ref().expect("native");
    assert_eq!(histogram.exemplars[0].labels.len(), 1);
}

#[test]
fn text_and_summaries_have_no_place_for_exemplars() {
    let metrics = manual();
    metrics.register_timing("t").record_traced(Duration::from_millis(1), trace(1));
    assert!(!text(&metrics).contains("trace_id"));
    let snapshot = published(&metrics);
    assert!(!open_metrics(Form::Summary, &snapshot).contains("trace_id"));
    let mut text = String::new();
    Prometheus::new().timings(classic(&[1.0])).text(&snapshot, &mut text);
    assert!(!text.contains("trace_id"), "classic buckets in the old format");
}

#[test]
fn protobuf_has_it_in_the_native_histogram_and_in_the_bucket_of_its_value() {
    let bounds: Vec<f64> = (0..20).map(|power| 1e-6 * f64::from(1 << power)).collect();
    let mut random = Rng::with_seed(5);
    for _ in 0..100 {
        let metrics = manual();
        let timing = metrics.register_timing("t");
        let samples: Vec<u64> = (0..20).map(|_| random.u64(..) >> random.u32(30..63)).collect();
        for (number, nanos) in (1..).zip(&samples) {
            timing.record_ns_traced(*nanos, trace(number));
        }
        let worst = samples.iter().copied().max().expect("there are samples");
        let first = 1 + samples.iter().position(|nanos| *nanos == worst).expect("it is one");
        let value = worst as f64 / 1e9;
        let expected = Exemplar { labels: labels(first as u64), value, timestamp_ms: WALL_MS };
        let expected = [expected];

        let snapshot = published(&metrics);
        let schema = Schema::default();
        let at = Bounds::new(bounds.iter().copied()).expect("ascending");
        for (form, has_native, has_classic) in [
            (Form::Native(schema), true, false),
            (Form::Classic(at.clone()), false, true),
            (Form::NativeAndClassic(schema, at), true, true),
        ] {
            let mut bytes = Vec::new();
            Prometheus::new().timings(form).protobuf(&snapshot, &mut bytes);
            let families = wire::decode(&bytes);
            let family = families.iter().find(|family| family.name == "t_seconds").expect("t");
            let histogram = family.metrics[0].histogram.as_ref().expect("a histogram");
            assert_eq!(histogram.exemplars, expected[..usize::from(has_native)]);
            let nanos = |bound: f64| (bound * 1e9).round() as u64;
            let above = bounds.iter().copied().find(|bound| worst <= nanos(*bound));
            let above = above.unwrap_or(f64::INFINITY);
            assert_eq!(histogram.classic_exemplars.len(), usize::from(has_classic));
            for (bound, exemplar) in &histogram.classic_exemplars {
                let at = Exemplar { value: value.min(above), ..expected[0].clone() };
                assert_eq!((*bound, exemplar), (above, &at));
            }
        }
    }
}

#[test]
fn a_series_without_traces_keeps_none_of_the_one_before_it() {
    let metrics = manual();
    let tagged = |tag| metrics.with_tags(&[("k", tag)]).register_timing("t");
    tagged("a").record_traced(Duration::from_millis(3), trace(1));
    tagged("a").record(Duration::from_millis(1));
    tagged("b").record(Duration::from_secs(900));
    let form = Form::NativeAndClassic(Schema::default(), Bounds::default());
    let mut bytes = Vec::new();
    Prometheus::new().timings(form).protobuf(&published(&metrics), &mut bytes);
    let families = wire::decode(&bytes);
    let family = families.iter().find(|family| family.name == "t_seconds").expect("t");
    let histograms: Vec<_> =
        family.metrics.iter().map(|metric| metric.histogram.as_ref().expect("both")).collect();
    let found =
        |at: usize| (histograms[at].exemplars.len(), histograms[at].classic_exemplars.len());
    assert_eq!((found(0), found(1)), ((1, 1), (0, 0)));
    let total = |at: usize| histograms[at].native().iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!((total(0), total(1)), (2, 1));
    assert_eq!(histograms[1].classic.len(), histograms[0].classic.len());
}
