//! What a fleet of servers needs around it: configurations, rules and a dashboard, generated from
//! the table of metrics that the server itself registers.
//!
//! | file | for |
//! |---|---|
//! | `README.md` | whoever opens the folder |
//! | `prometheus.yml` | Prometheus: what to scrape, which rules to evaluate |
//! | `ast-server.rules.yml` | Prometheus: the fleet's p50, p95 and p99 of every distribution, rates |
//! | `ast-server.alerts.yml` | Prometheus: alerts |
//! | `ast-server.tests.yml` | `promtool test rules`: each alert where it must fire, and where not |
//! | `otel-collector.yml` | an OpenTelemetry Collector between servers that push and Prometheus |
//! | `grafana-dashboard.json` | Grafana |
//! | `ast-server.service` | systemd |
//! | `ast-server.toml` | the server that systemd starts |
//!
//! Names are those that [`tachograph_export::prometheus`] writes. A rule that names a metric which
//! the server does not have is an error here, not an empty graph later. Where a metric has a series
//! without tags and others with, what is generated selects one or the other, so that nothing is
//! counted twice.
//!
//! ```
//! use ast_server::deploy::{Settings, files};
//!
//! let files = files(&Settings::default())?;
//! let alerts = files.iter().find(|file| file.name == "ast-server.alerts.yml");
//! assert!(alerts.is_some_and(|file| file.content.contains("alert: AstServerDown")));
//! # Ok::<(), ast_server::deploy::DeployError>(())
//! ```

mod alerts;
mod collector;
mod error;
mod grafana;
mod names;
mod pace;
mod panels;
mod prometheus;
mod readme;
mod recording;
mod rule_tests;
mod rules;
mod settings;
mod unit;

use serde::Serialize;

pub use self::error::DeployError;
use self::names::Names;
pub use self::settings::Settings;

/// The `job` label of every target.
const JOB: &str = "ast-server";

const RULES: &str = "ast-server.rules.yml";
const ALERTS: &str = "ast-server.alerts.yml";
const TESTS: &str = "ast-server.tests.yml";
const PROMETHEUS: &str = "prometheus.yml";
const COLLECTOR: &str = "otel-collector.yml";
const DASHBOARD: &str = "grafana-dashboard.json";
const UNIT: &str = "ast-server.service";
const CONFIG: &str = "ast-server.toml";
const README: &str = "README.md";

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Its name, without a folder.
    pub name: &'static str,
    /// All of its text.
    pub content: String,
}

/// Every file. The same settings give the same bytes.
///
/// # Errors
/// A metric that is named in a rule or panel does not exist: a mistake in this crate.
pub fn files(settings: &Settings) -> Result<Vec<File>, DeployError> {
    let names = Names::of_server();
    let pace = settings.pace();
    let contents = [
        (README, readme::text(settings)),
        (PROMETHEUS, yaml(&prometheus::config(settings))?),
        (RULES, yaml(&recording::file(&names, pace)?)?),
        (ALERTS, yaml(&alerts::file(&names, pace)?)?),
        (TESTS, yaml(&rule_tests::file(&names, pace)?)?),
        (COLLECTOR, yaml(&collector::config())?),
        (DASHBOARD, grafana::dashboard(&names)?),
        (UNIT, unit::text()),
        (CONFIG, unit::config(settings)),
    ];
    Ok(contents.into_iter().map(|(name, content)| File { name, content }).collect())
}

/// A document with a line above it that says where it comes from.
fn yaml(document: &impl Serialize) -> Result<String, DeployError> {
    let text = yaml_serde::to_string(document).map_err(DeployError::yaml)?;
    Ok(format!(
        "# Written by `ast-server deploy`. Changes here are lost when it runs again.\n{text}"
    ))
}
