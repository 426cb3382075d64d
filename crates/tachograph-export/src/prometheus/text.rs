//! The text format 0.0.4.

use tachograph::{Kind, Snapshot, TimingStats, Value};

use super::RENAMED;
use super::escape::push_unquoted;
use super::family::Family;
use super::number::{push_count, push_float, push_integer};
use super::plan::Plan;

/// Appends all families.
pub(super) fn write(plan: &Plan, snapshot: &Snapshot, out: &mut String) {
    for family in &plan.families {
        head(out, &family.name, kind(family.kind()), &family.help);
        for (series, text) in family.series(snapshot) {
            write_series(family, &series.value, text, out);
        }
    }
    head(out, RENAMED, "gauge", "names and label keys that got a numeric suffix");
    out.push_str(RENAMED);
    out.push(' ');
    push_count(out, plan.renamed as u64);
    out.push('\n');
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Timing | Kind::Histogram => "summary",
        Kind::Counter => "counter",
        Kind::UpDownCounter | Kind::Gauge => "gauge",
    }
}

/// Appends HELP and TYPE.
fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    for part in ["# HELP ", name, " "] {
        out.push_str(part);
    }
    push_unquoted(out, help);
    for part in ["\n# TYPE ", name, " ", kind, "\n"] {
        out.push_str(part);
    }
}

fn write_series(family: &Family, value: &Value, text: &str, out: &mut String) {
    match value {
        Value::Timing(views) | Value::Histogram(views) => {
            return write_summary(family, &views.lifetime, text, out);
        }
        Value::Counter(views) | Value::UpDownCounter(views) => {
            out.push_str(text);
            push_integer(out, views.lifetime.value);
        }
        Value::Gauge(views) => {
            out.push_str(text);
            push_float(out, views.lifetime.current);
        }
    }
    out.push('\n');
}

fn write_summary(family: &Family, stats: &TimingStats, labels: &str, out: &mut String) {
    let quantiles = [
        ("0.5", stats.p50),
        ("0.9", stats.p90),
        ("0.95", stats.p95),
        ("0.99", stats.p99),
        ("0.999", stats.p999),
    ];
    for (quantile, value) in quantiles {
        start(out, &family.name, "", labels, &format!("quantile=\"{quantile}\""));
        push_float(out, value);
        out.push('\n');
    }
    start(out, &family.name, "_sum", labels, "");
    push_float(out, Some(stats.sum));
    out.push('\n');
    start(out, &family.name, "_count", labels, "");
    push_count(out, stats.count);
    out.push('\n');
}

/// Appends a line up to its value.
fn start(out: &mut String, name: &str, suffix: &str, labels: &str, own: &str) {
    out.push_str(name);
    out.push_str(suffix);
    if !(labels.is_empty() && own.is_empty()) {
        out.push('{');
        out.push_str(labels);
        if !(labels.is_empty() || own.is_empty()) {
            out.push(',');
        }
        out.push_str(own);
        out.push('}');
    }
    out.push(' ');
}
