//! Recordings: read back as written, torn ones up to the tear, wrong ones refused by line.

mod common;

use std::path::Path;
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
fn write(path: &Path) -> Vec<Line> {
    let mut writer = Writer::create(path).expect("made");
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
    writer.finish().expect("ended");
    lines
}

#[test]
fn a_recording_comes_back_as_it_was_written_compressed_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let path = folder.path().join(name);
        let written = write(&path);
        let read: Result<Vec<_>, _> = Reader::open(&path).expect("opened").collect();
        assert_eq!(read.expect("whole"), written, "{name}");
    }
}

#[test]
fn a_frame_without_a_meta_line_before_it_is_refused_and_the_older_file_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl");
    let written = write(&path);
    let mut world = Recorded::new(Settings::default());
    let (frame, new) = world.second();
    let mut writer = Writer::create(&path).expect("opened");
    let refused = writer.frame(&frame, new.iter().map(|it| &**it)).expect_err("nothing before it");
    assert!(refused.to_string().contains("meta line"), "{refused}");
    drop(writer);
    let read: Result<Vec<_>, _> = Reader::open(&path).expect("opened").collect();
    assert_eq!(read.expect("whole"), written);
}

#[test]
fn a_recording_that_is_cut_anywhere_is_read_up_to_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = folder.path().join("run.jsonl");
    let written = write(&plain);
    let bytes = std::fs::read(&plain).expect("read");
    for cut in (0..bytes.len()).step_by(97) {
        let mut reader = Reader::new(&bytes[..cut]);
        let read: Vec<_> =
            Iterator::by_ref(&mut reader).map(|line| line.expect("whole lines only")).collect();
        assert_eq!(read, written[..read.len()]);
        assert_eq!(reader.cut().is_some(), cut > 0 && bytes[cut - 1] != b'\n');
    }
    // The same within gzip.
    let path = folder.path().join("run.jsonl.gz");
    let written = write(&path);
    let whole = std::fs::read(&path).expect("read");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("cut");
    let mut reader = Reader::open(&path).expect("opened");
    let read: Vec<_> =
        Iterator::by_ref(&mut reader).map(|line| line.expect("whole lines only")).collect();
    assert_eq!(reader.cut(), Some("its last line is incomplete and was left out"));
    assert!(!read.is_empty());
    assert_eq!(read, written[..read.len()]);
}

#[test]
fn a_compressed_recording_is_read_up_to_its_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl.GZ");
    let written = write(&path);
    let whole = std::fs::read(&path).expect("read");
    assert!(whole.starts_with(&[0x1f, 0x8b]), "compressed, as its name says");
    let mut most = 0;
    for at in (10..whole.len()).step_by(31) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&path, &damaged).expect("written");
        let mut reader = Reader::open(&path).expect("opened");
        let read: Result<Vec<_>, _> = Iterator::by_ref(&mut reader).collect();
        // A flipped bit may also make other text of it, which is refused by its line.
        let Ok(read) = read else { continue };
        if let Some(cut) = reader.cut().filter(|cut| cut.contains("damaged")) {
            let told = format!("damaged after line {} (", read.len());
            assert!(cut.contains(&told), "{at}: {cut}");
            let same = read.iter().zip(&written).take_while(|(read, right)| read == right).count();
            most = most.max(same);
        }
    }
    assert!(most > written.len() / 2, "{most} lines before the damage");
}

#[test]
fn a_file_has_one_writer_at_a_time_and_any_number_of_readers() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let path = folder.path().join(name);
        let link = folder.path().join(format!("link-{name}"));
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        let mut first = Writer::create(&path).expect("made");
        first.meta(&meta()).expect("written");
        for other in [&path, &link] {
            let refused = Writer::create(other).expect_err("it is taken");
            assert_eq!(refused.to_string(), "another program is recording into it");
        }
        first.finish().expect("ended");
        let read: Result<Vec<_>, _> = Reader::open(&path).expect("opened").collect();
        assert_eq!(read.expect("whole"), [Line::Meta(meta())], "{name}");
        drop(first);
        write(&path);
    }
}

#[test]
fn an_older_file_stays_until_something_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let path = folder.path().join(name);
        write(&path);
        let before = std::fs::read(&path).expect("read");
        Writer::create(&path).expect("opened").finish().expect("nothing to end");
        drop(Writer::create(&path).expect("opened"));
        assert_eq!(std::fs::read(&path).expect("read"), before, "{name}");
        let mut writer = Writer::create(&path).expect("opened");
        writer.meta(&meta()).expect("written");
        drop(writer);
        let read: Result<Vec<_>, _> = Reader::open(&path).expect("opened").collect();
        assert_eq!(read.expect("whole"), [Line::Meta(meta())], "{name}");
    }
}

#[test]
fn a_file_that_is_emptied_goes_on_from_its_start_as_a_whole_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    // After the last frame, the first, in the middle and before each.
    let rotations: [&[u32]; 5] = [&[20], &[1], &[7], &[0], &[0, 1, 2, 9, 10, 20]];
    for (name, rotations) in
        ["run.jsonl", "run.jsonl.gz"].into_iter().flat_map(|name| rotations.map(|it| (name, it)))
    {
        let (path, copy) = (folder.path().join(name), folder.path().join(format!("copy-{name}")));
        let mut world = Recorded::new(Settings::default());
        let mut writer = Writer::create(&path).expect("made");
        writer.meta(&meta()).expect("written");
        let (mut defined, mut frames, mut copied) =
            (vec![Line::Meta(meta())], Vec::new(), Vec::new());
        let mut rotate = |second: u32, frames: &mut Vec<Line>| {
            if rotations.contains(&second) {
                std::fs::copy(&path, &copy).expect("copied");
                std::fs::File::create(&path).expect("emptied");
                let read =
                    Reader::open(&copy).expect("opened").map(|line| line.expect("whole lines"));
                copied.extend(read.filter(|line| matches!(line, Line::Frame(_))));
                frames.clear();
            }
        };
        let mut all = Vec::new();
        for second in 0..20u32 {
            rotate(second, &mut frames);
            world.metrics.with_tags(&[("n", &*(second / 5).to_string())]).increment("events");
            if second % 5 == 0 {
                world.metrics.gauge("fives", f64::from(second));
            }
            let (frame, new) = world.second();
            writer.frame(&frame, new.iter().map(|it| &**it)).expect("written");
            defined.extend(new.iter().map(|it| Line::Series((**it).clone())));
            frames.push(Line::Frame((*frame).clone()));
            all.push(frame);
        }
        rotate(20, &mut frames);
        writer.finish().expect("ended");
        drop(writer);
        let read: Result<Vec<_>, _> = Reader::open(&path).expect("opened").collect();
        let (new, old): (Vec<_>, _) =
            read.expect("whole").into_iter().partition(|line| matches!(line, Line::Frame(_)));
        assert_eq!(old, defined, "{name}, {rotations:?}");
        copied.extend(new);
        // Where a file begins, its first frame also tells the gauges that were not set in it.
        let fives = world.number("fives");
        let mut got = Vec::new();
        for (second, line) in copied.into_iter().enumerate() {
            let Line::Frame(mut frame) = line else { panic!("{line:?}") };
            if second > 0 && rotations.contains(&(second as u32)) {
                let set_last = (second / 5 * 5) as f64;
                let gauge = frame.gauge(fives).expect("it stands");
                assert_eq!(gauge.current, Some(set_last), "{name}, {rotations:?}, {second}");
            }
            frame.gauges.retain(|(_, gauge)| gauge.count > 0);
            frame.gauges.iter_mut().zip(&all[second].gauges).for_each(|(got, right)| {
                (got.1.min, got.1.max) = (right.1.min, right.1.max);
            });
            got.push(frame);
        }
        let right: Vec<_> = all.iter().map(|frame| (**frame).clone()).collect();
        assert_eq!(got, right, "{name}, {rotations:?}: each frame is in one file");
    }
}

#[test]
fn a_file_that_others_change_or_move_ends_the_recording() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 5] = [
        ("gone", |path| std::fs::remove_file(path).expect("removed")),
        ("gone", |path| std::fs::rename(path, path.with_extension("old")).expect("moved")),
        ("gone", |path| {
            std::fs::write(path.with_extension("new"), "another").expect("written");
            std::fs::rename(path.with_extension("new"), path).expect("replaced");
        }),
        ("another program", |path| {
            // In place, as `cp` does.
            std::fs::write(path, "another").expect("written");
        }),
        ("another program", |path| {
            let file = std::fs::File::options().append(true).open(path).expect("opened");
            std::io::Write::write_all(&mut &file, b"another").expect("written");
        }),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["run.jsonl", "run.jsonl.gz"] {
        for (reason, change) in changes {
            for at_the_end in [false, true] {
                let path = folder.path().join(name);
                let mut world = Recorded::new(Settings::default());
                let mut writer = Writer::create(&path).expect("made");
                writer.meta(&meta()).expect("written");
                let mut second = || {
                    world.metrics.increment("events");
                    let (frame, new) = world.second();
                    writer.frame(&frame, new.iter().map(|it| &**it))
                };
                second().expect("written");
                change(&path);
                let ended = if at_the_end { writer.finish() } else { second() };
                let told = ended.expect_err("it is not our file any more").to_string();
                assert!(told.contains(reason), "{name}: {told}");
            }
        }
    }
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
