//! Tests of the rules, for `promtool test rules`.

use std::collections::BTreeMap;

use serde::Serialize;
use tachograph::Kind;

use crate::error::DeployError;
use crate::expressions::Expressions;
use crate::own::{Alert, Given, Recorded};
use crate::settings::Settings;

#[derive(Debug, Serialize)]
pub(crate) struct TestFile {
    rule_files: [String; 2],
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
    alertname: String,
    exp_alerts: Vec<Expected>,
}

#[derive(Debug, Serialize)]
struct Expected {
    exp_labels: BTreeMap<&'static str, String>,
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

/// The number of scrapes in an example.
const STEPS: u32 = 80;
const INSTANCE: &str = "a:1";
const OTHER: &str = "b:1";

pub(crate) fn file(
    names: &Expressions<'_>,
    settings: &Settings,
    alerts: &[Alert],
) -> Result<TestFile, DeployError> {
    let examples = Examples { names, settings };
    let mut tests = Vec::new();
    for alert in alerts {
        tests.push(examples.alert(alert, true)?);
        tests.push(examples.alert(alert, false)?);
    }
    tests.extend(examples.rate());
    for recorded in settings.own.recorded {
        tests.push(examples.recorded(recorded)?);
    }
    let rule_files = ["rules", "alerts"].map(|what| settings.file(what));
    Ok(TestFile { rule_files, evaluation_interval: settings.steps(1), tests })
}

struct Examples<'a> {
    names: &'a Expressions<'a>,
    settings: &'a Settings,
}

impl Examples<'_> {
    /// The test of an alert with one of its examples.
    fn alert(&self, alert: &Alert, fires: bool) -> Result<Test, DeployError> {
        let (given, does) =
            if fires { (alert.fires, "fires") } else { (alert.quiet, "does not fire") };
        let alertname = format!("{}{}", self.settings.alert_prefix(), alert.name);
        let mut test = self.test(format!("{alertname} {does}"));
        test.input_series = self.inputs(given)?;
        test.alert_rule_test = vec![AlertTest {
            eval_time: self.settings.steps(STEPS),
            alertname,
            exp_alerts: if fires { vec![self.expected(alert)] } else { Vec::new() },
        }];
        Ok(test)
    }

    fn expected(&self, alert: &Alert) -> Expected {
        let mut exp_labels = BTreeMap::from([
            ("severity", alert.severity.to_owned()),
            ("job", self.settings.job.clone()),
        ]);
        if alert.is_of_instance() {
            exp_labels.insert("instance", INSTANCE.to_owned());
        }
        let exp_annotations = BTreeMap::from([
            ("summary", alert.summary.replace("{{ $labels.instance }}", INSTANCE)),
            ("description", alert.description.to_owned()),
        ]);
        Expected { exp_labels, exp_annotations }
    }

    /// A test of the first counter's rate: two instances that count 30 and 15 per scrape.
    fn rate(&self) -> Option<Test> {
        let metric = self.names.metrics().find(|it| it.kind == Kind::Counter && it.has_untagged)?;
        let job = &self.settings.job;
        let input = |instance, values: &str| Input {
            series: series(&metric.exported, job, instance, ""),
            values: values.to_owned(),
        };
        let expr = format!("job:{}:rate", metric.stem());
        let mut test = self.test("rates of all instances are added up".to_owned());
        test.input_series = vec![input(INSTANCE, "0+30x80"), input(OTHER, "0+15x80")];
        let labels = format!("{expr}{{job=\"{job}\"}}");
        let value = 45.0 / self.settings.scrape_interval.as_secs_f64();
        test.promql_expr_test = vec![self.value(expr, labels, value)];
        Some(test)
    }

    fn recorded(&self, recorded: &Recorded) -> Result<Test, DeployError> {
        let mut test = self.test(recorded.example.to_owned());
        test.input_series = self.inputs(recorded.given)?;
        // Rounded, because rates are floating-point numbers.
        let expr = format!("round({}, 0.000001)", recorded.name);
        let labels = series("", &self.settings.job, INSTANCE, "");
        test.promql_expr_test = vec![self.value(expr, labels, recorded.value)];
        Ok(test)
    }

    fn test(&self, name: String) -> Test {
        Test {
            name,
            interval: self.settings.steps(1),
            input_series: Vec::new(),
            alert_rule_test: Vec::new(),
            promql_expr_test: Vec::new(),
        }
    }

    fn value(&self, expr: String, labels: String, value: f64) -> ExprTest {
        let eval_time = self.settings.steps(STEPS);
        ExprTest { expr, eval_time, exp_samples: [Sample { labels, value }] }
    }

    fn inputs(&self, given: &[Given]) -> Result<Vec<Input>, DeployError> {
        let input = |Given(metric, labels, values): &Given| {
            let name = self.names.name(metric, metric)?;
            let series = series(&name, &self.settings.job, INSTANCE, labels);
            Ok(Input { series, values: (*values).to_owned() })
        };
        given.iter().map(input).collect()
    }
}

/// A series in promtool's notation.
fn series(name: &str, job: &str, instance: &str, labels: &str) -> String {
    let comma = if labels.is_empty() { "" } else { ", " };
    format!("{name}{{job=\"{job}\", instance=\"{instance}\"{comma}{labels}}}")
}
