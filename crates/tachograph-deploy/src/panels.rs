//! The panels of the dashboard: an overview, and every metric.

use std::collections::BTreeMap;

use tachograph::{Kind, Unit};

use crate::error::DeployError;
use crate::expressions::{Expressions, QUANTILES};
use crate::metric::Metric;
use crate::own::Panel;
use crate::settings::Settings;

/// A row of the dashboard.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) panels: Vec<Drawn>,
}

/// A panel with its expressions.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) is_number: bool,
    /// The unit, by its name in Grafana.
    pub(crate) unit: &'static str,
    /// The expressions, each with its legend.
    pub(crate) queries: Vec<(String, String)>,
}

const BY_INSTANCE: &str = "{{instance}}";

/// The panels of every program's overview.
const COMMON: [Panel; 3] = [
    Panel {
        title: "Instances up",
        description: "scraped instances that answer",
        is_number: true,
        unit: "short",
        queries: &[("sum(${up})", "")],
    },
    Panel {
        title: "Time between passes of the aggregator",
        description: "how old a metric can be when it is scraped",
        is_number: false,
        unit: "s",
        queries: &[("${telemetry.pass.age}", BY_INSTANCE)],
    },
    Panel {
        title: "Samples that were not recorded",
        description: "by reason",
        is_number: false,
        unit: "short",
        queries: &[("sum by (reason) (rate(${telemetry.dropped}[$window]))", "{{reason}}")],
    },
];

/// The overview, and a row for each first word of the metrics' names.
pub(crate) fn rows(write: &Expressions<'_>, settings: &Settings) -> Result<Vec<Row>, DeployError> {
    let mut overview: Vec<_> = settings.own.panels.iter().chain(&COMMON).collect();
    overview.sort_by_key(|panel| !panel.is_number);
    let overview = overview.into_iter().map(|panel| drawn(write, panel));
    let panels = overview.collect::<Result<_, _>>()?;
    let mut rows = vec![Row { title: "Overview".to_owned(), panels }];
    let mut groups = BTreeMap::<&str, Vec<Drawn>>::new();
    for metric in write.metrics() {
        let group = metric.name.split('.').next().unwrap_or_default();
        groups.entry(group).or_default().extend(of_metric(write, metric));
    }
    rows.extend(groups.into_iter().map(|(group, panels)| Row { title: group.to_owned(), panels }));
    Ok(rows)
}

fn drawn(write: &Expressions<'_>, panel: &Panel) -> Result<Drawn, DeployError> {
    let query =
        |&(template, legend): &(&str, &str)| Ok((write.expand(template)?, legend.to_owned()));
    Ok(Drawn {
        title: panel.title.to_owned(),
        description: panel.description.to_owned(),
        is_number: panel.is_number,
        unit: panel.unit,
        queries: panel.queries.iter().map(query).collect::<Result<_, DeployError>>()?,
    })
}

/// A panel for the series without tags, and one for each label.
fn of_metric(write: &Expressions<'_>, metric: &Metric) -> Vec<Drawn> {
    let panel = |title, queries| Drawn {
        title,
        description: metric.description.clone(),
        is_number: false,
        unit: unit(metric),
        queries,
    };
    let whole = write.whole(metric);
    let queries = match metric.kind {
        Kind::Timing | Kind::Histogram => {
            let query =
                |(q, name): (&str, &str)| (write.quantile(q, "job", &whole), name.to_owned());
            QUANTILES.map(query).to_vec()
        }
        Kind::Counter => vec![(write.rate("instance", &whole), BY_INSTANCE.to_owned())],
        Kind::Gauge | Kind::UpDownCounter => vec![(whole, BY_INSTANCE.to_owned())],
    };
    let untagged = metric.has_untagged.then(|| panel(metric.name.clone(), queries));
    let tagged = metric.labels.iter().map(|label| {
        let (name, series) = (&metric.name, write.by(metric, label));
        let (title, query) = match metric.kind {
            Kind::Timing | Kind::Histogram => {
                (format!("{name}: p95 by {label}"), write.quantile("0.95", label, &series))
            }
            Kind::Counter => (format!("{name}, by {label}"), write.rate(label, &series)),
            Kind::Gauge | Kind::UpDownCounter => {
                (format!("{name}, by {label}"), format!("sum by ({label}) ({series})"))
            }
        };
        panel(title, vec![(format!("topk(10, {query})"), format!("{{{{{label}}}}}"))])
    });
    untagged.into_iter().chain(tagged).collect()
}

fn unit(metric: &Metric) -> &'static str {
    match (metric.kind, &metric.unit) {
        (Kind::Counter, _) => "cps",
        (Kind::Gauge, Unit::Seconds) if metric.name.ends_with(".start_time") => "dateTimeFromNow",
        (_, Unit::Seconds) => "s",
        (_, Unit::Bytes) => "bytes",
        (_, Unit::Ratio) => "percentunit",
        (_, Unit::Percent) => "percent",
        _ => "short",
    }
}
