//! Every setting at its least, at 0, at 1 and at its greatest: files that can be parsed, or a
//! refusal with the reason.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tachograph::MetricsCollector;
use tachograph_deploy::{Metric, Own, Settings, files};

type Setting = Box<dyn Fn(&mut Settings)>;

fn all() -> Vec<(&'static str, Vec<(bool, Setting)>)> {
    fn each<T: Clone + 'static>(
        values: impl IntoIterator<Item = (bool, T)>,
        set: fn(&mut Settings, T),
    ) -> Vec<(bool, Setting)> {
        let setting = |value: T| Box::new(move |it: &mut Settings| set(it, value.clone())) as _;
        values.into_iter().map(|(is_good, value)| (is_good, setting(value))).collect()
    }
    let jobs = [(false, 0), (true, 1), (true, 200), (false, 201)];
    let mut jobs: Vec<_> = jobs.map(|(is_good, length)| (is_good, "j".repeat(length))).into();
    jobs.push((false, "a/b".to_owned()));
    let (least, most) = (Duration::from_millis(1), Duration::from_secs(900));
    let intervals = [
        (false, Duration::ZERO),
        (false, Duration::from_nanos(1)),
        (true, least),
        (true, most),
        (false, most + least),
        (false, Duration::MAX),
    ];
    let addresses = [
        (true, Vec::new()),
        (false, vec![String::new()]),
        (false, vec!["a:0".to_owned()]),
        (true, vec!["a:1".to_owned()]),
        (true, vec!["a:65535".to_owned(); 1_000]),
        (false, vec!["a:65536".to_owned()]),
    ];
    let commands = [(true, ""), (true, "\"': {"), (false, "a\nb: c"), (false, "\0")];
    vec![
        ("job", each(jobs, |it, job| it.job = job)),
        ("command", each(commands, |it, command| it.command = command.to_owned())),
        ("targets", each(addresses.clone(), |it, targets| it.targets = targets)),
        ("scrape_interval", each(intervals, |it, every| it.scrape_interval = every)),
        ("alertmanagers", each(addresses, |it, alertmanagers| it.alertmanagers = alertmanagers)),
        (
            "token_file",
            each([(true, None), (true, Some("")), (true, Some("\"\n: #"))], |it, file| {
                it.token_file = file.map(PathBuf::from);
            }),
        ),
        ("own", each([(true, Own::default())], |it, own| it.own = own)),
    ]
}

#[test]
fn no_setting_is_left_out() {
    let source = include_str!("../src/settings.rs");
    let fields = source.lines().filter_map(|line| line.strip_prefix("    pub "));
    let fields: Vec<_> = fields.filter_map(|field| Some(field.split_once(": ")?.0)).collect();
    let known: Vec<_> = all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(known, fields, "a setting without its extremes");
}

#[test]
fn files_are_whole_with_every_setting_or_it_is_refused_with_the_reason() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.increment("taken");
    metrics.timing("turn", Duration::from_millis(1));
    let metrics = Metric::all(&metrics.get_all_metrics());
    for (name, values) in all() {
        for (number, (is_good, set)) in values.into_iter().enumerate() {
            let mut settings = Settings::new("a", ["a:1"]);
            set(&mut settings);
            match files(&metrics, &settings) {
                Ok(files) => {
                    assert!(is_good, "{name}, value {number} is accepted");
                    for file in files {
                        let _: Option<Value> = match file.name.rsplit('.').next() {
                            Some("yml") => Some(yaml_serde::from_str(&file.content).expect("YAML")),
                            Some("json") => {
                                Some(serde_json::from_str(&file.content).expect("JSON"))
                            }
                            _ => None,
                        };
                    }
                }
                Err(refused) => {
                    let told = refused.to_string();
                    assert!(!is_good && told.len() > 20, "{name}, value {number}: {told}");
                }
            }
        }
    }
}
