//! What `ast-server deploy` writes. Its own readers judge it in `cargo xtask peers`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use ast_server::AstServer;
use ast_server::deploy::{files, settings};
use ast_server::metrics::DECLARED;
use serde_json::Value;
use tachograph_deploy::Settings;
use tachograph_export::prometheus;

/// The generated files by name.
fn generated(settings: &Settings) -> BTreeMap<String, String> {
    let files = files(settings).expect("every metric that a rule names exists");
    files.into_iter().map(|file| (file.name, file.content)).collect()
}

fn yaml(text: &str) -> Value {
    yaml_serde::from_str(text).expect("YAML")
}

/// Every string of a document.
fn strings(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
}

/// The names in front of a brace.
fn selected(expr: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let before = expr.split('{').map(move |part| {
        let rest = part.trim_end_matches(is_name);
        &part[rest.len()..]
    });
    // What follows the last brace is in front of none.
    let count = expr.matches('{').count();
    before.take(count).filter(|name| !name.is_empty())
}

fn deploy(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ast-server"));
    command.arg("deploy").arg(folder).args(more).output().expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn the_folder_in_the_repository_is_what_the_program_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let stale = "is stale: run `cargo run -p ast-server -- deploy deploy --force`";
    let generated = generated(&settings());
    for (name, content) in &generated {
        let there = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(there == *content, "deploy/{name} {stale}");
    }
    let there = fs::read_dir(&folder)
        .expect("the folder deploy")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a UTF-8 name"));
    let there: BTreeSet<_> = there.collect();
    assert_eq!(there, generated.keys().cloned().collect(), "deploy {stale}");
}

#[test]
fn every_series_that_a_rule_or_panel_selects_is_exported_or_recorded() {
    let files = generated(&settings());
    let server = AstServer::new();
    let mut text = String::new();
    prometheus::encode(&server.metrics().get_all_metrics(), &mut text);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let mut known: BTreeSet<String> = types.map(str::to_owned).collect();
    known.insert("up".to_owned());
    let mut exprs = Vec::new();
    for name in ["ast-server.rules.yml", "ast-server.alerts.yml"] {
        let rules = yaml(&files[name]);
        for group in rules["groups"].as_array().expect("groups") {
            for rule in group["rules"].as_array().expect("rules") {
                known.extend(rule["record"].as_str().map(str::to_owned));
                exprs.push(rule["expr"].as_str().expect("an expression").to_owned());
            }
        }
    }
    let dashboard: Value = serde_json::from_str(&files["grafana-dashboard.json"]).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels") {
        let targets = panel["targets"].as_array().into_iter().flatten();
        exprs.extend(targets.map(|target| target["expr"].as_str().expect("a query").to_owned()));
    }
    assert!(exprs.len() > 100, "{} expressions", exprs.len());
    for expr in &exprs {
        let names: Vec<_> = selected(expr).collect();
        assert!(!names.is_empty(), "{expr} selects nothing");
        for name in names {
            assert!(known.contains(name), "{name}, which {expr} selects, does not exist");
        }
    }
}

#[test]
fn every_declared_metric_has_a_panel_of_its_own_and_no_two_overlap() {
    let files = generated(&settings());
    let dashboard: Value = serde_json::from_str(&files["grafana-dashboard.json"]).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    for declared in DECLARED {
        let is_its = |panel: &&Value| {
            panel["description"] == declared.description
                && panel["title"].as_str().is_some_and(|title| title.starts_with(declared.name))
                && declared.tag.is_none_or(|tag| panel["title"].to_string().contains(tag))
        };
        assert!(panels.iter().any(|panel| is_its(&panel)), "{} has no panel", declared.name);
    }
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| {
            panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{panel} has no {key}"))
        });
        assert!(x + w <= 24, "{panel} is too far to the right");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{panel} overlaps another");
        }
        assert!(ids.insert(panel["id"].as_u64()), "{panel} has the id of another");
    }
}

#[test]
fn every_alert_is_tested_where_it_fires_and_where_it_does_not() {
    let files = generated(&settings());
    let alerts = yaml(&files["ast-server.alerts.yml"]);
    let tests = yaml(&files["ast-server.tests.yml"]);
    let tests: Vec<_> = tests["tests"].as_array().expect("tests").iter().collect();
    for rule in alerts["groups"][0]["rules"].as_array().expect("rules") {
        let expected = tests.iter().filter_map(|test| {
            let test = &test["alert_rule_test"][0];
            (test["alertname"] == rule["alert"]).then(|| test["exp_alerts"].as_array())
        });
        let expected: Vec<_> = expected.map(|alerts| alerts.map(Vec::len)).collect();
        assert_eq!(expected, [Some(1), Some(0)], "{}", rule["alert"]);
    }
}

#[test]
fn settings_reach_the_files_and_spans_follow_the_interval() {
    let mut settings = settings();
    settings.targets = vec!["a:1".to_owned(), "b:2".to_owned()];
    settings.scrape_interval = Duration::from_secs(1);
    settings.alertmanagers = vec!["c:3".to_owned()];
    settings.token_file = Some("/etc/a \"b\": #c".into());
    let files = generated(&settings);
    let config = yaml(&files["prometheus.yml"]);
    let scrape = &config["scrape_configs"][0];
    assert_eq!(scrape["static_configs"][0]["targets"], serde_json::json!(["a:1", "b:2"]));
    assert_eq!(scrape["authorization"]["credentials_file"], "/etc/a \"b\": #c");
    assert_eq!(config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"][0], "c:3");
    assert_eq!(config["global"]["scrape_interval"], "1s");
    assert_eq!(config["global"]["scrape_timeout"], "1s");
    let config: toml::Table = files["ast-server.toml"].parse().expect("TOML");
    assert_eq!(config["metrics-token-file"].as_str(), Some("/etc/a \"b\": #c"));
    let mut found = Vec::new();
    strings(&yaml(&files["ast-server.rules.yml"]), &mut found);
    assert!(found.iter().any(|text| text.contains("[20s]")));
    assert!(!found.iter().any(|text| text.contains("[5m]")));
}

#[test]
fn work_that_was_put_into_a_file_is_not_overwritten_unasked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("made/for/it");
    let first = deploy(&folder, &[]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let printed = String::from_utf8(first.stdout).expect("UTF-8");
    let generated = generated(&settings());
    assert_eq!(printed.lines().count(), generated.len());
    assert_eq!(deploy(&folder, &[]).status.code(), Some(0), "as it was written: no question");

    let changed = folder.join("ast-server.alerts.yml");
    fs::write(&changed, "groups: []\n").expect("written");
    let refused = deploy(&folder, &["--target", "a:1"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("--force"), "{}", stderr(&refused));
    let there = |name: &str| fs::read_to_string(folder.join(name)).expect("a file");
    assert_eq!(there("ast-server.alerts.yml"), "groups: []\n");
    assert_eq!(there("prometheus.yml"), generated["prometheus.yml"], "all or none");

    assert_eq!(deploy(&folder, &["--force"]).status.code(), Some(0));
    assert_eq!(there("ast-server.alerts.yml"), generated["ast-server.alerts.yml"]);
    let left = fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(left, generated.len(), "nothing else is left");
}

#[test]
fn what_is_no_plain_file_is_neither_read_nor_waited_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("prometheus.yml");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let refused = deploy(folder.path(), &[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = stderr(&refused);
    assert!(told.contains("prometheus.yml") && told.contains("--force"), "{told}");
    assert_eq!(deploy(folder.path(), &["--force"]).status.code(), Some(0));
    assert!(fs::metadata(&pipe).expect("a file").is_file(), "it takes its place");
}

#[test]
fn arguments_that_prometheus_would_refuse_are_refused_here() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (arguments, told) in [
        (["--target", "localhost"], "localhost:9464"),
        (["--target", "http://a:1"], "localhost:9464"),
        (["--alertmanager", ":9093"], "localhost:9464"),
        (["--scrape-interval", "0s"], "at least 1ms and at most 15m"),
        (["--scrape-interval", "10us"], "at least 1ms and at most 15m"),
        (["--scrape-interval", "1500us"], "whole milliseconds"),
        (["--scrape-interval", "1d"], "at most 15m"),
        (["--scrape-interval", "soon"], "such as 15s, at least 1ms and at most 15m"),
    ] {
        let refused = deploy(folder.path(), &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    }
}
