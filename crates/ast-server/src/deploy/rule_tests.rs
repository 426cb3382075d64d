//! Tests of the rules, for `promtool test rules`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::alerts::{Alert, EXAMPLE_STEPS, Given};
use super::error::DeployError;
use super::names::Names;
use super::pace::Pace;
use super::recording::LOSS;
use super::{ALERTS, JOB, RULES, alerts};

#[derive(Debug, Serialize)]
pub(super) struct TestFile {
    rule_files: [&'static str; 2],
    evaluation_interval: String,
    tests: Vec<Test>,
}

#[derive(Debug, Serialize)]
struct Test {
    name: String,
    interval: String,
    input_series: Vec<Input>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alert_rule_test: Vec<AlertTest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promql_expr_test: Vec<ExprTest>,
}

#[derive(Debug, Serialize)]
struct Input {
    series: String,
    values: String,
}

#[derive(Debug, Serialize)]
struct AlertTest {
    eval_time: String,
    alertname: &'static str,
    exp_alerts: Vec<Expected>,
}

#[derive(Debug, Serialize)]
struct Expected {
    exp_labels: BTreeMap<&'static str, &'static str>,
    exp_annotations: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct ExprTest {
    expr: String,
    eval_time: String,
    exp_samples: [Sample; 1],
}

#[derive(Debug, Serialize)]
struct Sample {
    labels: String,
    value: f64,
}

const INSTANCE: &str = "a:1";
const OTHER: &str = "b:1";

pub(super) fn file(names: &Names, pace: Pace) -> Result<TestFile, DeployError> {
    let mut tests = Vec::new();
    for alert in &alerts::ALERTS {
        tests.push(example(names, pace, alert, true)?);
        tests.push(example(names, pace, alert, false)?);
    }
    tests.push(rates(names, pace)?);
    tests.push(loss(names, pace)?);
    Ok(TestFile { rule_files: [RULES, ALERTS], evaluation_interval: pace.interval(), tests })
}

/// One of an alert's examples.
fn example(names: &Names, pace: Pace, alert: &Alert, fires: bool) -> Result<Test, DeployError> {
    let given = if fires { alert.fires } else { alert.quiet };
    let input_series = given.iter().map(|given| input(names, INSTANCE, given));
    let does = if fires { "fires" } else { "keeps quiet" };
    Ok(Test {
        name: format!("{} {does}", alert.name),
        interval: pace.interval(),
        input_series: input_series.collect::<Result<_, _>>()?,
        alert_rule_test: vec![AlertTest {
            eval_time: pace.steps(EXAMPLE_STEPS),
            alertname: alert.name,
            exp_alerts: if fires { vec![expected(alert)] } else { Vec::new() },
        }],
        promql_expr_test: Vec::new(),
    })
}

fn expected(alert: &Alert) -> Expected {
    let mut exp_labels = BTreeMap::from([("severity", alert.severity), ("job", JOB)]);
    if alert.is_of_instance() {
        exp_labels.insert("instance", INSTANCE);
    }
    let exp_annotations = BTreeMap::from([
        ("summary", alert.summary.replace("{{ $labels.instance }}", INSTANCE)),
        ("description", alert.description.to_owned()),
    ]);
    Expected { exp_labels, exp_annotations }
}

/// Two servers that count 30 and 15 a scrape.
fn rates(names: &Names, pace: Pace) -> Result<Test, DeployError> {
    let series = |instance, values| input(names, instance, &Given("events.processed", "", values));
    Ok(Test {
        name: "rates of all servers are added up".to_owned(),
        interval: pace.interval(),
        input_series: vec![series(INSTANCE, "0+30x80")?, series(OTHER, "0+15x80")?],
        alert_rule_test: Vec::new(),
        promql_expr_test: vec![ExprTest {
            expr: "job:events_processed:rate".to_owned(),
            eval_time: pace.steps(EXAMPLE_STEPS),
            exp_samples: [Sample {
                labels: format!("job:events_processed:rate{{job=\"{JOB}\"}}"),
                value: 45.0 / pace.seconds(),
            }],
        }],
    })
}

/// Of 100 a scrape, 12 are missing at first and 2 of those come late.
fn loss(names: &Names, pace: Pace) -> Result<Test, DeployError> {
    let given = [
        Given("udp.packet.received", "", "0+90x80"),
        Given("udp.packet.dropped", "", "0+12x80"),
        Given("udp.packet.recovered", "", "0+2x80"),
    ];
    let input_series = given.iter().map(|given| input(names, INSTANCE, given));
    Ok(Test {
        name: "late packets are not lost".to_owned(),
        interval: pace.interval(),
        input_series: input_series.collect::<Result<_, _>>()?,
        alert_rule_test: Vec::new(),
        promql_expr_test: vec![ExprTest {
            // Rounded: rates are floats.
            expr: format!("round({LOSS}, 0.000001)"),
            eval_time: pace.steps(EXAMPLE_STEPS),
            exp_samples: [Sample {
                labels: format!("{{job=\"{JOB}\", instance=\"{INSTANCE}\"}}"),
                value: 0.1,
            }],
        }],
    })
}

/// A series of one server, as promtool reads it.
fn input(names: &Names, instance: &str, given: &Given) -> Result<Input, DeployError> {
    let Given(metric, tags, values) = given;
    let name = match metric.split(':').collect::<Vec<_>>()[..] {
        [level, metric, operation] => format!("{level}:{}:{operation}", names.family(metric)?),
        _ => names.family(metric)?.to_owned(),
    };
    let comma = if tags.is_empty() { "" } else { ", " };
    let series = format!("{name}{{job=\"{JOB}\", instance=\"{instance}\"{comma}{tags}}}");
    Ok(Input { series, values: (*values).to_owned() })
}
