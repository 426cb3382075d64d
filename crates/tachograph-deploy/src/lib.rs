//! Generates the configuration with which Prometheus, Grafana and an OpenTelemetry Collector watch
//! a program, from the program's own metrics.
//!
//! | file | content |
//! |---|---|
//! | `README.md` | how to use the files |
//! | `prometheus.yml` | Prometheus: its targets and rule files |
//! | `JOB.rules.yml` | Prometheus: recording rules for p50, p95 and p99 of every distribution and the rate of every counter |
//! | `JOB.alerts.yml` | Prometheus: alerts |
//! | `JOB.tests.yml` | `promtool test rules`: for each alert, data on which it must and must not fire |
//! | `otel-collector.yml` | an OpenTelemetry Collector between programs that push and Prometheus |
//! | `grafana-dashboard.json` | Grafana: a panel for every metric |
//!
//! Rules and panels use the exported names ([`tachograph::ExportedNames`]), so they fit both
//! scraped and pushed metrics. If a metric has a series without tags and series with tags, each
//! expression selects either the one or the others, so that nothing is counted twice. A program can
//! add alerts, recording rules and panels ([`Own`]). If one of them names a metric that the program
//! does not have, [`files`] returns an error; otherwise it would be an empty graph later.
//!
//! # Promises
//! * [`files`] is pure: the same metrics and settings give the same bytes.
//! * [`write()`] writes all files or none, and overwrites changed files only with `force`.
//!
//! # Example
//! ```
//! use tachograph::MetricsCollector;
//! use tachograph_deploy::{Metric, Settings, files};
//!
//! let metrics = MetricsCollector::new();
//! metrics.increment("orders.taken");
//! let settings = Settings::new("shop", ["127.0.0.1:9464"]);
//! let files = files(&Metric::all(&metrics.get_all_metrics()), &settings)?;
//! let rules = files.iter().find(|file| file.name == "shop.rules.yml");
//! assert!(rules.is_some_and(|file| file.content.contains("record: job:orders_taken:rate")));
//! # Ok::<(), tachograph_deploy::DeployError>(())
//! ```
#![forbid(unsafe_code)]

mod alerts;
mod collector;
mod dashboard;
mod error;
mod expressions;
mod metric;
mod own;
mod panels;
mod prometheus;
mod readme;
mod rule_tests;
mod rules;
mod settings;
mod write;

use serde::Serialize;

pub use self::error::DeployError;
use self::expressions::Expressions;
pub use self::metric::Metric;
pub use self::own::{Alert, Given, Own, Panel, Recorded};
pub use self::settings::{Settings, host_and_port, job_name, scrape_interval, time_in};
pub use self::write::write;

/// A generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The file's name, without a folder.
    pub name: String,
    /// The whole text.
    pub content: String,
}

/// Generates all files.
///
/// `metrics` are all metrics of the program, with those that the collector records about itself:
/// [`Metric::all`] returns them.
///
/// # Errors
/// If a setting is out of its range, or an alert, rule or panel names a metric that
/// is not in `metrics`.
pub fn files(metrics: &[Metric], settings: &Settings) -> Result<Vec<File>, DeployError> {
    settings.check()?;
    let rules = Expressions::for_rules(metrics, settings);
    let panels = Expressions::for_panels(metrics, settings);
    let alerts = alerts::all(settings);
    let yaml = |document: String| format!("# {}\n{document}", settings.origin());
    let files = [
        ("README.md".to_owned(), readme::text(settings)),
        ("prometheus.yml".to_owned(), yaml(to_yaml(&prometheus::config(settings))?)),
        (settings.file("rules"), yaml(to_yaml(&rules::recordings(&rules, settings)?)?)),
        (settings.file("alerts"), yaml(to_yaml(&rules::alerts(&rules, settings, &alerts)?)?)),
        (settings.file("tests"), yaml(to_yaml(&rule_tests::file(&rules, settings, &alerts)?)?)),
        ("otel-collector.yml".to_owned(), yaml(to_yaml(&collector::config(&settings.job))?)),
        ("grafana-dashboard.json".to_owned(), dashboard::text(&panels, settings)?),
    ];
    Ok(files.into_iter().map(|(name, content)| File { name, content }).collect())
}

fn to_yaml(document: &impl Serialize) -> Result<String, DeployError> {
    yaml_serde::to_string(document).map_err(DeployError::yaml)
}
