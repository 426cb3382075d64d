//! Every event of the table, from its datagram to what viewers are sent.

mod common;

use ast_server::{Arg, AstServer, EventType, Handler};
use common::replay::{replay, without_hashes};
use common::{Stage, assert_conserved};
use live_set::Set;
use serde_json::{Value, json};

/// An event and the records that it is to cause: type, path, attribute or name, new value.
struct Case {
    path: &'static str,
    args: Vec<Arg<'static>>,
    records: Vec<(&'static str, String, Value)>,
}

fn case<const N: usize>(
    path: &'static str,
    args: [Arg<'static>; N],
    records: Vec<(&'static str, String, Value)>,
) -> Case {
    Case { path, args: args.to_vec(), records }
}

/// A record of one attribute.
fn state(path: &str, attribute: &str, value: Value) -> (&'static str, String, Value) {
    ("state_changed", path.to_owned(), json!({ attribute: value }))
}

fn named(path: &str, name: &str) -> (&'static str, String, Value) {
    ("modified", path.to_owned(), json!({ "name": name }))
}

/// A record of a node whose place is another because a node before it came or went.
fn is_move(record: &Value) -> bool {
    let places = ["index", "track_index", "scene_index"];
    record["type"] == "modified" && places.iter().any(|place| record["new_value"][place].is_u64())
}

/// The records but those of moves, as the cases say them.
fn say(records: &[Value]) -> Vec<(String, String, Value)> {
    let say_one = |record: &Value| {
        let text = |key: &str| record[key].as_str().expect("text").to_owned();
        let value = match record["type"].as_str() {
            Some("state_changed") => json!({ text("attribute"): record["new_value"] }),
            Some("modified") => record["new_value"].clone(),
            Some("added") => record["new_value"]["name"].clone(),
            _ => Value::Null,
        };
        (text("type"), text("path"), value)
    };
    records.iter().filter(|record| !is_move(record)).map(say_one).collect()
}

/// A slot with a clip, or without one, and without a stop button to be given.
fn slot(set: &Set, with_clip: bool) -> (i32, i32, String) {
    let mut slots = set.project().tracks.iter().flat_map(|track| &track.slots);
    let slot = slots.find(|slot| slot.clip.is_some() == with_clip).expect("such a slot");
    let path = format!("tracks[{}].clip_slots[{}]", slot.track_index, slot.scene_index);
    let position = |value| i32::try_from(value).expect("a small set");
    (position(slot.track_index), position(slot.scene_index), path)
}

fn track_and_device_cases() -> Vec<Case> {
    let (i, f) = (Arg::from(1), |value: f32| Arg::from(value));
    let on = Arg::from(true);
    let both = |attribute: &str, value: Value| {
        vec![
            state("tracks[1]", attribute, value.clone()),
            state("tracks[1].mixer", attribute, value),
        ]
    };
    let parameter = "tracks[1].devices[0].parameters[2]";
    vec![
        case("/live/track/renamed", [i, "Bass".into()], vec![named("tracks[1]", "Bass")]),
        case("/live/track/mute", [i, on], both("is_muted", json!(true))),
        case("/live/track/arm", [i, 1.into()], vec![state("tracks[1]", "is_armed", json!(true))]),
        case("/live/track/solo", [i, on], both("is_soloed", json!(true))),
        case("/live/track/volume", [i, f(0.5)], both("volume", json!(0.5))),
        case("/live/track/pan", [i, f(-0.25)], both("pan", json!(-0.25))),
        case("/live/track/color", [i, 255.into()], vec![state("tracks[1]", "color", json!(255))]),
        case(
            "/live/device/param",
            [i, 0.into(), 2.into(), f(0.125)],
            vec![state(parameter, "value", json!(0.125))],
        ),
    ]
}

fn scene_and_transport_cases() -> Vec<Case> {
    let i = Arg::from(2);
    let scene = "scenes[2]";
    let project = |attribute: &str, value: Value| vec![state("project", attribute, value)];
    vec![
        case("/live/scene/renamed", [i, "Drop".into()], vec![named(scene, "Drop")]),
        case("/live/scene/color", [i, 77.into()], vec![state(scene, "color", json!(77))]),
        case("/live/scene/triggered", [i], vec![state(scene, "is_triggered", json!(true))]),
        case("/live/transport/play", [1.into()], project("is_playing", json!(true))),
        case("/live/transport/tempo", [133.5.into()], project("tempo", json!(133.5))),
        case("/live/transport/position", [8.25.into()], project("position", json!(8.25))),
    ]
}

/// Each comes and goes, so that the others find what they point at.
fn structural_cases() -> Vec<Case> {
    let one = |kind: &'static str, path: &str, name: Value| vec![(kind, path.to_owned(), name)];
    let i = Arg::from(1);
    let (device, gone) = ("tracks[1].devices[0]", Value::Null);
    let track = [i, "Pads".into(), "midi".into()];
    vec![
        case("/live/track/added", track, one("added", "tracks[1]", json!("Pads"))),
        case("/live/track/deleted", [i], one("removed", "tracks[1]", gone.clone())),
        case("/live/device/added", [i, 0.into(), "Eq".into()], one("added", device, json!("Eq"))),
        case("/live/device/deleted", [i, 0.into()], one("removed", device, gone.clone())),
        case("/live/scene/added", [i, "Break".into()], one("added", "scenes[1]", json!("Break"))),
        case("/live/scene/removed", [i], one("removed", "scenes[1]", gone)),
    ]
}

fn slot_and_clip_cases(set: &Set) -> Vec<Case> {
    let on = Arg::from(1);
    let (track, row, full) = slot(set, true);
    let at = [Arg::from(track), Arg::from(row)];
    let clip = format!("{full}.clip");
    let (track, row, free) = slot(set, false);
    let empty = [Arg::from(track), Arg::from(row)];
    let guest = format!("{free}.clip");
    let stop = |value: bool| json!({ "has_stop_button": value });
    let with = |at: [Arg<'static>; 2], value: Arg<'static>| [at[0], at[1], value];
    // The return track comes after the others, and has no slots.
    let new_slot = [4.into(), 3.into(), 0.into(), 1.into(), 0.into()];
    let off = Arg::from(0);
    vec![
        case(
            "/live/clip_slot/created",
            [empty[0], empty[1], off, off, off],
            vec![("modified", free.clone(), stop(false))],
        ),
        case(
            "/live/clip_slot/created",
            new_slot,
            vec![("added", "tracks[4].clip_slots[3]".to_owned(), Value::Null)],
        ),
        case(
            "/live/clip_slot/has_stop",
            with(empty, on),
            vec![state(&free, "has_stop_button", json!(true))],
        ),
        case(
            "/live/clip_slot/playing_status",
            with(at, 2.into()),
            vec![state(&full, "playing_status", json!(2))],
        ),
        case("/live/clip_slot/color", with(at, 9.into()), vec![state(&full, "color", json!(9))]),
        case("/live/clip/name", with(at, "Verse".into()), vec![named(&clip, "Verse")]),
        case("/live/clip/color", with(at, 11.into()), vec![state(&clip, "color", json!(11))]),
        case("/live/clip/muted", with(at, on), vec![state(&clip, "is_muted", json!(true))]),
        case("/live/clip/looping", with(at, off), vec![state(&clip, "is_looped", json!(false))]),
        case(
            "/live/clip/added",
            with(empty, "New".into()),
            vec![("added", guest.clone(), json!("New")), state(&free, "has_clip", json!(true))],
        ),
        case(
            "/live/clip/removed",
            empty,
            vec![("removed", guest, Value::Null), state(&free, "has_clip", json!(false))],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_the_set_is_sent_on_and_replaying_gives_the_tree_of_a_later_viewer() {
    let mut stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;

    let mut cases = structural_cases();
    cases.extend(track_and_device_cases());
    cases.extend(scene_and_transport_cases());
    cases.extend(slot_and_clip_cases(&stage.set()));
    let silent = [EventType::SceneReordered];
    let of_the_set = EventType::ALL.iter().filter(|it| it.handler() != Handler::Cursor);
    for event_type in of_the_set.filter(|it| !silent.contains(it)) {
        assert!(cases.iter().any(|case| case.path == event_type.path()), "{event_type:?}");
    }

    for (seq, case) in cases.iter().enumerate() {
        stage.live.send(case.path, &case.args).expect("the server listens");
        let records = viewer.changes().await;
        let expected: Vec<_> = case
            .records
            .iter()
            .map(|(kind, path, value)| ((*kind).to_owned(), path.clone(), value.clone()))
            .collect();
        assert_eq!(say(&records), expected, "{}", case.path);
        assert!(records.iter().all(|record| record["seq_num"] == seq), "{records:?}");
        replay(&mut tree, &records);
    }
    let later = stage.viewer().await.tree().await;
    assert_eq!(without_hashes(tree), without_hashes(later));

    let processed = i128::try_from(cases.len()).expect("a short list");
    stage.until_count("events.processed", processed).await;
    assert_eq!(stage.count("udp.packet.received"), processed);
    assert_conserved(&stage.server);
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_selected_is_told_as_it_came_and_changes_nothing() {
    let mut stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let tree = viewer.tree().await;

    let args = [Arg::from(3), Arg::from("x"), Arg::from(true), Arg::from(0.5)];
    let paths = ["/live/cursor/track", "/live/cursor/scene", "/live/cursor/clip_slot"];
    for (seq, path) in paths.into_iter().enumerate() {
        stage.live.send(path, &args).expect("the server listens");
        let payload = viewer.next("live_event").await;
        assert_eq!(payload["event_path"], path);
        assert_eq!(payload["args"], json!([3, "x", true, 0.5]));
        assert_eq!(payload["seq_num"], seq);
        assert!(payload["timestamp"].is_f64(), "{payload}");
    }
    // A scene that has moved was told of before: no message comes of it, but the next one's.
    stage.live.send("/live/scene/reordered", &[1.into(), "x".into()]).expect("listens");
    stage.live.send("/live/cursor/track", &[]).expect("the server listens");
    assert_eq!(viewer.next("live_event").await["args"], json!([]));
    assert_eq!(stage.viewer().await.tree().await, tree);
    stage.until_count("events.processed", 5).await;
    assert_conserved(&stage.server);
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_envelope_is_optional_and_the_time_in_it_may_be_an_integer() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;

    let args = [Arg::from(0), Arg::from("Plain")];
    let plain = ast_server::encode_message("/live/track/renamed", &args);
    stage.live.send_raw(&plain).expect("the server listens");
    assert_eq!(viewer.changes().await[0]["seq_num"], Value::Null);

    let path = Arg::from("/live/track/renamed");
    let args = [Arg::from(5), Arg::from(1_700_000_000), path, Arg::from(0), Arg::from("Timed")];
    let timed = ast_server::encode_message("/live/seq", &args);
    stage.live.send_raw(&timed).expect("the server listens");
    assert_eq!(viewer.changes().await[0]["seq_num"], 5);
}

/// What became of events, one by one, without sockets.
#[test]
fn each_event_is_in_exactly_one_class() {
    use ast_server::Outcome;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let server = AstServer::new();
    let send = |path: &str, args: &[Arg<'_>]| server.process_live_event(path, args, 1, 0.0);
    let (zero, many) = (Arg::from(0), Arg::from(1_000));

    assert_eq!(send("/live/track/mute", &[zero, zero]), Outcome::Ignored);
    assert_eq!(
        send("/live/track/mute", &[]),
        Outcome::Ignored,
        "no set comes before bad arguments"
    );
    assert_eq!(send("/nonsense", &[]), Outcome::Unhandled, "unknown comes before no set");
    assert_eq!(send("/live/cursor/track", &[zero]), Outcome::Ignored);
    server.load_project(&file).expect("the set loads");
    assert_eq!(send("/live/track/mute", &[zero, zero]), Outcome::Processed);
    for args in [&[][..], &[zero], &[many, zero], &[Arg::from(-1), zero], &[zero, Arg::from("1")]] {
        assert!(matches!(send("/live/track/mute", args), Outcome::Rejected(_)), "{args:?}");
    }
    let not_finite = [zero, Arg::from(f32::NAN)];
    assert!(matches!(send("/live/track/volume", &not_finite), Outcome::Rejected(_)));

    let summary = server.get_metrics_summary();
    let events = &summary.event_processing;
    assert_eq!((events.received, events.total_processed), (11, 1));
    assert_eq!((events.ignored, events.unhandled, events.rejected), (3, 1, 6));
    let by_type = |name: &str, tag: &str| {
        let tagged = server.metrics().get_all_metrics();
        let series = tagged.find(name, &[("event_type", tag)]).expect("a series");
        series.value.as_counter().expect("a counter").lifetime.value
    };
    assert_eq!(by_type("events.received.by_type", "/live/track/mute"), 8);
    assert_eq!(by_type("events.rejected.by_type", "/live/track/mute"), 5);
    assert_eq!(by_type("events.unhandled.by_type", "unknown"), 1);
    assert_eq!(by_type("events.received.by_type", "/live/cursor/track"), 1);
    let durations = server.metrics().get_timing("event.processing.duration").expect("a timing");
    assert_eq!(durations.count, 1, "what is processed is timed, once");
    assert_conserved(&server);
}

#[test]
fn rejected_events_change_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = AstServer::new();
    server.load_project(common::write(folder.path(), "set.als", &common::small())).expect("loads");
    let before = server.root_hash().expect("a set");
    let bad = [Arg::from(9_999), Arg::from(f32::NAN), Arg::from("x"), Arg::Other, Arg::from(-1)];
    for &event_type in EventType::ALL {
        // A whole number may be a tempo or a position in the song.
        let bad = if event_type.path().contains("transport") { &bad[1..4] } else { &bad[..] };
        // What is selected is told as it came, whatever it points at.
        let bad = if event_type.path().contains("cursor") { &[Arg::Other][..] } else { bad };
        for &arg in bad {
            let _ = server.process_live_event(event_type.path(), &[arg; 5], None, 0.0);
        }
    }
    assert_eq!(server.root_hash().expect("a set"), before);
    assert_eq!(common::count(&server, "events.processed"), 0);
    assert_conserved(&server);
}

/// What is logged, as text.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn floats_are_taken_for_whole_numbers_and_the_log_says_why_an_event_is_rejected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = AstServer::new();
    server.load_project(common::write(folder.path(), "set.als", &common::small())).expect("loads");
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let send = |args: &[f32]| {
        let args: Vec<_> = args.iter().copied().map(Arg::from).collect();
        server.process_live_event("/live/track/mute", &args, 7, 0.0)
    };
    let logged = || String::from_utf8(log.0.lock().expect("no panic").clone()).expect("UTF-8");
    tracing::subscriber::with_default(subscriber, || {
        let muted = |server: &AstServer| {
            server.get_track(0).expect("a track").contains(r#""is_muted":true"#)
        };
        for value in [1.0, 0.0, 1.0] {
            assert_eq!(send(&[0.0, value]), ast_server::Outcome::Processed);
            assert_eq!(muted(&server), value == 1.0);
        }
        assert_eq!(logged(), "", "nothing is wrong");
        assert!(matches!(send(&[0.5, 1.0]), ast_server::Outcome::Rejected(_)));
        assert!(matches!(send(&[99.0, 1.0]), ast_server::Outcome::Rejected(_)));
    });
    let logged = logged();
    let lines: Vec<_> = logged.lines().collect();
    assert_eq!(lines.len(), 2, "{logged}");
    for (line, reason) in lines.iter().zip(["argument 0", "no track 99"]) {
        let is_told = ["DEBUG", "/live/track/mute", "7", reason].iter().all(|it| line.contains(it));
        assert!(is_told, "{line}");
    }
}
