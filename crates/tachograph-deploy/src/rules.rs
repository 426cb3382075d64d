//! Rule files in Prometheus's format.
//!
//! The names of recording rules start with `job:` if they add up all instances, and with
//! `instance:` if they keep instances apart.

use std::collections::BTreeMap;

use serde::Serialize;
use tachograph::Kind;

use crate::error::DeployError;
use crate::expressions::{Expressions, QUANTILES};
use crate::own::Alert;
use crate::settings::Settings;

#[derive(Debug, Serialize)]
pub(crate) struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Rule {
    Recording {
        record: String,
        expr: String,
    },
    Alerting {
        alert: String,
        expr: String,
        #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
        hold: Option<String>,
        labels: BTreeMap<&'static str, &'static str>,
        annotations: BTreeMap<&'static str, &'static str>,
    },
}

pub(crate) fn recordings(
    write: &Expressions<'_>,
    settings: &Settings,
) -> Result<RuleFile, DeployError> {
    let mut rates = rates(write);
    for own in settings.own.recorded {
        let record = own.name.to_owned();
        rates.push(Rule::Recording { record, expr: write.expand(own.expr)? });
    }
    let group = |what, rules| Group { name: format!("{}.{what}", settings.job), rules };
    Ok(RuleFile { groups: vec![group("quantiles", quantiles(write)), group("rates", rates)] })
}

fn quantiles(write: &Expressions<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for metric in write.metrics().filter(|metric| metric.is_distribution()) {
        for (level, by) in [("job", "job"), ("instance", "job, instance")] {
            rules.extend(QUANTILES.map(|(q, name)| Rule::Recording {
                record: format!("{level}:{}:{name}", metric.stem()),
                expr: write.quantile(q, by, &write.whole(metric)),
            }));
        }
    }
    rules
}

fn rates(write: &Expressions<'_>) -> Vec<Rule> {
    let counters = write.metrics().filter(|metric| metric.kind == Kind::Counter);
    let rule = counters.map(|metric| Rule::Recording {
        record: format!("job:{}:rate", metric.stem()),
        expr: write.rate("job", &write.whole(metric)),
    });
    rule.collect()
}

pub(crate) fn alerts(
    write: &Expressions<'_>,
    settings: &Settings,
    alerts: &[Alert],
) -> Result<RuleFile, DeployError> {
    let prefix = settings.alert_prefix();
    let rule = |alert: &Alert| {
        Ok(Rule::Alerting {
            alert: format!("{prefix}{}", alert.name),
            expr: write.expand(alert.expr)?,
            hold: (alert.hold > 0).then(|| settings.steps(alert.hold)),
            labels: BTreeMap::from([("severity", alert.severity)]),
            annotations: BTreeMap::from([
                ("summary", alert.summary),
                ("description", alert.description),
            ]),
        })
    };
    let rules = alerts.iter().map(rule).collect::<Result<_, DeployError>>()?;
    Ok(RuleFile { groups: vec![Group { name: format!("{}.alerts", settings.job), rules }] })
}
