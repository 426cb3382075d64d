//! What Prometheus, Grafana and an OpenTelemetry Collector need to watch a program, generated from
//! the program's own metrics.
//!
//! | file | for |
//! |---|---|
//! | `README.md` | whoever opens the folder |
//! | `prometheus.yml` | Prometheus: what to scrape, which rules to evaluate |
//! | `JOB.rules.yml` | Prometheus: p50, p95 and p99 of every distribution, the rate of every counter |
//! | `JOB.alerts.yml` | Prometheus: alerts |
//! | `JOB.tests.yml` | `promtool test rules`: each alert where it must fire, and where not |
//! | `otel-collector.yml` | an OpenTelemetry Collector between programs that push and Prometheus |
//! | `grafana-dashboard.json` | Grafana: a panel for every metric |
//!
//! Names are the exported ones ([`tachograph::ExportedNames`]), so rules hold for whatever the
//! program's endpoint or push sends. Where a metric has a series without tags and others with, rules
//! and panels select one or the other: nothing is counted twice. A program adds alerts, recording
//! rules and panels of its own ([`Own`]); one that names a metric which the program does not have is
//! an error here, not an empty graph later.
//!
//! # Promises
//! * [`files`] is pure: the same metrics and settings give the same bytes.
//! * [`write()`] writes all files or none, and overwrites nothing unless it is told to.
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
pub use self::settings::{Settings, host_and_port, scrape_interval};
pub use self::write::write;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// All of its text.
    pub content: String,
}

/// Every file.
///
/// `metrics` are all that the program has, those that the collector records about itself included:
/// [`Metric::all`].
///
/// # Errors
/// The job is no plain name, or an alert, rule or panel names a metric that is not in the list.
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
