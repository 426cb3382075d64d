//! Files for arbitrary programs: every series that their expressions select is exported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use serde_json::Value;
use tachograph::{MetricsCollector, Snapshot, Unit};
use tachograph_deploy::{Alert, DeployError, Metric, Own, Settings, files, write};
use tachograph_export::prometheus;

/// A program with metrics of all kinds, with names that collide or are invalid in Prometheus, and
/// with tags that are no valid labels.
fn program() -> MetricsCollector {
    let metrics = MetricsCollector::new();
    metrics.increment("taken");
    metrics.increment("taken.total");
    metrics.increment("a\"b{c}:d\n$e ${f}");
    metrics.with_tags(&[("pl.ace", "x"), ("pl_ace", "y")]).increment("tagged");
    metrics.timing("", Duration::from_millis(1));
    metrics
        .with_tags(&[("instance", "mine"), ("job", "mine")])
        .timing("1", Duration::from_millis(1));
    metrics.gauge("queue: depth", 3.0);
    metrics.describe("queue: depth", Unit::Bytes, "with \"quotes\": and # more");
    metrics
}

/// The exported metrics by name, each with the labels of its series.
fn exported(snapshot: &Snapshot) -> BTreeMap<String, BTreeSet<String>> {
    let mut text = String::new();
    prometheus::encode(snapshot, &mut text);
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            family = told.split(' ').next().unwrap_or_default().to_owned();
            found.entry(family.clone()).or_default();
        } else if let Some((_, labels)) = line.split_once('{') {
            let keys = labels.split("=\"").filter_map(|part| part.rsplit([',', '"', '{']).next());
            let keys = keys.filter(|key| !key.is_empty() && !key.contains(['}', ' ']));
            found.entry(family.clone()).or_default().extend(keys.map(|key| match key {
                // Prometheus renames these, by the documentation of `honor_labels`.
                "job" | "instance" => format!("exported_{key}"),
                key => key.to_owned(),
            }));
        }
    }
    found
}

/// Every expression of the rules and the dashboard, and the names that rules record.
fn expressions(folder: &BTreeMap<String, String>) -> (Vec<String>, BTreeSet<String>) {
    let (mut exprs, mut recorded) = (Vec::new(), BTreeSet::new());
    for (name, content) in folder {
        let document: Value = match name.rsplit('.').next() {
            Some("yml") => yaml_serde::from_str(content).expect("YAML"),
            Some("json") => serde_json::from_str(content).expect("JSON"),
            _ => continue,
        };
        walk(&document, &mut |key, text| match key {
            "expr" if !name.ends_with("tests.yml") => exprs.push(text.to_owned()),
            "record" => {
                assert!(recorded.insert(text.to_owned()), "{text} is recorded twice");
            }
            _ => {}
        });
    }
    (exprs, recorded)
}

fn walk(document: &Value, see: &mut impl FnMut(&str, &str)) {
    match document {
        Value::Object(fields) => {
            for (key, value) in fields {
                if let Value::String(text) = value {
                    see(key, text);
                }
                walk(value, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

fn by_name(metrics: &MetricsCollector, settings: &Settings) -> BTreeMap<String, String> {
    let files = files(&Metric::all(&metrics.get_all_metrics()), settings);
    files.expect("settings fit").into_iter().map(|file| (file.name, file.content)).collect()
}

#[test]
fn every_selected_series_and_label_is_exported_or_recorded() {
    let metrics = program();
    let snapshot = metrics.get_all_metrics();
    let exported = exported(&snapshot);
    let (exprs, recorded) = expressions(&by_name(&metrics, &Settings::new("shop", ["a:1"])));
    let of_targets = ["job", "instance"];
    assert!(exprs.len() > 30, "{} expressions", exprs.len());
    for expr in &exprs {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
        let parts: Vec<_> = expr.split('{').collect();
        assert!(parts.len() > 1, "{expr} selects nothing");
        for pair in parts.windows(2) {
            let name = &pair[0][pair[0].trim_end_matches(is_name).len()..];
            let labels = exported.get(name);
            assert!(
                labels.is_some() || recorded.contains(name) || name == "up",
                "{name:?} of {expr} is not exported: {exported:?}"
            );
            let matchers = pair[1].split('}').next().unwrap_or_default();
            for key in matchers.split(',').filter_map(|it| it.split(['=', '!']).next()) {
                let is_known = labels.is_some_and(|labels| labels.contains(key));
                assert!(is_known || of_targets.contains(&key), "{key:?} of {expr} is no label");
            }
        }
    }
    // Each of the program's metrics is shown, and each counter's rate recorded.
    for (name, labels) in exported.iter().filter(|(name, _)| !name.starts_with("telemetry_")) {
        assert!(exprs.iter().any(|expr| expr.contains(&format!("{name}{{"))), "{name}: {labels:?}");
    }
    assert!(recorded.contains("job:taken:rate"), "{recorded:?}");
    assert!(exprs.iter().any(|expr| expr.contains("exported_instance!=\"\"")), "{exprs:?}");
}

#[test]
fn a_snapshot_from_an_endpoint_gives_the_same_files() {
    let snapshot = program().get_all_metrics();
    let sent = serde_json::to_string(&*snapshot).expect("JSON");
    let read: Snapshot = serde_json::from_str(&sent).expect("a snapshot");
    assert_eq!(Metric::all(&read), Metric::all(&snapshot));
}

#[test]
fn a_job_names_files_and_alerts_or_is_refused() {
    let metrics = program();
    let folder = by_name(&metrics, &Settings::new("my_shop-2", ["a:1"]));
    assert!(folder["my_shop-2.alerts.yml"].contains("alert: MyShop2Down\n"));
    let all = Metric::all(&metrics.get_all_metrics());
    for job in ["", "../x", "a b", "a\"}", "ä"] {
        let error = files(&all, &Settings::new(job, ["a:1"])).expect_err(job).to_string();
        assert!(error.contains("letters, digits"), "{error}");
    }
}

#[test]
fn an_alert_on_a_metric_that_does_not_exist_is_refused() {
    const WRONG: [Alert; 1] = [Alert {
        name: "Wrong",
        expr: "${lost} > 1",
        hold: 0,
        severity: Alert::PAGE,
        summary: "",
        description: "",
        fires: &[],
        quiet: &[],
    }];
    let mut settings = Settings::new("shop", ["a:1"]);
    settings.own = Own { alerts: &WRONG, ..Own::default() };
    let error = files(&Metric::all(&program().get_all_metrics()), &settings).expect_err("wrong");
    assert!(error.to_string().contains("\"lost\""), "{error}");
}

#[test]
fn a_file_that_cannot_be_written_leaves_none() -> Result<(), DeployError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = Metric::all(&program().get_all_metrics());
    let files = files(&all, &Settings::new("shop", ["a:1"]))?;
    // A folder stands where the last file should be: it can be read by nobody as a file.
    fs::create_dir(folder.path().join("grafana-dashboard.json")).expect("made");
    let error = write(folder.path(), &files, false).expect_err("a folder is in the way");
    assert!(error.to_string().contains("grafana-dashboard.json"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
    fs::remove_dir(folder.path().join("grafana-dashboard.json")).expect("removed");
    assert_eq!(write(folder.path(), &files, false)?.len(), files.len());
    Ok(())
}

#[test]
fn a_number_of_no_samples_is_told_as_no_data() {
    let metrics = Metric::all(&program().get_all_metrics());
    let files = files(&metrics, &Settings::new("shop", ["a:1"])).expect("all is known");
    let dashboard = files.iter().find(|file| file.name == "grafana-dashboard.json");
    let dashboard: Value = serde_json::from_str(&dashboard.expect("a file").content).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let numbers: Vec<_> = panels.filter(|panel| panel["type"] == "stat").collect();
    assert!(!numbers.is_empty());
    for panel in numbers {
        let defaults = &panel["fieldConfig"]["defaults"];
        assert_eq!(defaults["noValue"], "no data", "{panel}");
        let nan = &defaults["mappings"][0]["options"];
        assert_eq!((&nan["match"], &nan["result"]["text"]), (&"nan".into(), &"no data".into()));
    }
}
