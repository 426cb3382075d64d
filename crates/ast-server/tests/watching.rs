//! A set's file changes on disk: viewers are sent what differs, and nothing half written is used.

mod common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ast_server::{Arg, AstServer, EventSender};
use common::replay::{replay, without_hashes};
use common::{Stage, until};
use live_set::generate::Spec;
use serde_json::Value;

/// The bytes of the stage's set with another tempo.
fn saved(tempo: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let spec = Spec { tempo, ..common::small() };
    spec.write_als(&mut bytes).expect("a vector takes it");
    bytes
}

/// Saves as editors do: a new file takes the place of the old one.
fn replace(file: &Path, bytes: &[u8]) {
    let new = file.with_extension("new");
    fs::write(&new, bytes).expect("written");
    fs::rename(&new, file).expect("renamed");
}

fn tempo(tree: &Value) -> f64 {
    tree["attributes"]["tempo"].as_f64().expect("a tempo")
}

/// Sends an event that changes something, and gives the number that it comes back with.
async fn next_change(stage: &Stage, viewer: &mut common::Viewer, seq: u32) -> Value {
    let name = format!("marker {seq}");
    let args = [Arg::from(0), Arg::from(&name)];
    let _ = stage.server.process_live_event("/live/track/renamed", &args, seq, 0.0);
    viewer.changes().await[0]["seq_num"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_sent_as_what_differs_and_later_viewers_get_the_new_tree() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    for (number, in_place) in [(0, false), (1, true)] {
        let bytes = saved(140.0 + f64::from(number));
        if in_place {
            fs::write(&stage.file, &bytes).expect("written");
        } else {
            replace(&stage.file, &bytes);
        }
        let changes = viewer.changes().await;
        assert!(changes.iter().all(|change| change["seq_num"].is_null()), "{changes:?}");
        replay(&mut tree, &changes);
        assert_eq!(tempo(&tree), 140.0 + f64::from(number));
        let later = stage.viewer().await.tree().await;
        assert_eq!(later["hash"], stage.server.root_hash().expect("a set").to_string());
        assert_eq!(without_hashes(later), without_hashes(tree.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_events_tell_and_what_was_held_back_survive_a_save() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let zero = Arg::from(0);
    let parameter = |value: f32| {
        let args = [zero, zero, zero, value.into()];
        let _ = stage.server.process_live_event("/live/device/param", &args, 1, 0.0);
    };
    let _ = stage.server.process_live_event("/live/transport/play", &[true.into()], 0, 0.0);
    parameter(0.25);
    // Held back: it comes before what the save changes.
    parameter(0.75);
    replace(&stage.file, &saved(141.0));
    while tempo(&tree) != 141.0 {
        replay(&mut tree, &viewer.changes().await);
    }
    assert_eq!(tree["attributes"]["is_playing"], true, "no file says whether the transport runs");
    let later = stage.viewer().await.tree().await;
    assert_eq!(without_hashes(later), without_hashes(tree));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_while_a_save_is_waited_for_and_read_are_newer_than_it() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let scenes = common::small().scenes;
    let mut sent = vec![String::new(); scenes];
    replace(&stage.file, &saved(143.0));
    // Until the save is loaded, which takes far longer than a turn: all that is sent last is
    // newer.
    for number in 0.. {
        let scene = number % scenes;
        sent[scene] = format!("take {number}");
        let args = [Arg::from(scene as i32), Arg::from(&sent[scene])];
        let _ = stage.server.process_live_event("/live/scene/renamed", &args, 1, 0.0);
        replay(&mut tree, &viewer.changes().await);
        if tempo(&tree) == 143.0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let later = stage.viewer().await.tree().await;
    let kept = later["children"].as_array().expect("children").iter();
    let kept = kept.filter(|node| node["node_type"] == "scene");
    let kept: Vec<_> = kept.map(|node| node["attributes"]["name"].as_str()).collect();
    assert_eq!(kept, sent.iter().map(|name| Some(name.as_str())).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_save_is_read_and_broadcasts_nothing() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    let bytes = fs::read(&stage.file).expect("read");
    replace(&stage.file, &bytes);
    let loads = || stage.server.metrics().get_timing("project.load.duration").expect("a timing");
    until("the save is read", || loads().count == 2).await;
    assert_eq!(next_change(&stage, &mut viewer, 7).await, 7, "nothing came before it");
    replace(&stage.file, &saved(145.0));
    let changes = viewer.changes().await;
    assert_eq!(changes[0]["path"], "project", "nor after it: {changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_written_file_is_waited_for() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let bytes = saved(142.0);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    fs::write(&stage.file, first).expect("written");
    until("the half is tried", || stage.count("project.load.failed") >= 1).await;
    let mut file = OpenOptions::new().append(true).open(&stage.file).expect("opened");
    file.write_all(second).expect("written");
    drop(file);
    replay(&mut tree, &viewer.changes().await);
    assert_eq!(tempo(&tree), 142.0, "no error came, and no half of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_save_and_a_missing_file_leave_the_tree_and_are_told_once() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let before = stage.server.root_hash().expect("a set");
    for break_it in [
        &(|file: &Path| fs::write(file, b"no set").expect("written")) as &dyn Fn(&Path),
        &|file: &Path| fs::remove_file(file).expect("removed"),
    ] {
        break_it(&stage.file);
        let told = viewer.next("ERROR").await;
        assert_eq!(told["error"], "Reload failed");
        let reason = told["details"]["reason"].as_str().expect("text");
        assert!(reason.contains("set.als"), "{reason}");
        assert_eq!(stage.server.root_hash().expect("a set"), before);
    }
    fs::write(&stage.file, saved(143.0)).expect("written");
    replay(&mut tree, &viewer.changes().await);
    assert_eq!(tempo(&tree), 143.0, "a good save goes on from there");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watch_follows_to_the_file_that_is_loaded_later() {
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let second = common::write(folder.path(), "second.als", &common::small());
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    stage.server.load_project(&second).expect("the set loads");
    let mut tree = viewer.tree().await;
    replace(&stage.file, &saved(150.0));
    replace(&second, &saved(160.0));
    replay(&mut tree, &viewer.changes().await);
    assert_eq!(tempo(&tree), 160.0, "the first file is none of its business any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_nothing_hints_at_is_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path().join("project");
    fs::create_dir(&here).expect("a folder");
    let stage = Stage::empty(AstServer::builder()).await;
    let file = common::write(&here, "set.als", &common::small());
    stage.server.load_project(&file).expect("the set loads");
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    for tempo in [170.0, 180.0] {
        // The folder that gives hints is not the one with the file any more.
        fs::rename(&here, folder.path().join(format!("before {tempo}"))).expect("moved");
        fs::create_dir(&here).expect("a folder");
        fs::write(&file, saved(tempo)).expect("written");
        replay(&mut tree, &viewer.changes().await);
        assert_eq!(self::tempo(&tree), tempo);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_gap_reloads_a_file_that_is_newer_even_where_nobody_watches() {
    let mut stage = Stage::with(AstServer::builder().watch(false)).await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    replace(&stage.file, &saved(144.0));
    let send = |live: &mut EventSender, skip: u32, name: &'static str| {
        live.skip(skip);
        live.send("/live/track/renamed", &[Arg::from(0), Arg::from(name)]).expect("sent");
    };
    send(&mut stage.live, 0, "a");
    send(&mut stage.live, 4, "b");
    replay(&mut tree, &viewer.changes().await);
    replay(&mut tree, &viewer.changes().await);
    send(&mut stage.live, 5, "c");
    assert_eq!(viewer.next("ERROR").await["details"]["missing"], 5);
    while tempo(&tree) != 144.0 {
        replay(&mut tree, &viewer.changes().await);
    }
    let later = stage.viewer().await.tree().await;
    assert_eq!(without_hashes(later), without_hashes(tree));
}

#[test]
fn of_loads_at_once_the_tree_of_the_newest_file_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let server = AstServer::new();
    for round in 0..20 {
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| server.load_project(&file).expect("the set loads"));
            }
            replace(&file, &saved(100.0 + f64::from(round)));
            // It opens the file after the save: whoever else loads, this is what stays.
            server.load_project(&file).expect("the set loads");
        });
        let expected = ast_server::read(&file).expect("the set reads").root_hash();
        assert_eq!(server.root_hash().expect("a set"), expected, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_the_set_is_not_waited_for_and_a_good_save_goes_on() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let new = stage.file.with_extension("new");
    nix::unistd::mkfifo(&new, nix::sys::stat::Mode::S_IRUSR).expect("a pipe");
    fs::rename(&new, &stage.file).expect("renamed");
    let told = viewer.next("ERROR").await;
    let reason = told["details"]["reason"].as_str().expect("text");
    assert!(reason.contains("plain file"), "{reason}");
    let problem = stage.server.file_problem().expect("a problem");
    assert!(problem.contains(reason), "{problem}");
    let health = common::get(stage.service.addresses().http, "/health").await;
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    assert!(health.contains(r#""status":"failing""#) && health.contains(&problem), "{health}");
    // Nor by who asks for it by name.
    let error = stage.server.diff_with_file(&stage.file).expect_err("no plain file");
    assert!(error.to_string().contains("plain file"), "{error}");

    replace(&stage.file, &saved(146.0));
    replay(&mut tree, &viewer.changes().await);
    assert_eq!(tempo(&tree), 146.0);
    until("the problem is gone", || stage.server.file_problem().is_none()).await;
    let health = common::get(stage.service.addresses().http, "/health").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_for_a_while_is_loaded_without_another_sign() {
    let stage = Stage::empty(AstServer::builder()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (link, there) = (folder.path().join("set.als"), folder.path().join("there"));
    fs::create_dir(&there).expect("a folder");
    let (first, second) = (there.join("first.als"), there.join("second.als"));
    fs::write(&first, saved(120.0)).expect("written");
    std::os::unix::fs::symlink(&first, &link).expect("a link");
    stage.server.load_project(&link).expect("the set loads");
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let aside = folder.path().join("aside");
    std::os::unix::fs::symlink(&second, &aside).expect("a link");
    fs::rename(&aside, &link).expect("renamed");
    assert_eq!(viewer.next("ERROR").await["error"], "Reload failed");
    // In another folder: nothing hints at it.
    fs::write(&second, saved(147.0)).expect("written");
    replay(&mut tree, &viewer.changes().await);
    assert_eq!(tempo(&tree), 147.0);
    until("the problem is gone", || stage.server.file_problem().is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_saves_without_a_pause_one_is_loaded_now_and_then() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let (file, stop) = (stage.file.clone(), std::sync::Arc::new(AtomicBool::new(false)));
    let stopped = std::sync::Arc::clone(&stop);
    let saving = tokio::task::spawn_blocking(move || {
        let mut tempo = 100.0;
        while !stopped.load(Ordering::Relaxed) {
            tempo += 0.25;
            replace(&file, &saved(tempo));
            std::thread::sleep(Duration::from_millis(50));
        }
        tempo
    });
    let mut seen = Vec::new();
    while seen.len() < 2 {
        replay(&mut tree, &viewer.changes().await);
        seen.push(tempo(&tree));
    }
    stop.store(true, Ordering::Relaxed);
    let last = saving.await.expect("no panic");
    assert!(seen[0] < seen[1] && seen[1] <= last, "{seen:?} of {last}: one after the other");
    while tempo(&tree) != last {
        replay(&mut tree, &viewer.changes().await);
    }
}
