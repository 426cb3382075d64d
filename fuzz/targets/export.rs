//! Encoders on hostile names, tags and values: what they write is valid in its format.
#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tachograph::{MetricsCollector, Unit};
use tachograph_export::MetricsExporter;

#[derive(Arbitrary, Debug)]
struct Series<'a> {
    name: &'a str,
    tags: Vec<(&'a str, &'a str)>,
    description: Option<&'a str>,
    value: Value,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Counter(u64),
    UpDown(u64),
    Gauge(f64),
    Timing(u64),
    Histogram(u64),
}

/// A metric or label name.
fn is_name(text: &str, colons: bool) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    text.chars().all(good) && text.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

/// The labels of a sample, from behind `{`; gives what follows `}`.
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

fuzz_target!(|input: Vec<Series<'_>>| {
    let metrics = MetricsCollector::builder().manual().lane_blocks(2, 2).max_series(16);
    let metrics = metrics.max_metrics(16).build();
    for Series { name, tags, description, value } in &input {
        let tagged = metrics.with_tags(tags);
        match *value {
            Value::Counter(amount) => tagged.increment_by(name, amount),
            Value::UpDown(amount) => tagged.decrement_by(name, amount),
            Value::Gauge(value) => tagged.gauge(name, value),
            Value::Timing(nanos) => tagged.timing(name, std::time::Duration::from_nanos(nanos)),
            Value::Histogram(value) => tagged.histogram(name, value),
        }
        if let Some(description) = description {
            metrics.describe(name, Unit::None, description);
        }
    }
    let snapshot = metrics.get_all_metrics();
    check(&MetricsExporter::to_prometheus(&snapshot));
    // JSON is built as a value: what could go wrong is a panic.
    let json = MetricsExporter::to_json(&snapshot);
    assert!(json["metrics"]["counters"].is_object());
    let _ = MetricsExporter::to_summary(&snapshot);
});
