//! The program itself: what it prints, and its exit codes.

mod common;

use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tachograph");
    Command::new(program).args(arguments).output().expect("it starts")
}

/// Its exit code and what it printed: to standard output, to standard error.
fn told(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

const RULES: &str = r#"
[[rule]]
name = "HighLatency"
metric = "event.processing.duration"
statistic = "p95"
last = "30s"
op = ">"
threshold = "100ms"
until = "80ms"
for = "5s"
message = "p95 is {value}, above {threshold}"

[[rule]]
name = "Loss"
metric = "udp.packet.dropped"
statistic = "increase"
last = "1m"
op = ">"
threshold = 100
tags = { port = ["1", "2.5"] }
"#;

#[test]
fn check_tells_every_error_with_its_place_and_ends_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let right = written(folder.path(), "right.toml", RULES);
    let (code, out, err) = told(&["check", &right]);
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(out.contains("2 rules"), "{out}");

    let wrong = RULES.replace("\"p95\"", "\"p96\"").replace("\"1m\"", "\"1x\"");
    let wrong = written(folder.path(), "wrong.toml", &wrong);
    let (code, _, err) = told(&["check", &right, &wrong]);
    assert_eq!(code, Some(1));
    assert!(err.contains("wrong.toml:5:13: ") && err.contains("wrong.toml:17:8: "), "{err}");

    let (code, _, err) = told(&["check", "nowhere.toml"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[test]
fn check_of_a_recording_knows_kinds_and_missing_metrics() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("run.jsonl");
    common::write(&recording, 60, 1).expect("written");
    let recording = recording.display().to_string();
    let misfit = RULES.replace("\"event.processing.duration\"", "\"events.processed\"");
    let misfit = written(folder.path(), "misfit.toml", &misfit);
    assert_eq!(told(&["check", &misfit]).0, Some(0), "the metric is unknown");
    let (code, _, err) = told(&["check", &misfit, "--of", &recording]);
    assert_eq!(code, Some(1));
    assert!(err.contains("`events.processed` is a counter"), "{err}");
    let unknown = RULES.replace("udp.packet.dropped", "udp.packet.mislaid");
    let unknown = written(folder.path(), "unknown.toml", &unknown);
    let (code, out, _) = told(&["check", &unknown, "--of", &recording]);
    assert_eq!(code, Some(0));
    assert!(out.contains("`udp.packet.mislaid`, which the program does not have yet"), "{out}");
}

#[test]
fn rules_are_written_for_prometheus_with_what_differs_beside_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = written(folder.path(), "rules.toml", RULES);
    let (code, out, _) = told(&["rules", "--prometheus", &rules]);
    assert_eq!(code, Some(0));
    let quantile = r#"expr: "histogram_quantile(0.95, sum(rate(event_processing_duration_seconds[30s]))) > 0.1""#;
    assert!(out.contains(quantile), "{out}");
    let increase =
        r#"sum by (port) (increase(udp_packet_dropped_total{port=~\"1|2\\\\.5\"}[60s])) > 100"#;
    assert!(out.contains(increase), "{out}");
    for said in ["no hysteresis", "extrapolates", "for: 5s", "{{ $value }}"] {
        assert!(out.contains(said), "{said}: {out}");
    }
}

#[test]
fn doctor_ends_with_1_where_it_finds_something() {
    let folder = tempfile::tempdir().expect("a folder");
    let (calm, grown) = (folder.path().join("calm.jsonl.gz"), folder.path().join("grown.jsonl.gz"));
    common::write(&calm, 20, 1).expect("written");
    // The slow seconds are among the last minute's.
    common::write(&grown, 120, 1).expect("written");
    let (code, out, _) = told(&["doctor", &calm.display().to_string()]);
    assert_eq!((code, out.contains("no findings")), (Some(0), true), "{out}");
    let (code, out, _) = told(&["doctor", &grown.display().to_string()]);
    assert_eq!(code, Some(1));
    assert!(out.contains("bad: the tail of `event.processing.duration` grew"), "{out}");
    assert!(out.contains("try: "), "{out}");
    let (code, out, _) = told(&["doctor", "--json", &grown.display().to_string()]);
    let found: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &found[0]["severity"]), (Some(1), &"bad".into()));
}

#[test]
fn wrong_commands_and_input_end_with_2_and_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let torn = written(folder.path(), "torn.jsonl", "{\"frame\":{}}\n");
    let there = written(folder.path(), "there.jsonl", "x");
    let token = written(folder.path(), "token", "\n");
    let cases: [(&[&str], &str); 8] = [
        (&[], "Usage"),
        (&["look"], "Usage"),
        (&["doctor", "nowhere.jsonl"], "HOST:PORT"),
        (&["doctor", &torn], "line 1 of the recording"),
        (&["doctor", "https://localhost:1"], "ssh -L"),
        (&["record", "127.0.0.1:1", "-o", &there], "--force"),
        (&["doctor", "127.0.0.1:1", "--token-file", &token], "its first line is empty"),
        (&["top", &torn], "top` needs a terminal"),
    ];
    for (arguments, wanted) in cases {
        let (code, _, err) = told(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(err.contains(wanted), "{arguments:?}: {err}");
    }
    let (code, out, _) = told(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("doctor") && out.contains("Exit codes"), "{out}");
}

#[test]
fn a_program_that_is_not_there_ends_with_1_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.jsonl.gz");
    let name = file.display().to_string();
    let place = folder.path().join("place").display().to_string();
    let cases: [&[&str]; 3] = [
        &["record", "127.0.0.1:1", "-o", &name],
        &["doctor", "127.0.0.1:1"],
        &["deploy", "127.0.0.1:1", &place],
    ];
    for arguments in cases {
        let (code, _, err) = told(arguments);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("is the program running there?"), "{err}");
    }
    assert!(!file.exists());
}
