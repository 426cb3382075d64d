//! Encoders with hostile names, tags and values: the output must be valid in its format.
#![no_main]

mod series;

use std::collections::BTreeSet;

use ast_server::MetricsExporter;
use libfuzzer_sys::fuzz_target;
use tachograph::Snapshot;
use tachograph_export::prometheus::{self, Bounds, Form, Prometheus, Schema};

use self::series::Series;

/// A metric or label name.
fn is_name(text: &str, colons: bool) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    text.chars().all(good) && text.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

/// Parses a sample's labels, starting after `{`; returns what follows `}`.
fn labels(mut rest: &str) -> Option<(BTreeSet<String>, &str)> {
    let mut names = BTreeSet::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((names, rest));
        }
        let (name, value) = rest.split_once("=\"")?;
        if !is_name(name, false) || !names.insert(name.to_owned()) {
            return None;
        }
        let mut chars = value.char_indices();
        let end = loop {
            match chars.next()? {
                (_, '\\') => matches!(chars.next()?.1, '\\' | '"' | 'n').then_some(())?,
                (end, '"') => break end,
                _ => {}
            }
        };
        rest = &value[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// A sample's name and labels.
fn sample(line: &str) -> Option<&str> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let value = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?.1,
        None => rest,
    };
    let value = value.strip_prefix(' ')?;
    let number = matches!(value, "NaN" | "+Inf" | "-Inf") || value.parse::<f64>().is_ok();
    (is_name(name, true) && number).then(|| &line[..line.len() - value.len()])
}

fn check(text: &str) {
    assert!(text.is_empty() || text.ends_with('\n'));
    let (mut samples, mut types) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# TYPE ") {
            let (name, kind) = comment.split_once(' ').expect("a name and a type");
            assert!(is_name(name, true) && types.insert(name), "{line}");
            assert!(["counter", "gauge", "summary", "histogram", "untyped"].contains(&kind));
        } else if let Some(comment) = line.strip_prefix("# HELP ") {
            let name = comment.split(' ').next().unwrap_or_default();
            assert!(is_name(name, true), "{line}");
        } else {
            let sample = sample(line).unwrap_or_else(|| panic!("no sample: {line:?}"));
            assert!(samples.insert(sample), "twice: {line:?}");
        }
    }
}

/// A line without its exemplar. No label value looks like one, because its quotes are escaped.
fn without_exemplar(line: &str) -> &str {
    line.split(" # {trace_id=\"").next().unwrap_or_default()
}

/// Checks for the same samples as in the text format, some with exemplars, and the end marker.
fn check_open_metrics(prometheus: &mut Prometheus, snapshot: &Snapshot, text: &str) {
    let mut open_metrics = String::new();
    prometheus.open_metrics(snapshot, &mut open_metrics);
    let body = open_metrics.strip_suffix("# EOF\n").expect("an end");
    fn samples(text: &str) -> impl Iterator<Item = &str> {
        text.split('\n').filter(|line| !line.starts_with('#'))
    }
    assert!(samples(body).map(without_exemplar).eq(samples(text)));
}

/// Checks for length-delimited messages up to the end, one per family.
fn check_protobuf(prometheus: &mut Prometheus, snapshot: &Snapshot) {
    let mut bytes = Vec::new();
    prometheus.protobuf(snapshot, &mut bytes);
    let names: BTreeSet<_> = snapshot.series().iter().map(|series| &series.metric.name).collect();
    let (mut rest, mut families) = (&bytes[..], 0);
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| byte & 0x80 == 0).expect("a length");
        let length =
            rest[..=end].iter().rev().fold(0, |n, byte| (n << 7) | usize::from(byte & 0x7f));
        rest = &rest[end + 1..][length..];
        families += 1;
    }
    assert_eq!(families, names.len() + 1, "and the one about names");
}

fuzz_target!(|input: Vec<Series<'_>>| {
    let metrics = series::collector();
    input.iter().for_each(|series| series.record(&metrics));
    let snapshot = metrics.get_all_metrics();
    let mut text = String::new();
    prometheus::encode(&snapshot, &mut text);
    check(&text);
    let form = Form::NativeAndClassic(Schema::default(), Bounds::default());
    let mut prometheus = Prometheus::new().timings(form);
    let mut text = String::new();
    prometheus.text(&snapshot, &mut text);
    check(&text);
    check_open_metrics(&mut prometheus.clone().created(false), &snapshot, &text);
    check_protobuf(&mut prometheus, &snapshot);
    // JSON is built as a value: only a panic could go wrong.
    let json = MetricsExporter::to_json(&snapshot);
    assert!(json["metrics"]["counters"].is_object());
    let _ = MetricsExporter::to_summary(&snapshot);
});
