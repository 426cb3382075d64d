//! Saves in a time that moves only while everything waits.

use std::fs;
use std::time::SystemTime;

use live_set::generate::Spec;

use super::*;

const PAUSE: Duration = Duration::from_millis(50);

/// Saves with another tempo and another time, as if by an editor.
fn save(file: &Path, number: u32) {
    let (tempo, new) = (100.0 + f64::from(number), file.with_extension("new"));
    let spec = Spec { tracks: 1, scenes: 1, clips: 0, tempo, ..Spec::default() };
    let to = fs::File::create(&new).expect("a file");
    spec.write_als(&to).expect("written");
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(number.into());
    to.set_modified(at).expect("a time");
    fs::rename(&new, file).expect("renamed");
}

fn count(server: &AstServer, name: &str) -> u64 {
    server.metrics().get_timing(name).expect("a timing").count
}

fn tempo(server: &AstServer) -> f64 {
    server.state().loaded().expect("a set").set().project().tempo
}

/// A server that loads a set when it is told that there may be a save.
fn watched(file: &Path) -> AstServer {
    save(file, 0);
    let server = AstServer::builder().watch(false).build();
    server.load_project(file).expect("the set loads");
    tokio::spawn(run(server.clone()));
    server
}

/// Time moves only while everything waits, and not while a file is read.
#[tokio::test(start_paused = true)]
async fn of_a_stream_of_saves_one_is_loaded_every_2_s_and_the_last() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("set.als");
    let server = watched(&file);
    let span = 10 * STREAM_EVERY;
    let saves = u32::try_from(span.as_millis() / PAUSE.as_millis()).expect("a few");
    for number in 1..=saves {
        save(&file, number);
        server.look().notify_one();
        sleep(PAUSE).await;
    }
    let loads = count(&server, "project.load.duration") - 1;
    // Each ends with a file that was still for a moment, which may be 100 ms late.
    assert!((9..=10).contains(&loads), "{loads} loads of {saves} saves in {span:?}");
    sleep(PATIENCE).await;
    assert_eq!(tempo(&server), 100.0 + f64::from(saves));
    assert!(count(&server, "project.load.duration") - 1 <= loads + 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_loaded_is_tried_again_after_growing_pauses_and_told_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("set.als");
    let server = watched(&file);
    fs::remove_file(&file).expect("removed");
    server.look().notify_one();
    let failed = || {
        let stats = server.metrics().get_counter("project.load.failed");
        stats.expect("a counter").value
    };
    sleep(Duration::from_secs(5)).await;
    assert!(server.file_problem().is_some_and(|told| told.contains("set.als")));
    let before = failed();
    sleep(Duration::from_secs(600)).await;
    // After 1, 2, 4, 8, 16 and 32 s, then every minute; every look comes with a second's delay.
    let tries = failed() - before;
    assert!((12..=16).contains(&tries), "{tries} attempts in ten minutes");
    save(&file, 1);
    server.look().notify_one();
    sleep(PATIENCE).await;
    assert_eq!((server.file_problem(), tempo(&server)), (None, 101.0));
}
