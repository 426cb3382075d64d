//! Every page at two sizes, from a recording with known samples, against the checked-in screens.
//!
//! After an intended change, run `TACHOGRAPH_BLESS=1 cargo test -p tachograph-cli --test screens`
//! and review the changes in `tests/screens`.

mod common;

use std::path::Path;
use std::time::Instant;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;
use tachograph_cli::Replay;
use tachograph_cli::top::{Alerts, Colours, Link, Model, Page, Theme, draw, press};
use tachograph_history::{Frame, Line, Settings, TimingStep};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

fn model() -> Model {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl.gz");
    common::write(&path, 180, 7).expect("written");
    let theme = Theme { colours: Colours::Palette, light: false };
    let mut model =
        Model::new("127.0.0.1:9464", Replay::read(&path).expect("read"), Link::Live, theme);
    model.now_ms = common::START_MS + 180_200;
    model.alerts = Some(alerts());
    model
}

/// An answer of `/alerts`.
fn alerts() -> Alerts {
    let since = (common::START_MS + 138_200) as f64 / 1e3;
    let json = serde_json::json!({
        "snapshot_version": 123, "at": since, "rules": [
            {"name": "HighLatency", "severity": "warning",
             "condition": "p95(event.processing.duration, last 30 s) > 100 ms", "for": 5.0,
             "runbook": null, "alerts": [
                {"labels": {}, "state": "firing", "value": 0.187, "value_text": "187 ms",
                 "threshold_text": "100 ms", "since": since, "last_change": since,
                 "series": "event.processing.duration",
                 "message": "p95 of event processing is 187 ms, above 100 ms", "exemplar": null}]},
            {"name": "PacketLoss", "severity": "warning", "condition": "loss > 1 %", "for": 5.0,
             "runbook": null, "alerts": [
                {"labels": {"port": "9002"}, "state": "inactive", "value": 0.0,
                 "value_text": "0 %", "threshold_text": "1 %", "since": null,
                 "last_change": null, "message": "", "exemplar": null}]}],
        "sinks": [{"name": "alertmanager", "delivered": 3, "failed": 0, "dropped": 0,
                   "waiting": 0, "last_delivery": since, "last_error": null}],
        "changes": [{"at": since, "rule": "HighLatency", "labels": {}, "from": "pending",
                     "to": "firing", "value_text": "187 ms"}],
    });
    serde_json::from_value(json).expect("as the contract has it")
}

fn keys(model: &mut Model, keys: &[KeyCode]) {
    for key in keys {
        press(model, KeyEvent::new(*key, KeyModifiers::NONE));
    }
}

fn drawn(model: &mut Model, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("in memory");
    terminal.draw(|frame| draw(frame, model)).expect("in memory");
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let lines = buffer.content.chunks(width).map(|line| {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

fn check(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(name);
    if std::env::var_os("TACHOGRAPH_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, found).expect("written");
    }
    let wanted = std::fs::read_to_string(&path).expect("checked in");
    assert!(found == wanted, "{name} is\n{found}\nand was\n{wanted}");
}

#[test]
fn each_screen_is_as_it_was_checked_in() {
    use KeyCode::{Char, Enter};
    let screens: [(&str, &[KeyCode]); 6] = [
        ("health", &[Char('1')]),
        ("series", &[Char('/'), Char('e'), Char('v'), Enter]),
        ("detail", &[Char('/'), Char('d'), Char('u'), Enter, Enter]),
        ("alerts", &[Char('3')]),
        ("doctor", &[Char('4')]),
        ("help", &[Char('?')]),
    ];
    for (name, pressed) in screens {
        for size in SIZES {
            let mut model = model();
            keys(&mut model, pressed);
            // These screens must not change with the number of the collector's own series.
            let all = model.replay.history().definitions().count();
            let found = text(&drawn(&mut model, size)).replace(&format!("of {all} "), "of all ");
            check(&format!("{name}-{}x{}.txt", size.0, size.1), &found);
        }
    }
}

#[test]
fn a_counter_has_an_average_over_the_frames_without_marks_and_a_change_over_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let known = common::write(&folder.path().join("run.jsonl"), 180, 7).expect("written");
    let mut model = model();
    (model.page, model.chosen) = (Page::Detail, Some("events.processed".into()));
    // Ten minutes: the program's first frame is in them.
    model.zoom = 2;
    let found = text(&drawn(&mut model, SIZES[1]));
    let line = found.lines().find(|line| line.contains("on average")).expect("a line");
    let number = |text: &str| text.replace(',', "").parse::<f64>().expect("a number");
    let (change, mean) =
        line.split_once("change ").expect("a change").1.split_once(", ").expect("two");
    let all = known.counts["events.processed"] as f64;
    assert!((number(change) - all).abs() < 1e-9, "{line}");
    let later = known.later().counts["events.processed"] as f64 / 179.0;
    let mean = number(mean.split_once("/s").expect("a rate").0);
    assert!((mean / later - 1.0).abs() < 0.01, "{line}: {later}");
}

#[test]
fn what_does_not_fit_is_wrapped_or_ends_with_an_ellipsis() {
    let mut model = model();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calm.jsonl");
    common::write(&path, 30, 7).expect("written");
    model.replay = Replay::read(&path).expect("read");
    model.alerts = None;
    keys(&mut model, &[KeyCode::Char('4')]);
    let found = text(&drawn(&mut model, SIZES[0]));
    let words: Vec<_> = found.split_whitespace().collect();
    assert!(words.join(" ").contains("no push failed, no tail grew"), "{found}");
    // An alert keeps this page from saying that all is well.
    model.alerts = Some(alerts());
    let found = text(&drawn(&mut model, SIZES[0]));
    assert!(found.contains("`HighLatency` is firing") && !found.contains("no findings"), "{found}");
    keys(&mut model, &[KeyCode::Char('1')]);
    let found = text(&drawn(&mut model, SIZES[1]));
    let cut = found.lines().find(|line| line.contains("187 ms, limit 100 ms")).expect("the alert");
    assert!(cut.ends_with("warning") || cut.ends_with('…'), "{cut}");
}

#[test]
fn every_size_is_drawn_and_nothing_panics() {
    let mut model = model();
    for page in ['1', '2', '3', '4', '?'] {
        keys(&mut model, &[KeyCode::Char(page)]);
        for width in [1, 7, 20, 33, 59, 60, 75, 76, 119, 120, 300] {
            for height in [1, 2, 3, 4, 7, 12, 13, 30, 90, 120, 500] {
                drawn(&mut model, (width, height));
            }
        }
    }
    keys(&mut model, &[KeyCode::Char('1'), KeyCode::Enter]);
    for (width, height) in [(20, 3), (30, 5), (40, 8), (60, 12), (250, 100)] {
        drawn(&mut model, (width, height));
    }
}

#[test]
fn without_colours_there_are_none_and_heat_keeps_its_shades() {
    let mut model = model();
    for (colours, light) in [
        (Colours::None, false),
        (Colours::Sixteen, false),
        (Colours::Palette, false),
        (Colours::Palette, true),
    ] {
        model.theme = Theme { colours, light };
        let buffer = drawn(&mut model, (80, 24));
        let mut used: Vec<_> = buffer.content.iter().map(|cell| cell.fg).collect();
        used.retain(|colour| *colour != Color::Reset);
        used.sort_unstable_by_key(|colour| format!("{colour:?}"));
        used.dedup();
        match colours {
            Colours::None => assert_eq!(used, []),
            Colours::Sixteen => assert!(used.iter().all(|it| !matches!(it, Color::Indexed(_)))),
            Colours::Palette => assert!(used.len() > 6, "{used:?}"),
        }
        let shades = ["░", "▒", "▓", "█"];
        let found = text(&buffer);
        assert!(shades.iter().all(|shade| found.contains(shade)), "{found}");
    }
}

#[test]
fn search_sort_pause_and_time_do_what_they_say() {
    use KeyCode::{Char, Down, End, Enter, Esc, Home, Left};
    let mut model = model();
    keys(&mut model, &[Char('/'), Char('u'), Char('d'), Char('p'), Enter]);
    let found = text(&drawn(&mut model, (100, 30)));
    let all = model.replay.history().definitions().count();
    assert!(found.contains(&format!("2 of {all} series match “udp”")), "{found}");
    keys(&mut model, &[Esc, Char('s'), Char('s'), Char('s'), Down]);
    let found = text(&drawn(&mut model, (100, 30)));
    let second = found.lines().position(|line| line.starts_with('▶')).expect("one is chosen");
    assert!(found.contains("by name ↓") && second == 4, "{found}");
    // A frame back: 179 s, and it stays there when frames come.
    keys(&mut model, &[Left]);
    assert_eq!(model.at_ms(), common::START_MS + 179_000);
    let found = text(&drawn(&mut model, (100, 30)));
    assert!(found.contains("paused at 11:02:59, 1.0s before the end"), "{found}");
    keys(&mut model, &[Char('1')]);
    let found = text(&drawn(&mut model, (100, 30)));
    assert!(found.contains("per column, 11:02:59 →"), "{found}");
    keys(&mut model, &[Home]);
    assert_eq!(model.at_ms(), common::START_MS + 1_000);
    keys(&mut model, &[End]);
    assert_eq!(model.at_ms(), common::START_MS + 180_000);
}

#[test]
fn a_lost_connection_shows_the_age_of_the_data_and_the_next_attempt() {
    let mut model = model();
    model.now_ms += 42_000;
    let (since_ms, again_ms) = (model.now_ms - 40_000, model.now_ms + 5_000);
    model.link = Link::Lost { since_ms, again_ms, reason: "refused".to_owned() };
    let found = text(&drawn(&mut model, (80, 24)));
    assert!(found.contains("✗ lost 40s"), "{found}");
    assert!(found.contains("data 42s old, retry in 5.0s"), "{found}");
    assert!(found.contains("events"), "what is known stays");
}

#[test]
fn enter_opens_the_series_of_an_alert_or_a_finding() {
    use KeyCode::{Char, Down, Enter, Esc, Up};
    let mut model = model();
    keys(&mut model, &[Char('3'), Enter]);
    let found = text(&drawn(&mut model, (80, 24)));
    assert!(found.contains(" event.processing.duration  timing in seconds"), "{found}");
    // The second one has no series.
    keys(&mut model, &[Esc, Down, Enter]);
    let found = text(&drawn(&mut model, (80, 24)));
    assert!(found.contains("▶● PacketLoss[port=9002]"), "{found}");
    // Beyond the end is the end: one step back is seen.
    keys(&mut model, &[Char('G')]);
    drawn(&mut model, (80, 24));
    keys(&mut model, &[Up]);
    let found = text(&drawn(&mut model, (80, 5)));
    assert!(found.contains("changes, newest first"), "{found}");
    keys(&mut model, &[Char('4'), Enter]);
    let found = text(&drawn(&mut model, (80, 24)));
    assert!(found.contains(" event.processing.duration  timing in seconds"), "{found}");
}

#[test]
fn an_alert_without_a_value_says_so_beside_its_limit() {
    let mut model = model();
    let mut alerts = alerts();
    let told = [("–", "100 ms"), ("–", "–"), ("3", "–")];
    let rule = alerts.rules[1].clone();
    alerts.rules = (0..)
        .zip(told)
        .map(|(number, (value, limit))| {
            let mut rule = rule.clone();
            rule.name = format!("Rule{number}");
            let alert = &mut rule.alerts[0];
            (alert.value_text, alert.threshold_text) = (Some(value.into()), Some(limit.into()));
            alert.labels.clear();
            rule
        })
        .collect();
    model.alerts = Some(alerts);
    keys(&mut model, &[KeyCode::Char('3')]);
    let found = text(&drawn(&mut model, SIZES[0]));
    let after_ok: Vec<_> =
        found.lines().filter_map(|line| line.split_once("Rule")?.1.split_once(" ok ")).collect();
    let shown: Vec<_> = after_ok.iter().map(|(_, rest)| rest.trim()).collect();
    assert_eq!(shown, ["no value, limit 100 ms  warning", "warning", "3  warning"], "{found}");
}

#[test]
fn the_windows_quantiles_are_not_shown_once_the_window_has_passed() {
    let line = |text: &str| serde_json::from_str::<Line>(text).expect("a line");
    let mut replay = Replay::new(Settings::default());
    replay.take(line(
        r#"{"meta":{"format":1,"program":"a","version":"1","started_ms":1,"step_ms":1000,"window_ms":5000}}"#,
    ));
    let name = "event.processing.duration";
    replay.take(line(&format!(
        r#"{{"series":{{"number":0,"key":"{name}","name":"{name}","kind":"timing","unit":"seconds"}}}}"#
    )));
    replay.take(line(
        r#"{"frame":{"version":1,"end_ms":1000,"span_ms":1000,"timings":[[0,{"count":1,"sum":0.25,"min":0.25,"max":0.25,"buckets":[[-16,1]],"window":{"p50":0.25,"p95":0.25,"p99":0.25,"max":0.25}}]]}}"#,
    ));
    let theme = Theme { colours: Colours::None, light: false };
    let mut model = Model::new("a", replay, Link::Live, theme);
    let mut shown = Vec::new();
    for second in 2..9 {
        let (end_ms, span_ms) = (second * 1_000, 1_000);
        let frame = Frame { version: second, end_ms, span_ms, ..Frame::default() };
        model.replay.take(Line::Frame(frame));
        let found = text(&drawn(&mut model, (80, 24)));
        shown.push(found.lines().nth(1).expect("the numbers").contains("p99 250 ms"));
    }
    assert_eq!(shown, [true, true, true, true, false, false, false]);
}

/// 10,000 series, of which half are timings; all change in each of half a minute's frames.
fn many() -> Model {
    let mut replay = Replay::new(Settings { bytes: 1 << 30, ..Settings::default() });
    let line = |text: &str| serde_json::from_str::<Line>(text).expect("a line");
    let meta = r#"{"meta":{"format":1,"program":"a","version":"1","started_ms":1,"step_ms":1000}}"#;
    replay.take(line(meta));
    for number in 0..10_000 {
        let kind = if number < 5_000 { "counter" } else { "timing" };
        let key = format!("metric.{number}");
        let told = format!(r#""number":{number},"key":"{key}","name":"{key}","kind":"{kind}""#);
        replay.take(line(&format!(r#"{{"series":{{{told}}}}}"#)));
    }
    let timing = |number: u32| {
        let max = f64::from(number) * 1e-6;
        let bucket = (max.log2() * 8.0).ceil();
        let text =
            format!(r#"{{"count":2,"sum":{max},"max":{max},"buckets":[[-200,1],[{bucket},1]]}}"#);
        (number, serde_json::from_str(&text).expect("a timing"))
    };
    let counters: Vec<_> = (0..5_000).map(|number| (number, 1)).collect();
    let timings: Vec<(_, TimingStep)> = (5_000..10_000).map(timing).collect();
    for version in 1..=30 {
        let (counters, timings) = (counters.clone(), timings.clone());
        let (end_ms, span_ms) = (version * 1_000, 1_000);
        let frame = Frame { version, end_ms, span_ms, counters, timings, ..Frame::default() };
        replay.take(Line::Frame(frame));
    }
    let theme = Theme { colours: Colours::None, light: false };
    Model::new("many", replay, Link::File, theme)
}

#[test]
fn ten_thousand_series_are_sorted_once_a_frame_and_scrolling_costs_next_to_nothing() {
    use KeyCode::{Char, Down, PageDown};
    let mut model = many();
    keys(&mut model, &[Char('2'), Char('s'), Char('s')]);
    let began = Instant::now();
    let found = text(&drawn(&mut model, (200, 50)));
    let first = began.elapsed();
    assert!(found.contains("10,000 series, by max ↓"), "{found}");
    assert!(found.contains("▶metric.9999"), "{found}");
    let began = Instant::now();
    for _ in 0..100 {
        keys(&mut model, &[Down]);
        drawn(&mut model, (200, 50));
    }
    let scrolled = began.elapsed();
    keys(&mut model, &[PageDown]);
    let found = text(&drawn(&mut model, (200, 50)));
    assert!(found.contains("▶metric.9889"), "{found}");
    // Sorting for each key and each screen would take 200 times as long as the first.
    assert!(scrolled < 50 * first, "{scrolled:?} after {first:?}");
    keys(&mut model, &[Char('/'), Char('7'), Char('7'), Char('7')]);
    let found = text(&drawn(&mut model, (200, 50)));
    // 777, 1777 to 9777, 7770 to 7779: 7777 is in both.
    assert!(found.contains("19 of 10,000 series match “777”"), "{found}");
}
