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
fn check_of_a_file_without_rules_says_where_to_find_some() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in ["", "# [[rule]]\n"] {
        let empty = written(folder.path(), "empty.toml", text);
        let (code, out, err) = told(&["check", &empty]);
        assert_eq!((code, &*err), (Some(0), ""), "{out}");
        assert!(out.contains("no [[rule]]") && out.contains("check --example"), "{out}");
    }
    let (code, example, err) = told(&["check", "--example"]);
    assert_eq!((code, &*err), (Some(0), ""));
    let example = written(folder.path(), "example.toml", &example);
    let (code, out, err) = told(&["check", &example]);
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(out.contains("rules, all well-formed"), "{out}");
}

#[test]
fn a_job_that_is_no_name_is_wrong_usage() {
    for job in ["", "a b", "/", &"j".repeat(201)] {
        let (code, _, err) = told(&["deploy", "127.0.0.1:1", "out", "--job", job]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains("--job") && err.contains("letters, digits, `-` and `_`"), "{err}");
    }
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
    let unknown = RULES.replace("port =", "prot =");
    let unknown = written(folder.path(), "tag.toml", &unknown);
    let (code, out, _) = told(&["check", &unknown, "--of", &recording]);
    assert_eq!(code, Some(0));
    assert!(out.contains("note: ") && out.contains("tags that no series of `udp.pack"), "{out}");
}

#[test]
fn check_over_a_recording_tells_when_each_alert_would_have_fired() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("run.jsonl.gz");
    // A packet is dropped in each of the frames that end 81 to 100 s after 11:00.
    common::write(&recording, 120, 1).expect("written");
    let recording = recording.display().to_string();
    let loss = "[[rule]]\nname = \"Loss\"\nmetric = \"udp.packet.dropped\"\n\
                statistic = \"increase\"\nlast = \"10s\"\nop = \">\"\nthreshold = 5\n\
                for = \"5s\"\nlabels = { team = \"audio\" }\nmessage = \"{value} lost\"\n";
    let brief = loss.replace("Loss", "Brief").replace("\"5s\"", "\"15s\"");
    let never = loss.replace("Loss", "Never").replace("= 5\n", "= 10\n");
    let beat = "[[rule]]\nname = \"Beat\"\nstatistic = \"heartbeat\"\n";
    let rules = written(folder.path(), "rules.toml", &[loss, &brief, &never, beat].join("\n"));
    let (code, out, err) = told(&["check", &rules, "--over", &recording]);
    assert_eq!((code, &*err), (Some(1), ""), "{out}");
    // Six of ten seconds at 86, five of ten at 105: the window holds frames that end in it.
    let lines = [
        "2025-11-30T11:00:01Z  firing    Beat: its condition holds",
        "2025-11-30T11:01:26Z  pending   Loss[team=audio]: 6, the limit is 5",
        "2025-11-30T11:01:26Z  pending   Brief[team=audio]: 6, the limit is 5",
        "2025-11-30T11:01:31Z  firing    Loss[team=audio]: 10 lost",
        "2025-11-30T11:01:41Z  firing    Brief[team=audio]: 9 lost",
        "2025-11-30T11:01:45Z  resolved  Loss[team=audio]: after 14 s",
        "2025-11-30T11:01:45Z  resolved  Brief[team=audio]: after 4 s",
    ];
    let found: Vec<_> = out.lines().skip(1).take(lines.len()).collect();
    assert_eq!(found, lines, "{out}");
    for outcome in [
        "run.jsonl.gz: 120 frames, 2",
        "\nLoss: fired once, for 14 s in all\n",
        "\nNever: did not fire\n",
        "\nBeat: fired once, for 1.98 min in all, and fires at the end\n",
    ] {
        assert!(out.contains(outcome), "{outcome}: {out}");
    }
    let calm = written(folder.path(), "calm.toml", &[&never, beat].join("\n"));
    assert_eq!(told(&["check", &calm, "--over", &recording]).0, Some(0));
    let (code, _, err) = told(&["check", &calm, "--over", "nowhere.jsonl"]);
    assert_eq!((code, err.contains("nowhere.jsonl")), (Some(2), true), "{err}");
}

#[test]
fn check_over_a_recording_evaluates_rules_while_no_frame_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let meta = r#"{"meta":{"format":1,"program":"a","version":"1","started_ms":1,"step_ms":1000}}"#;
    let frame = |second: u64| {
        format!(r#"{{"frame":{{"version":{second},"end_ms":{second}000,"span_ms":1000}}}}"#)
    };
    let lines: Vec<_> = [1, 2, 3, 40, 41].into_iter().map(frame).collect();
    let recording = written(folder.path(), "gap.jsonl", &format!("{meta}\n{}\n", lines.join("\n")));
    let late = "[[rule]]\nname = \"Late\"\nstatistic = \"stale\"\nlast = \"10s\"\n";
    let rules = written(folder.path(), "rules.toml", late);
    let (code, out, err) = told(&["check", &rules, "--over", &recording]);
    assert_eq!((code, &*err), (Some(1), ""), "{out}");
    // More than 10 s after the frame of the third second.
    for line in [
        "1970-01-01T00:00:14Z  firing    Late: 11 s",
        "1970-01-01T00:00:40Z  resolved  Late: after 26 s",
    ] {
        assert!(out.contains(line), "{out}");
    }
    // Times that no calendar has are no reason to end.
    let never = format!("{meta}\n{}\n{}\n", frame(1), frame(18_000_000_000_000_000));
    let recording = written(folder.path(), "never.jsonl", &never);
    let (code, out, err) = told(&["check", &rules, "--over", &recording]);
    assert_eq!((code, &*err), (Some(1), ""), "{out}");
    assert!(out.contains("9999-12-31T23:59:59Z"), "{out}");
}

#[test]
fn check_over_a_recording_counts_through_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = |started: u64, first: u64, marks: &str, span: u64, counts: &[u64]| {
        let meta = format!(
            r#"{{"meta":{{"format":1,"program":"a","version":"1","started_ms":{started}000,"step_ms":1000}}}}"#
        );
        let define = r#"{"series":{"number":0,"key":"lost","name":"lost","kind":"counter"}}"#;
        let mut lines = format!("{meta}\n{define}\n");
        for (place, count) in counts.iter().enumerate() {
            let (version, end) = (place as u64 + 1, first + place as u64);
            let (marks, span) = if place == 0 { (marks, span) } else { ("", 1) };
            lines += &format!(
                r#"{{"frame":{{"version":{version},"end_ms":{end}000,"span_ms":{span}000,"marks":[{marks}],"counters":[[0,{count}]]}}}}"#
            );
            lines += "\n";
        }
        lines
    };
    // The first process counted 90 before the recording, then 2; the second one 4 in the five
    // seconds before its first frame, then 2.
    let text = process(1, 100, r#""start""#, 99, &[90, 1, 1])
        + &process(105, 110, r#""start""#, 5, &[4, 1, 1]);
    let recording = written(folder.path(), "run.jsonl", &text);
    let rules = |threshold: u64| {
        let rule = format!(
            "[[rule]]\nname = \"Loss\"\nmetric = \"lost\"\nstatistic = \"increase\"\n\
             last = \"1m\"\nop = \">=\"\nthreshold = {threshold}\n"
        );
        written(folder.path(), "rules.toml", &rule)
    };
    let (code, out, err) = told(&["check", &rules(8), "--over", &recording]);
    assert_eq!((code, &*err), (Some(1), ""), "{out}");
    assert!(out.contains("00:01:52Z  firing    Loss: 8, the limit is 8"), "{out}");
    assert_eq!(told(&["check", &rules(9), "--over", &recording]).0, Some(0), "not more than 8");
}

#[test]
fn two_files_with_a_rule_of_one_name_are_not_mixed_over_a_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("run.jsonl");
    common::write(&recording, 10, 1).expect("written");
    let recording = recording.display().to_string();
    let a = written(folder.path(), "a.toml", RULES);
    let b = written(folder.path(), "b.toml", &RULES.replace("HighLatency", "Other"));
    assert_eq!(told(&["check", &a, &b]).0, Some(0), "each is right");
    let (code, _, err) = told(&["check", &a, &b, "--over", &recording]);
    assert_eq!(code, Some(2), "{err}");
    assert!(["`Loss`", "a.toml", "b.toml"].iter().all(|it| err.contains(it)), "{err}");
}

#[test]
fn names_from_outside_do_not_command_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let meta = r#"{"meta":{"format":1,"program":"a","version":"1","started_ms":1,"step_ms":1000}}"#;
    let series =
        r#"{"series":{"number":0,"key":"a[t=\u001b]0;x\u0007]","name":"a","kind":"counter"}}"#;
    let frame = |at: u64| {
        format!(
            r#"{{"frame":{{"version":{at},"end_ms":{at}000,"span_ms":1000,"counters":[[0,1]]}}}}"#
        )
    };
    let text = format!("{meta}\n{series}\n{}\n{}\n", frame(1), frame(2));
    let recording = written(folder.path(), "run.jsonl", &text);
    let rule = "[[rule]]\nname = \"Ti\\u001bck\"\nmetric = \"a\"\nstatistic = \"increase\"\n\
                last = \"5s\"\nop = \">\"\nthreshold = 0\nmessage = \"\\u009b2J\"\n";
    let rules = written(folder.path(), "rules.toml", rule);
    for arguments in [
        &["report", &*recording, "--text"][..],
        &["check", &rules, "--over", &recording],
        &["check", &rules, "--of", &recording],
        &["doctor", &recording],
    ] {
        let (_, out, err) = told(arguments);
        let is_raw = |c: char| c.is_control() && c != '\n';
        assert!(!out.contains(is_raw) && !err.contains(is_raw), "{arguments:?}: {out:?} {err:?}");
    }
    let (_, out, _) = told(&["report", &recording, "--text"]);
    assert!(out.contains(r"a[t=\u{1b}]0;x\u{7}]"), "{out}");
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
    for said in [
        "no hysteresis",
        "extrapolates",
        "for: 5s",
        "{{ $value | humanizeDuration }}",
        "above 100 ms",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
}

#[test]
fn a_rate_or_an_increase_without_a_window_gets_one_in_promql() {
    let folder = tempfile::tempdir().expect("a folder");
    for (statistic, wanted) in [
        ("rate", "sum(rate(events_processed_total[300s])) > 1"),
        ("increase", "sum(increase(events_processed_total[86400s])) > 1"),
    ] {
        let rule = format!(
            "[[rule]]\nname = \"R\"\nmetric = \"events.processed\"\nstatistic = \"{statistic}\"\n\
             op = \">\"\nthreshold = 1\n"
        );
        let rules = written(folder.path(), "rules.toml", &rule);
        let (code, out, err) = told(&["rules", "--prometheus", &rules]);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains(wanted) && out.contains("# the rule has no `last`"), "{out}");
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
fn doctor_finds_the_alerts_that_fire_at_the_end_of_a_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("run.jsonl.gz");
    // A packet is dropped in each of the last 7 seconds.
    common::write(&recording, 20, 1).expect("written");
    let recording = recording.display().to_string();
    let loss = "[[rule]]\nname = \"Loss\"\nmetric = \"udp.packet.dropped\"\n\
                statistic = \"increase\"\nlast = \"30s\"\nop = \">\"\nthreshold = 6\n\
                message = \"{value} lost\"\n[[rule]]\nname = \"Beat\"\n\
                statistic = \"heartbeat\"\n";
    let rules = written(folder.path(), "rules.toml", loss);
    let (code, out, _) = told(&["doctor", &recording, "--rules", &rules]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.starts_with("warning: the alert `Loss` is firing\n  7 lost; now 7, limit 6"),
        "{out}"
    );
    assert!(!out.contains("Beat"), "{out}");
    let calm = written(folder.path(), "calm.toml", &loss.replace("= 6", "= 7"));
    let (code, out, _) = told(&["doctor", &recording, "--rules", &calm]);
    assert_eq!((code, out.contains("no alert fires at its end")), (Some(0), true), "{out}");
    let (code, _, err) = told(&["doctor", "127.0.0.1:1", "--rules", &calm]);
    assert_eq!((code, err.contains("--rules is for recordings")), (Some(2), true), "{err}");
}

#[test]
fn wrong_commands_and_input_end_with_2_and_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let torn = written(folder.path(), "torn.jsonl", "{\"frame\":{}}\n");
    let there = written(folder.path(), "there.jsonl", "x");
    let token = written(folder.path(), "token", "\n");
    let place = folder.path().display().to_string();
    let cases: [(&[&str], &str); 13] = [
        (&[], "Usage"),
        (&["look"], "Usage"),
        (&["report", "http://127.0.0.1:1", "--text"], "tachograph record URL -o FILE"),
        (&["report", &place, "--text"], "name the recording in this folder"),
        (&["doctor", &place], "name the recording in this folder"),
        (&["record", "127.0.0.1:1", "-o", "x", "--for", "-1"], "'-1' for '--for <TIME>'"),
        (&["deploy", "127.0.0.1:1", "x", "--scrape-interval", "-1"], "'--scrape-interval <TIME>'"),
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
