//! Random registries with hostile names, tags, units, descriptions and values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tachograph::{MetricsCollector, Series, Snapshot, Unit, Value};
use tachograph_export::json;
use tachograph_export::prometheus::{self, Form, Prometheus};

use super::parse::{Family, Sample, parse};
use super::wire;

/// The records of one series.
#[derive(Clone, Debug)]
enum Record {
    Timing(u64),
    Histogram(u64),
    Increment(u64),
    Decrement(u64),
    Gauge(f64),
    Register,
}

/// Few distinct characters, so that names collide once they are sanitised.
fn text() -> impl Strategy<Value = String> {
    let c = prop::sample::select(vec![
        'a',
        'b',
        '_',
        '.',
        ':',
        '9',
        ' ',
        '\n',
        '\r',
        '"',
        '\\',
        '{',
        '}',
        '=',
        ',',
        '#',
        '\0',
        'é',
        '\u{fffd}',
        '␀',
        '\u{1f600}',
        '[',
        ']',
    ]);
    let word = prop::sample::select(vec![
        "le",
        "quantile",
        "__name__",
        "a_sum",
        "a_count",
        "a_bucket",
        "a_total",
        "a_seconds",
        "a_created",
        "_total",
        ".total",
        "_seconds",
        "metric",
        "telemetry_prometheus_renamed",
    ]);
    prop_oneof![
        4 => prop::collection::vec(c, 0..5).prop_map(|chars| chars.into_iter().collect()),
        1 => word.prop_map(str::to_owned),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        any::<u64>().prop_map(Record::Timing),
        any::<u64>().prop_map(Record::Histogram),
        any::<u64>().prop_map(Record::Increment),
        any::<u64>().prop_map(Record::Decrement),
        prop::num::f64::ANY.prop_map(Record::Gauge),
        Just(Record::Register),
    ]
}

type Tags = Vec<(String, String)>;

fn records() -> impl Strategy<Value = Vec<(String, Tags, Record)>> {
    let tags = prop::collection::vec((text(), text()), 0..4);
    prop::collection::vec((text(), tags, record()), 0..30)
}

fn descriptions() -> impl Strategy<Value = Vec<(String, String, String)>> {
    prop::collection::vec((text(), text(), text()), 0..10)
}

fn apply(metrics: &MetricsCollector, name: &str, tags: &Tags, record: &Record) {
    let tags: Vec<_> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
    let series = metrics.with_tags(&tags);
    match *record {
        Record::Timing(ns) => series.timing(name, Duration::from_nanos(ns)),
        Record::Histogram(value) => series.histogram(name, value),
        Record::Increment(amount) => series.increment_by(name, amount),
        Record::Decrement(amount) => series.decrement_by(name, amount),
        Record::Gauge(value) => series.gauge(name, value),
        Record::Register => drop(series.register_histogram(name)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_recorded_is_valid_and_reads_back(
        records in records(),
        descriptions in descriptions(),
    ) {
        let metrics = MetricsCollector::builder().manual().build();
        for (name, unit, told) in &descriptions {
            metrics.describe(name, Unit::Other(unit.as_str().into()), told);
        }
        for (name, tags, record) in &records {
            apply(&metrics, name, tags, record);
        }
        let snapshot = metrics.get_all_metrics();
        let mut text = String::new();
        prometheus::encode(&snapshot, &mut text);
        let families = parse(&text).map_err(TestCaseError::fail)?;
        open_metrics_has_the_same_samples(&snapshot, &text)?;
        protobuf_has_the_same(&snapshot, &families)?;
        reads_back(&snapshot, families)?;

        let mut again = text.clone();
        prometheus::encode(&snapshot, &mut again);
        prop_assert_eq!(again, text.repeat(2), "the same bytes, appended");
        let mut bytes = Vec::new();
        json::encode(&snapshot, json::Options { buckets: true, ..Default::default() }, &mut bytes);
        let value: serde_json::Value = serde_json::from_slice(&bytes)?;
        let sections = value["metrics"].as_object().into_iter().flatten();
        let series: usize = sections.filter_map(|(_, s)| Some(s.as_object()?.len())).sum();
        prop_assert_eq!(series, snapshot.series().len(), "no two series share a key");
    }
}

fn open_metrics_has_the_same_samples(snapshot: &Snapshot, text: &str) -> Result<(), TestCaseError> {
    let mut open_metrics = String::new();
    Prometheus::new().created(false).open_metrics(snapshot, &mut open_metrics);
    let samples = |text: &str| -> Vec<String> {
        text.split('\n').filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    prop_assert_eq!(samples(&open_metrics), samples(text));
    let mut created = String::new();
    Prometheus::new().open_metrics(snapshot, &mut created);
    let monotonic =
        |series: &&Arc<Series>| !matches!(series.value, Value::UpDownCounter(_) | Value::Gauge(_));
    let expected = snapshot.series().iter().filter(monotonic).count();
    prop_assert_eq!(samples(&created).len() - samples(text).len(), expected);
    prop_assert!(created.ends_with("\n# EOF\n"));
    Ok(())
}

/// Names, help, labels and values in the other format, whose output is compared with the snapshot.
fn protobuf_has_the_same(snapshot: &Snapshot, text: &[Family]) -> Result<(), TestCaseError> {
    let mut bytes = Vec::new();
    Prometheus::new().timings(Form::Summary).protobuf(snapshot, &mut bytes);
    let families = wire::decode(&bytes);
    prop_assert_eq!(families.len(), text.len());
    for (family, text) in families.iter().zip(text) {
        prop_assert_eq!((&family.name, &family.help), (&text.name, &text.help));
        let kind = ["counter", "gauge", "summary"][family.kind as usize];
        prop_assert_eq!(kind, &text.kind);
        let mut samples = text.samples.iter();
        for metric in &family.metrics {
            let summary = metric.summary.iter().flat_map(|summary| {
                let values = summary.quantiles.iter().map(|(_, value)| *value);
                values.chain([summary.sum, summary.count as f64])
            });
            for value in metric.gauge.into_iter().chain(metric.counter).chain(summary) {
                let sample = samples.next().expect("as many samples");
                prop_assert_eq!(float(&Some(value)), float(&Some(sample.float())));
                let labels = sample.labels.iter().filter(|(label, _)| label != "quantile");
                prop_assert!(labels.eq(&metric.labels));
            }
        }
        prop_assert!(samples.next().is_none());
    }
    Ok(())
}

/// Families are sorted by metric name, series by key.
fn reads_back(snapshot: &Snapshot, mut families: Vec<Family>) -> Result<(), TestCaseError> {
    let own = families.pop().expect("the family about suffixes");
    prop_assert_eq!(own.name, "telemetry_prometheus_renamed");
    let mut metrics = BTreeMap::<&str, Vec<&Arc<Series>>>::new();
    for series in snapshot.series() {
        metrics.entry(&series.metric.name).or_default().push(series);
    }
    prop_assert_eq!(families.len(), metrics.len());
    for (family, series) in families.iter().zip(metrics.values()) {
        let told = &*series[0].metric.description;
        if !told.is_empty() {
            prop_assert_eq!(&family.help, &told.replace('\0', "\u{fffd}"));
        }
        let mut samples = family.samples.iter();
        for series in series {
            series_reads_back(series, &mut samples)?;
        }
        prop_assert!(samples.next().is_none(), "samples of no series in {}", family.name);
    }
    Ok(())
}

fn series_reads_back<'a>(
    series: &Series,
    samples: &mut impl Iterator<Item = &'a Sample>,
) -> Result<(), TestCaseError> {
    let expected: Vec<String> = match &series.value {
        Value::Timing(views) | Value::Histogram(views) => {
            let s = views.window.as_ref().expect("a collector with windows");
            let quantiles = [s.p50, s.p90, s.p95, s.p99, s.p999, Some(views.lifetime.sum)];
            quantiles.iter().map(float).chain([views.lifetime.count.to_string()]).collect()
        }
        Value::Counter(views) | Value::UpDownCounter(views) => {
            vec![views.lifetime.value.to_string()]
        }
        Value::Gauge(views) => vec![float(&views.lifetime.current)],
    };
    let tags: Vec<_> =
        series.tags.iter().map(|(_, value)| value.replace('␀', "␀␀").replace('\0', "␀0")).collect();
    for value in expected {
        let sample = samples.next().expect("a sample for each statistic");
        let labels = sample.labels.iter().filter(|(label, _)| label != "quantile");
        let values: Vec<_> = labels.map(|(_, value)| value.clone()).collect();
        prop_assert_eq!(&values, &tags, "of {}", &series.key);
        let same_float = float(&Some(sample.float())) == value;
        prop_assert!(
            sample.value == value || same_float,
            "{}: {sample:?}, not {value}",
            series.key
        );
    }
    Ok(())
}

/// A float with all its bits; all NaNs are equal.
fn float(value: &Option<f64>) -> String {
    match value {
        Some(value) if !value.is_nan() => format!("{:x}", value.to_bits()),
        _ => "NaN".into(),
    }
}
