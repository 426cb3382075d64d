//! What a save of the set's file does to what events have changed.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use ast_server::Arg;
use common::{Stage, until};
use live_set::generate::Spec;

fn saved(tempo: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let spec = Spec { tempo, ..common::small() };
    spec.write_als(&mut bytes).expect("a vector takes it");
    bytes
}

fn replace(file: &Path, bytes: &[u8]) {
    let new = file.with_extension("new");
    fs::write(&new, bytes).expect("written");
    fs::rename(&new, file).expect("renamed");
}

fn track(stage: &Stage) -> serde_json::Value {
    let track = stage.server.get_track(0).expect("a track");
    let track: serde_json::Value = serde_json::from_str(&track).expect("JSON");
    track["attributes"].clone()
}

fn tempo(stage: &Stage) -> f64 {
    let project = stage.server.find_node_by_id("project").expect("a set");
    project["attributes"]["tempo"].as_f64().expect("a tempo")
}

/// Names the first track and colours it, by events with numbers.
async fn edit(stage: &mut Stage, name: &'static str) {
    let before = stage.count("events.processed");
    let zero = Arg::from(0);
    stage.live.send("/live/track/renamed", &[zero, name.into()]).expect("sent");
    stage.live.send("/live/track/color", &[zero, 0xff_80_00.into()]).expect("sent");
    stage.until_count("events.processed", before + 2).await;
}

async fn is_read_again(stage: &Stage, loads: u64) {
    let count =
        || stage.server.metrics().get_timing("project.load.duration").map_or(0, |it| it.count);
    until("the file is read again", || count() == loads).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn touching_the_file_or_writing_the_same_again_reverts_nothing() {
    let mut stage = Stage::new().await;
    edit(&mut stage, "live").await;
    let before = stage.server.root_hash().expect("a set");
    let later = SystemTime::now() + Duration::from_secs(5);
    let touched = File::options().append(true).open(&stage.file).expect("opened");
    touched.set_modified(later).expect("touched");
    is_read_again(&stage, 2).await;
    assert_eq!(stage.server.root_hash().expect("a set"), before);
    let bytes = fs::read(&stage.file).expect("read");
    replace(&stage.file, &bytes);
    is_read_again(&stage, 3).await;
    assert_eq!(stage.server.root_hash().expect("a set"), before);
    // Nor does a save that has changed something else.
    replace(&stage.file, &saved(141.0));
    until("the save is merged", || tempo(&stage) == 141.0).await;
    let track = track(&stage);
    assert_eq!((&track["name"], &track["color"]), (&"live".into(), &0xff_80_00.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_gap_the_next_changed_save_is_taken_as_it_is_unless_the_gap_was_filled() {
    for is_filled in [true, false] {
        let mut stage = Stage::new().await;
        let in_file = track(&stage)["name"].clone();
        edit(&mut stage, "live").await;
        stage.live.skip(1);
        edit(&mut stage, "live").await;
        if is_filled {
            let args = [2.into(), 0.0.into(), "/live/track/arm".into(), 1.into(), 1.into()];
            let late = ast_server::encode_message("/live/seq", &args);
            stage.live.send_raw(&late).expect("sent");
            stage.until_count("udp.packet.recovered", 1).await;
            stage.until_count("events.processed", 5).await;
        }
        // A save that changes nothing makes nothing good.
        let bytes = fs::read(&stage.file).expect("read");
        replace(&stage.file, &bytes);
        is_read_again(&stage, 2).await;
        assert_eq!(track(&stage)["name"], "live");
        replace(&stage.file, &saved(142.0));
        until("the save is taken", || tempo(&stage) == 142.0).await;
        let expected = if is_filled { "live".into() } else { in_file.clone() };
        assert_eq!(track(&stage)["name"], expected, "filled: {is_filled}");
        // That was it: what comes then stays.
        edit(&mut stage, "again").await;
        replace(&stage.file, &saved(143.0));
        until("the save is merged", || tempo(&stage) == 143.0).await;
        assert_eq!(track(&stage)["name"], "again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_file_counts_even_where_it_has_not_changed() {
    let mut stage = Stage::new().await;
    let in_file = track(&stage)["name"].clone();
    edit(&mut stage, "live").await;
    stage.live.skip(2_000_000);
    stage.live.send("/live/transport/tempo", &[99.0.into()]).expect("sent");
    until("the file is taken as it is", || track(&stage)["name"] == in_file).await;
    assert_eq!(stage.count("udp.sequence.restart"), 1);
    assert_eq!(tempo(&stage), 99.0, "what the new run has told is newer");
}
