//! What the dashboard shows: an overview that is chosen, and every declared metric.

use std::collections::BTreeMap;

use tachograph::{Kind, Unit};

use super::error::DeployError;
use super::names::Names;
use super::recording::{QUANTILES, quantile};
use crate::metrics::{DECLARED, Declared};

/// A row of the dashboard.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) title: String,
    pub(super) panels: Vec<Panel>,
}

/// A graph, or a number.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) is_number: bool,
    /// As Grafana calls it.
    pub(super) unit: &'static str,
    pub(super) queries: Vec<Query>,
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) expr: String,
    pub(super) legend: &'static str,
}

/// Only the servers that are chosen above the dashboard.
const CHOSEN: &str = "instance=~\"$instance\"";
const BY_SERVER: &str = "{{instance}}";

/// Title, what it is, unit, query, legend; numbers first.
type Chosen = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const NUMBERS: [Chosen; 6] = [
    ("Servers up", "of those that Prometheus scrapes", "short", &[("sum(${up})", "")]),
    (
        "Events a second",
        "processed, by all servers",
        "reqps",
        &[("sum(rate(${events.processed}[$window]))", "")],
    ),
    (
        "p95 of an event",
        "from the buckets of all servers",
        "s",
        &[("histogram_quantile(0.95, sum(rate(${event.processing.duration}[$window])))", "")],
    ),
    (
        "Packets lost",
        "sequence numbers that never came, in the time shown",
        "short",
        &[(
            "sum(increase(${udp.packet.dropped}[$__range])) - sum(increase(${udp.packet.recovered}[$__range]))",
            "",
        )],
    ),
    ("Viewers", "connected to any server", "short", &[("sum(${websocket.clients})", "")]),
    (
        "Errors",
        "events that met an internal failure, in the time shown",
        "short",
        &[("sum(increase(${errors.event_processing}[$__range]))", "")],
    ),
];

const GRAPHS: [Chosen; 4] = [
    (
        "Time an event takes, all servers",
        "from the buckets of all servers",
        "s",
        &[
            ("histogram_quantile(0.5, sum(rate(${event.processing.duration}[$window])))", "p50"),
            ("histogram_quantile(0.95, sum(rate(${event.processing.duration}[$window])))", "p95"),
            ("histogram_quantile(0.99, sum(rate(${event.processing.duration}[$window])))", "p99"),
        ],
    ),
    (
        "What becomes of events",
        "each is in exactly one class",
        "reqps",
        &[
            ("sum(rate(${events.processed}[$window]))", "processed"),
            ("sum(rate(${events.ignored.no_ast}[$window]))", "ignored"),
            ("sum(rate(${events.unhandled}[$window]))", "unhandled"),
            ("sum(rate(${events.rejected}[$window]))", "rejected"),
            ("sum(rate(${errors.event_processing}[$window]))", "errors"),
        ],
    ),
    (
        "Time between passes of the aggregator",
        "numbers are at most so old",
        "s",
        &[("${telemetry.pass.age}", BY_SERVER)],
    ),
    (
        "Samples that were not recorded",
        "by reason",
        "short",
        &[("sum by (reason) (rate(${telemetry.dropped}[$window]))", "{{reason}}")],
    ),
];

/// The overview, then a row for each first word of the declared names.
pub(super) fn rows(names: &Names) -> Result<Vec<Row>, DeployError> {
    let mut overview = Vec::new();
    for (chosen, is_number) in
        NUMBERS.iter().map(|it| (it, true)).chain(GRAPHS.iter().map(|it| (it, false)))
    {
        let (title, description, unit, queries) = *chosen;
        let query = |&(template, legend)| query(names, template, legend);
        overview.push(Panel {
            title: title.to_owned(),
            description: description.to_owned(),
            is_number,
            unit,
            queries: queries.iter().map(query).collect::<Result<_, _>>()?,
        });
    }
    let mut rows = vec![Row { title: "Overview".to_owned(), panels: overview }];
    let mut groups = BTreeMap::<&str, Vec<Panel>>::new();
    for declared in DECLARED {
        let group = declared.name.split('.').next().unwrap_or_default();
        groups.entry(group).or_default().push(of_metric(names, declared)?);
    }
    rows.extend(groups.into_iter().map(|(group, panels)| Row { title: group.to_owned(), panels }));
    Ok(rows)
}

/// The panel of a declared metric.
fn of_metric(names: &Names, declared: &Declared) -> Result<Panel, DeployError> {
    let Declared { name, kind, tag, .. } = *declared;
    let queries = match (kind, tag) {
        (Kind::Timing | Kind::Histogram, None) => {
            let query = |(q, legend)| query(names, &quantile(q, name, "job"), legend);
            QUANTILES.into_iter().map(query).collect::<Result<Vec<_>, _>>()?
        }
        (Kind::Timing | Kind::Histogram, Some(tag)) => {
            let of_tag = quantile("0.95", &format!("{name} by {tag}"), tag);
            vec![query(names, &format!("topk(10, {of_tag})"), legend_of(tag))?]
        }
        (Kind::Counter, None) => {
            let rate = format!("sum by (instance) (rate(${{{name}}}[$window]))");
            vec![query(names, &rate, BY_SERVER)?]
        }
        (Kind::Counter, Some(tag)) => {
            let rate = format!("topk(10, sum by ({tag}) (rate(${{{name} by {tag}}}[$window])))");
            vec![query(names, &rate, legend_of(tag))?]
        }
        (Kind::Gauge | Kind::UpDownCounter, _) => {
            vec![query(names, &format!("${{{name}}}"), BY_SERVER)?]
        }
    };
    let title = match tag {
        Some(tag) if matches!(kind, Kind::Timing | Kind::Histogram) => {
            format!("{name}: p95 by {tag}")
        }
        Some(tag) => format!("{name}, by {tag}"),
        None => name.to_owned(),
    };
    let unit = match (kind, &declared.unit) {
        (Kind::Counter, _) => "cps",
        // Since 1970: Grafana takes milliseconds.
        _ if name == "process.start_time" => "dateTimeFromNow",
        (_, Unit::Seconds) => "s",
        (_, Unit::Bytes) => "bytes",
        (_, Unit::Ratio) => "percentunit",
        _ => "short",
    };
    let description = declared.description.to_owned();
    Ok(Panel { title, description, is_number: false, unit, queries })
}

fn legend_of(tag: &str) -> &'static str {
    match tag {
        "handler" => "{{handler}}",
        "event_type" => "{{event_type}}",
        // Grafana's own choice: all labels.
        _ => "",
    }
}

fn query(names: &Names, template: &str, legend: &'static str) -> Result<Query, DeployError> {
    // Grafana's own span: at least four scrapes.
    let expr = names.expand(&template.replace("$window", "$__rate_interval"), CHOSEN)?;
    Ok(Query { expr, legend })
}
