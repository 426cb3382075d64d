//! `tachograph report`: what it writes, what it compares, and what it says of wrong input.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use tachograph_history::file::Reader;
use tachograph_history::{Line, Meta};

/// The exit code, standard output, standard error.
fn run(arguments: &[&Path]) -> (Option<i32>, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tachograph"));
    let output = program.arg("report").args(arguments).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A text inside a report.
fn inside(html: &str, name: &str) -> String {
    let begin = format!("<script type=\"application/gzip\" id=\"{name}\">");
    let rest = html.split_once(&begin).unwrap_or_else(|| panic!("no {name}")).1;
    let packed = rest.split_once('<').expect("its end").0;
    // Base 64 by its definition.
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = packed.trim_end_matches('=').chars().map(|it| letters.find(it).expect("a letter"));
    let values: Vec<usize> = values.collect();
    let bytes = values.chunks(4).flat_map(|chunk| {
        let word = chunk.iter().fold(0, |word, it| (word << 6) | it) << (6 * (4 - chunk.len()));
        [word >> 16, word >> 8, word].map(|it| it as u8).into_iter().take(chunk.len() - 1)
    });
    std::io::read_to_string(GzDecoder::new(&*bytes.collect::<Vec<_>>())).expect("gzip")
}

fn lines(text: &str) -> (Meta, Vec<Line>) {
    let all: Result<Vec<_>, _> = Reader::new(text.as_bytes()).collect();
    let all = all.expect("a recording");
    let Line::Meta(meta) = all[0].clone() else { panic!("{:?}", all[0]) };
    (meta, all)
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn written(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).expect("written");
        self.path(name)
    }

    fn recorded(&self, name: &str, seconds: u64, seed: u64) -> (PathBuf, common::Known) {
        let known = common::write(&self.path(name), seconds, seed).expect("written");
        (self.path(name), known)
    }
}

#[test]
fn a_report_has_every_sample_of_the_recording_in_it() {
    let files = Files::new();
    let (recording, known) = files.recorded("run.jsonl.gz", 120, 1);
    let html = files.path("report.html");
    let (code, out, err) = run(&[&recording, "-o".as_ref(), &html]);
    assert_eq!((code, &*out), (Some(0), ""), "{err}");
    assert!(err.contains("report.html, ") && err.contains("open it in a browser"), "{err}");
    let html = fs::read_to_string(html).expect("written");
    let (meta, all) = lines(&inside(&html, "recording"));
    assert_eq!((&*meta.program, meta.step_ms), ("ast-server", 1_000));
    let number = all.iter().find_map(|line| match line {
        Line::Series(it) if &*it.key == common::LATENCY => Some(it.number),
        _ => None,
    });
    let steps = all.iter().filter_map(|line| match line {
        Line::Frame(frame) => frame.timing(number.expect("defined")),
        _ => None,
    });
    let (count, max) = steps.fold((0, 0f64), |(n, max), it| (n + it.count, max.max(it.max)));
    assert_eq!(count, known.samples.len() as u64);
    assert!((max / known.quantile(1.0) - 1.0).abs() < 0.0005);
    let facts: serde_json::Value = serde_json::from_str(&inside(&html, "report")).expect("JSON");
    assert_eq!(facts["run"]["frames"], 120);
    assert_eq!(facts["run"]["notes"], serde_json::json!([]));
    // The slow seconds are among the last minute's: the doctor's finding is in the report.
    assert!(facts["doctor"]["findings"][0]["title"].as_str().expect("found").contains("tail"));
    assert!(facts["comparison"].is_null() && !html.contains("id=\"before\""));
}

#[test]
fn every_view_of_a_recording_with_gaps_and_restarts_has_the_same_counts() {
    let files = Files::new();
    let meta = |started: u64| {
        format!(
            r#"{{"meta":{{"format":1,"program":"a","version":"1","started_ms":{started},"step_ms":1000}}}}"#
        ) + "\n"
    };
    let series = r#"{"series":{"number":0,"key":"c","name":"c","kind":"counter"}}
{"series":{"number":1,"key":"t","name":"t","kind":"timing","unit":"seconds"}}
"#;
    let mut version = 0;
    let mut frame = |end: u64, span: u64, marks: &str, n: u64| {
        version += 1;
        format!(
            r#"{{"frame":{{"version":{version},"end_ms":{end}000,"span_ms":{span}000,"marks":[{marks}],"counters":[[0,{n}]],"timings":[[1,{{"count":{n},"sum":1,"min":1,"max":1,"buckets":[[0,{n}]]}}]]}}}}"#
        ) + "\n"
    };
    let first = [
        frame(1, 1, r#""start""#, 5),
        frame(2, 1, "", 100),
        frame(8, 6, r#""gap""#, 937),
        frame(9, 1, "", 100),
    ];
    // Without a mark in the file: the meta line tells of the restart.
    let second = [frame(20, 1, "", 40), frame(21, 1, r#""reset""#, 3), frame(22, 1, "", 100)];
    let right = 5 + 100 + 937 + 100 + 40 + 3 + 100;
    let text = meta(1) + series + &first.concat() + &meta(2) + series + &second.concat();
    let recording = files.written("run.jsonl", text.as_bytes());
    let other = files.written("old.jsonl", (meta(1) + series + &first.concat()).as_bytes());

    let (code, out, err) = run(&[&recording, "--text".as_ref()]);
    assert_eq!(code, Some(0), "{err}");
    for key in ["c", "t"] {
        let line = out.lines().find(|line| line.starts_with(&format!("{key} "))).expect("a line");
        let cells: Vec<_> = line.split_whitespace().collect();
        // 300 in three seconds without marks.
        assert_eq!(cells[1..4], [right.to_string().as_str(), "100", "/s"], "{out}");
    }
    let (_, out, _) = run(&[&recording, "--against".as_ref(), &other, "--text".as_ref()]);
    let counts = format!("1142 → {right}");
    assert_eq!(out.matches(&counts).count(), 5, "{counts}: {out}");

    let html = files.path("report.html");
    assert_eq!(run(&[&recording, "-o".as_ref(), &html]).0, Some(0));
    let (_, all) = lines(&inside(&fs::read_to_string(html).expect("written"), "recording"));
    let frames = all.iter().filter_map(|it| if let Line::Frame(it) = it { Some(it) } else { None });
    let sums = frames.fold((0, 0), |sum, it| {
        let timing = it.timing(1).map_or(0, |it| it.count);
        (sum.0 + it.counter(0).unwrap_or(0), sum.1 + timing)
    });
    assert_eq!(sums, (i128::from(right), right));
}

const LOSS: &str = "[[rule]]\nname = \"Loss\"\nmetric = \"udp.packet.dropped\"\n\
    statistic = \"increase\"\nlast = \"10s\"\nop = \">\"\nthreshold = 5\nfor = \"5s\"\n";

#[test]
fn a_report_has_the_alerts_that_rules_give_over_the_recording() {
    let files = Files::new();
    // A packet is dropped in each of the frames that end 81 to 100 s after the beginning.
    let (recording, _) = files.recorded("run.jsonl.gz", 120, 1);
    let rules = files.written("rules.toml", LOSS.as_bytes());
    let html = files.path("report.html");
    let (code, _, err) = run(&[&recording, "--rules".as_ref(), &rules, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0), "{err}");
    let facts = inside(&fs::read_to_string(&html).expect("written"), "report");
    let facts: serde_json::Value = serde_json::from_str(&facts).expect("JSON");
    let alerts = &facts["alerts"];
    // Six of ten seconds at 86, five of ten at 105; newest first.
    let changes: Vec<_> = alerts["changes"].as_array().expect("changes").iter().collect();
    let told = changes.iter().map(|it| {
        let at = (it["at"].as_f64().expect("a time") * 1e3) as u64 - common::START_MS;
        (at / 1_000, it["from"].as_str().expect("a state"), it["to"].as_str().expect("a state"))
    });
    let wanted =
        [(105, "firing", "inactive"), (91, "pending", "firing"), (86, "inactive", "pending")];
    assert_eq!(told.collect::<Vec<_>>(), wanted);
    assert_eq!(
        (&alerts["rules"][0]["name"], &alerts["rules"][0]["for"]),
        (&"Loss".into(), &5.0.into())
    );
    assert_eq!(alerts["rules"][0]["alerts"][0]["state"], "inactive", "at the end");
    assert_eq!(alerts["at"].as_f64().map(|at| at as u64), Some(common::START_MS / 1_000 + 120));

    // The table tells the same; without rules, nothing is said of alerts.
    let (code, out, _) = run(&[&recording, "--rules".as_ref(), &rules, "--text".as_ref()]);
    assert_eq!(code, Some(0));
    for line in ["T11:01:31Z  firing    Loss: ", "Loss: fired once, for 14 s in all"] {
        assert!(out.contains(line), "{out}");
    }
    let (_, out, _) = run(&[&recording, "--text".as_ref()]);
    assert!(!out.contains("alerts") && !out.contains("Loss"), "{out}");
    let (_, _, err) = run(&[&recording, "-o".as_ref(), &html, "--force".as_ref()]);
    let facts = inside(&fs::read_to_string(&html).expect("written"), "report");
    let facts: serde_json::Value = serde_json::from_str(&facts).expect("JSON");
    assert!(facts["alerts"].is_null(), "{err}");

    // Wrong rules are told with their place, before anything is written.
    let wrong = LOSS.replace("udp.packet.dropped", common::LATENCY);
    let wrong = files.written("wrong.toml", wrong.as_bytes());
    let other = files.path("other.html");
    let (code, _, err) = run(&[&recording, "--rules".as_ref(), &wrong, "-o".as_ref(), &other]);
    assert!(code == Some(2) && err.contains("wrong.toml:") && !other.exists(), "{err}");
}

#[test]
fn two_runs_are_compared_as_their_sorted_samples_are() {
    let files = Files::new();
    let (before, earlier) = files.recorded("before.jsonl", 300, 8);
    let (after, later) = files.recorded("after.jsonl", 60, 1);
    let html = files.path("report.html");
    let (code, _, err) = run(&[&after, "--against".as_ref(), &before, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0), "{err}");
    let html = fs::read_to_string(html).expect("written");
    assert_eq!(
        lines(&inside(&html, "before")).1.len() - lines(&inside(&html, "recording")).1.len(),
        240
    );
    let facts: serde_json::Value = serde_json::from_str(&inside(&html, "report")).expect("JSON");
    let changes = facts["comparison"]["changes"].as_array().expect("changes");
    let of = |key: &str, measure: &str| {
        let found = changes.iter().find(|it| it["key"] == key && it["measure"] == measure);
        found.unwrap_or_else(|| panic!("{key} {measure}")).clone()
    };
    for (measure, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        let change = of(common::LATENCY, measure);
        for (side, known) in [("before", &earlier), ("after", &later)] {
            let number = |name: &str| change[side][name].as_f64();
            let right = known.quantile(q);
            assert!((number("value").expect("samples") / right - 1.0).abs() < 0.046, "{change}");
            let is_inside = number("low").is_none_or(|it| it <= right * 1.001)
                && number("high").is_none_or(|it| it >= right / 1.001);
            assert!(is_inside && change[side]["count"] == known.samples.len(), "{change}");
        }
    }
    // A third of the short run is slow, a fifteenth of the long one. Rates are the same.
    assert_eq!(of("events.processed", "rate")["is_sure"], false);
    // No rate is of the first frame, which holds all that was before it.
    let later = later.later();
    let rate = of("events.processed", "rate")["after"]["value"].as_f64().expect("a rate");
    assert!((rate - later.counts["events.processed"] as f64 / 59.0).abs() < 1e-9, "{rate}");
    let (code, out, _) = run(&[&after, "--against".as_ref(), &before, "--text".as_ref()]);
    assert_eq!(code, Some(0));
    let rows = changes.iter().map(|it| it["key"].as_str().expect("a key"));
    let told: Vec<_> = out.lines().skip(4).filter_map(|it| it.split_whitespace().next()).collect();
    assert_eq!(
        told[..changes.len()],
        rows.collect::<Vec<_>>(),
        "the same in the same order: {out}"
    );
}

#[test]
fn a_table_has_the_numbers_of_all_series() {
    let files = Files::new();
    let (recording, known) = files.recorded("run.jsonl", 30, 3);
    let (code, out, err) = run(&[&recording, "--text".as_ref()]);
    assert_eq!((code, &*err), (Some(0), ""));
    assert!(out.contains("ast-server 0.1.0, 30 s from 2025-11-30T11:00:00Z"), "{out}");
    let line = out.lines().find(|it| it.starts_with("events.processed ")).expect("a line");
    let cells: Vec<_> = line.split_whitespace().collect();
    assert_eq!(cells[1], known.counts["events.processed"].to_string());
    let line = out.lines().find(|it| it.starts_with("event.processing.duration ")).expect("a line");
    assert!(line.contains(&known.samples.len().to_string()) && line.contains("µs"), "{line}");
}

#[test]
fn what_is_cut_or_merged_is_told_in_the_report() {
    let files = Files::new();
    let (recording, _) = files.recorded("run.jsonl", 20, 1);
    let bytes = fs::read(recording).expect("read");
    let cut = files.written("cut.jsonl", &bytes[..bytes.len() - 100]);
    let html = files.path("cut.html");
    let (code, _, err) = run(&[&cut, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0));
    assert!(err.contains("cut.jsonl: it is cut"), "{err}");
    let facts = inside(&fs::read_to_string(html).expect("written"), "report");
    assert!(facts.contains("it is cut") && facts.contains("\"frames\":19"), "{facts}");

    // 24 MiB of frames: the same second again and again.
    let text = String::from_utf8(bytes).expect("text");
    let (head, frames): (Vec<_>, Vec<_>) =
        text.lines().partition(|it| !it.starts_with("{\"frame\""));
    let Line::Frame(frame) = serde_json::from_str(frames[10]).expect("a frame") else { panic!() };
    let mut long = head.join("\n") + "\n";
    let mut at = 0;
    while long.len() < 24 << 20 {
        at += 1;
        let end_ms = common::START_MS + at * 1_000;
        long += &tachograph_history::Frame { version: at, end_ms, ..frame.clone() }.to_line();
    }
    let long = files.written("long.jsonl", long.as_bytes());
    let html = files.path("long.html");
    let (code, _, err) = run(&[&long, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("its frames of 1 s are merged to 2 s"), "{err}");
    let held = inside(&fs::read_to_string(html).expect("written"), "recording");
    assert!(held.len() <= (16 << 20) + 200, "{}", held.len());
    let (meta, all) = lines(&held);
    let spans = all.iter().map(|it| if let Line::Frame(frame) = it { frame.span_ms } else { 0 });
    assert_eq!((meta.step_ms, spans.sum::<u64>()), (2_000, at * 1_000));
}

#[test]
fn wrong_input_is_told_with_its_file_and_the_way_out() {
    let files = Files::new();
    let (recording, _) = files.recorded("run.jsonl.gz", 3, 1);
    let empty = files.written("empty.jsonl", b"");
    let other = files.written("other.jsonl", b"\x7fELF\x02\x01\n\x00");
    let meta = files.written("meta.jsonl", b"{\"meta\":{\"format\":1,\"program\":\"p\",\"version\":\"1\",\"started_ms\":0,\"step_ms\":1000}}\n");
    let there = files.written("there.html", b"x");
    let (nowhere, html) = (files.path("nowhere.jsonl"), files.path("report.html"));
    let [o, against, force]: [&Path; 3] = ["-o", "--against", "--force"].map(Path::new);
    let device = files.path("device.html");
    std::os::unix::fs::symlink("/dev/null", &device).expect("a link");
    let cases: [(&[&Path], i32, &[&str]); 10] = [
        (&[&recording, o, &device, force], 2, &["device.html is no plain file"]),
        (&[&empty, o, &html], 2, &["empty.jsonl", "is empty", "tachograph record"]),
        (&[&other, o, &html], 2, &["other.jsonl", "no recording", "tachograph record"]),
        (&[&meta, o, &html], 2, &["meta.jsonl", "no frames", "longer than one step"]),
        (&[&nowhere, o, &html], 2, &["nowhere.jsonl"]),
        (&[&recording], 2, &["--output"]),
        (&[&recording, o, &there], 2, &["there.html already exists", "--force"]),
        (&[&recording, against, &recording, o, &html], 2, &["compared with itself", "--against"]),
        (&[&recording, o, &recording, force], 2, &["run.jsonl.gz is a recording"]),
        (&[&recording, o, &files.path("no/report.html")], 1, &["no/report.html", "its folder"]),
    ];
    for (arguments, wanted, told) in cases {
        let (code, out, err) = run(arguments);
        assert_eq!((code, &*out), (Some(wanted), ""), "{arguments:?}: {err}");
        assert!(told.iter().all(|it| err.contains(it)), "{arguments:?}: {err}");
    }
    assert!(device.is_symlink(), "it still leads to the device");
    assert!(!html.exists() && fs::read(&there).expect("kept") == b"x");
    assert_eq!(run(&[&recording, o, &there, force]).0, Some(0));
    assert!(fs::read_to_string(&there).expect("written").contains("</html>"));
    let left = fs::read_dir(files.0.path()).expect("the folder").count();
    assert_eq!(left, 6, "nothing half written is left");
}

/// A recording of text: the meta line of a program that started then, and other lines.
fn started(ms: u64, lines: &[String]) -> String {
    let meta = format!(
        r#"{{"meta":{{"format":1,"program":"p","version":"1","started_ms":{ms},"step_ms":1000}}}}"#
    );
    std::iter::once(&meta).chain(lines).map(|line| line.clone() + "\n").collect()
}

fn defined(kind: &str) -> String {
    format!(r#"{{"series":{{"number":0,"key":"x","name":"x","kind":"{kind}"}}}}"#)
}

#[test]
fn a_series_that_is_of_another_kind_after_a_restart_is_another_series() {
    let frame = |at: u64, list: &str| {
        format!(r#"{{"frame":{{"version":{at},"end_ms":{at}000,"span_ms":1000,{list}}}}}"#)
    };
    let mut counters = (1..=12).map(|at| frame(at, r#""counters":[[0,7]]"#));
    let gauge = r#""gauges":[[0,{"current":3.5,"mean":3.5,"count":1,"min":3.5,"max":3.5}]]"#;
    let mut gauges = (20..=32).map(|at| frame(at, gauge));
    let process = |kind: &str, frames: &mut dyn Iterator<Item = String>| {
        std::iter::once(defined(kind)).chain(frames).collect::<Vec<_>>()
    };
    let text = started(1, &process("counter", &mut counters))
        + &started(2, &process("gauge", &mut gauges));
    let files = Files::new();
    let recording = files.written("run.jsonl", text.as_bytes());
    let html = files.path("report.html");
    let (code, _, err) = run(&[&recording, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0), "{err}");
    // `lines` refuses frames that do not fit their definitions.
    let (_, all) = lines_of(&html);
    let kinds: Vec<_> = all
        .iter()
        .filter_map(|line| match line {
            Line::Series(it) => Some(it.kind.name()),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, ["counter", "gauge"]);
    let (_, out, _) = run(&[&recording, "--text".as_ref()]);
    let row = out.lines().find(|it| it.starts_with("x ")).expect("a line");
    assert!(row.ends_with("3.50"), "{row}");
}

fn lines_of(html: &Path) -> (Meta, Vec<Line>) {
    lines(&inside(&fs::read_to_string(html).expect("written"), "recording"))
}

#[test]
fn times_that_no_calendar_has_are_told() {
    let frame = r#"{"frame":{"version":1,"end_ms":18000000000000000000,"span_ms":1000}}"#;
    let files = Files::new();
    let recording = files.written("run.jsonl", started(1, &[frame.to_owned()]).as_bytes());
    let (code, out, err) = run(&[&recording, "--text".as_ref()]);
    assert_eq!((code, &*err), (Some(0), ""));
    assert!(out.contains("1 s from 9999-12-31T23:59:59Z"), "{out}");
}

#[cfg(unix)]
#[test]
fn a_report_tells_the_name_of_its_recording_but_not_its_folder() {
    use std::os::unix::ffi::OsStrExt;

    let files = Files::new();
    let folder = files.path("private");
    fs::create_dir(&folder).expect("made");
    let recording = folder.join(std::ffi::OsStr::from_bytes(b"run\xff.jsonl"));
    common::write(&recording, 12, 1).expect("written");
    let html = files.path("report.html");
    let (code, _, err) = run(&[&recording, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0), "{err}");
    let html = fs::read_to_string(html).expect("written");
    let facts = inside(&html, "report");
    let facts: serde_json::Value = serde_json::from_str(&facts).expect("JSON");
    assert_eq!(facts["run"]["file"], "run\u{fffd}.jsonl");
    assert!(!html.contains("private") && !facts.to_string().contains("private"));
}

#[cfg(unix)]
#[test]
fn writing_a_report_touches_nothing_else() {
    let files = Files::new();
    let (recording, _) = files.recorded("run.jsonl", 12, 1);
    let kept = files.written("kept", b"mine");
    let html = files.path("report.html");
    let part = files.path("report.html.part");
    std::os::unix::fs::symlink(&kept, &part).expect("linked");
    let (code, _, err) = run(&[&recording, "-o".as_ref(), &html]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(fs::read(&kept).expect("there"), b"mine");
    assert!(part.is_symlink(), "somebody else's file");
    assert_eq!(fs::read_dir(files.0.path()).expect("the folder").count(), 4);
}

#[test]
fn a_count_is_that_of_the_quantiles_beside_it() {
    let frame = |at: u64, marks: &str| {
        let step = r#"{"count":5,"sum":5.0,"min":1.0,"max":1.0,"buckets":[[0,5]]}"#;
        format!(
            r#"{{"frame":{{"version":{at},"end_ms":{at}000,"span_ms":1000,"marks":[{marks}],"timings":[[0,{step}]]}}}}"#
        )
    };
    let frames = [defined("timing"), frame(1, ""), frame(2, r#""gap""#), frame(3, "")];
    let files = Files::new();
    let recording = files.written("run.jsonl", started(1, &frames).as_bytes());
    let (code, out, err) = run(&[&recording, "--text".as_ref()]);
    assert_eq!(code, Some(0), "{err}");
    let row = out.lines().find(|it| it.starts_with("x ")).expect("a line");
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!((cells[1], cells[2]), ("15", "5"), "{row}");
}
