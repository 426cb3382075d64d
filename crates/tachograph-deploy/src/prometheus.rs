//! The configuration file of Prometheus 2.42 or newer.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::settings::{Settings, told};

/// The longest time that a scrape may take. A healthy program answers within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize)]
pub(crate) struct Config<'a> {
    global: Global,
    rule_files: [String; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    alerting: Option<Alerting<'a>>,
    scrape_configs: [Scrape<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Global {
    scrape_interval: String,
    scrape_timeout: String,
    evaluation_interval: String,
}

#[derive(Debug, Serialize)]
struct Alerting<'a> {
    alertmanagers: [Targets<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Scrape<'a> {
    job_name: &'a str,
    #[serde(flatten)]
    targets: Targets<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization<'a>>,
}

#[derive(Debug, Serialize)]
struct Targets<'a> {
    static_configs: [Static<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Static<'a> {
    targets: &'a [String],
}

#[derive(Debug, Serialize)]
struct Authorization<'a> {
    r#type: &'static str,
    credentials_file: &'a Path,
}

pub(crate) fn config(settings: &Settings) -> Config<'_> {
    let interval = settings.steps(1);
    let targets = |targets| Targets { static_configs: [Static { targets }] };
    let managers = &settings.alertmanagers;
    let alerting = (!managers.is_empty()).then(|| Alerting { alertmanagers: [targets(managers)] });
    let token_file = settings.token_file.as_deref();
    let authorization = |credentials_file| Authorization { r#type: "Bearer", credentials_file };
    Config {
        global: Global {
            scrape_interval: interval.clone(),
            // Prometheus refuses a timeout that is longer than the interval.
            scrape_timeout: told(settings.scrape_interval.min(TIMEOUT)),
            evaluation_interval: interval,
        },
        rule_files: ["rules", "alerts"].map(|what| settings.file(what)),
        alerting,
        scrape_configs: [Scrape {
            job_name: &settings.job,
            targets: targets(&settings.targets),
            authorization: token_file.map(authorization),
        }],
    }
}
