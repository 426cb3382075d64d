//! Recordings: read back as written, torn ones up to the tear, wrong ones refused by line.

mod common;

use std::time::Duration;

use common::Recorded;
use tachograph_history::file::{Reader, Writer};
use tachograph_history::{FORMAT, Line, Meta, Settings};

fn meta() -> Meta {
    Meta {
        format: FORMAT,
        program: "test".to_owned(),
        version: "1.2.3".to_owned(),
        started_ms: 1_700_000_000_000,
        step_ms: 1_000,
        window_ms: Some(60_000),
    }
}

/// Writes a recording of 20 seconds; gives its lines as they should come back.
fn write<W: std::io::Write>(mut writer: Writer<W>) -> Vec<Line> {
    let mut world = Recorded::new(Settings::default());
    writer.meta(&meta()).expect("written");
    let mut lines = vec![Line::Meta(meta())];
    for second in 0..20u32 {
        world.metrics.with_tags(&[("n", &*(second / 5).to_string())]).increment("events");
        world.metrics.timing("turn", Duration::from_micros(u64::from(second) * 37));
        world.metrics.gauge("depth", f64::from(second) / 3.0);
        world.metrics.gauge("far", f64::INFINITY);
        let (frame, new) = world.second();
        writer.frame(&frame, new.iter().map(|it| &**it)).expect("written");
        lines.extend(new.iter().map(|it| Line::Series((**it).clone())));
        lines.push(Line::Frame((*frame).clone()));
    }
    lines
}

#[test]
fn a_recording_comes_back_as_it_was_written_compressed_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let path = folder.path().join(name);
        let written = write(Writer::create(&path).expect("made"));
        let read: Result<Vec<_>, _> = Reader::open(&path).expect("opened").collect();
        assert_eq!(read.expect("whole"), written, "{name}");
    }
}

#[test]
fn a_recording_that_is_cut_anywhere_is_read_up_to_there() {
    let mut bytes = Vec::new();
    let written = write(Writer::new(&mut bytes));
    for cut in (0..bytes.len()).step_by(97) {
        let mut reader = Reader::new(&bytes[..cut]);
        let read: Vec<_> =
            Iterator::by_ref(&mut reader).map(|line| line.expect("whole lines only")).collect();
        assert_eq!(read, written[..read.len()]);
        assert_eq!(reader.is_torn(), cut > 0 && bytes[cut - 1] != b'\n');
    }
    // The same within gzip.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl.gz");
    let written = write(Writer::create(&path).expect("made"));
    let whole = std::fs::read(&path).expect("read");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("cut");
    let mut reader = Reader::open(&path).expect("opened");
    let read: Vec<_> =
        Iterator::by_ref(&mut reader).map(|line| line.expect("whole lines only")).collect();
    assert!(reader.is_torn() && !read.is_empty());
    assert_eq!(read, written[..read.len()]);
}

#[test]
fn wrong_lines_are_refused_by_their_number() {
    let series = r#"{"series":{"number":0,"key":"a","name":"a","kind":"timing"}}"#;
    let frame = |timing: &str| format!(r#"{{"frame":{{"version":1,"timings":[{timing}]}}}}"#);
    let cases = [
        (vec![frame("")], 1, "the first line"),
        (vec![meta().to_line(), "{}".to_owned()], 2, ""),
        (vec![meta().to_line().replace("\"format\":1", "\"format\":9")], 1, "format is 9"),
        (vec![meta().to_line(), frame(r#"[3,{"count":0}]"#)], 2, "series 3 is not defined"),
        (vec![meta().to_line(), series.to_owned(), series.to_owned()], 3, "defined twice"),
        (
            vec![
                meta().to_line(),
                series.to_owned(),
                frame(r#"[0,{"count":2,"buckets":[[1,1]]}]"#),
            ],
            3,
            "do not add up",
        ),
        (
            vec![
                meta().to_line(),
                series.to_owned(),
                frame(r#"[0,{"count":2,"buckets":[[4,1],[1,1]]}]"#),
            ],
            3,
            "do not ascend",
        ),
        (
            vec![
                meta().to_line(),
                series.to_owned(),
                r#"{"frame":{"version":1,"counters":[[0,5]]}}"#.to_owned(),
            ],
            3,
            "series 0, a timing, is among the counters",
        ),
        (
            vec![
                meta().to_line(),
                series.to_owned(),
                r#"{"frame":{"version":1,"gauges":[[0,{"current":1.0}]]}}"#.to_owned(),
            ],
            3,
            "series 0, a timing, is among the gauges",
        ),
        (
            vec![
                meta().to_line(),
                series.replace("timing", "gauge"),
                frame(r#"[0,{"count":1,"buckets":[[1,1]]}]"#),
            ],
            3,
            "series 0, a gauge, is among the timings",
        ),
    ];
    for (lines, number, reason) in cases {
        let text: String = lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect();
        let mut reader = Reader::new(text.as_bytes());
        let error =
            Iterator::by_ref(&mut reader).find_map(Result::err).expect("refused").to_string();
        assert!(error.starts_with(&format!("line {number} ")), "{error}");
        assert!(error.contains(reason), "{error}");
        assert!(reader.next().is_none(), "nothing comes after an error");
    }
}
