//! What an endpoint writes into a file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tachograph::MetricsCollector;
use tachograph_serve::Server;
use tempfile::TempDir;

use super::client::json;
use super::{Read, endpoint, manual, publish};

/// A file that is not there yet, and its folder.
fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.jsonl");
    (folder, file)
}

/// An endpoint that records into a file.
async fn recording(metrics: &MetricsCollector, file: &Path) -> Server {
    let recording = endpoint(metrics).record(file).expect("a free name");
    recording.serve().await.expect("binds")
}

#[tokio::test]
async fn a_recording_has_everything_up_to_the_end() {
    let (folder, file) = file();
    let metrics = manual();
    let server = recording(&metrics, &file).await;
    for amount in 1..=20 {
        metrics.increment_by("events", amount);
        publish(&metrics);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    metrics.increment_by("events", 1_000);
    publish(&metrics);
    server.shutdown().await;
    // The thread of the file ends with the last connection, which the shutdown has waited for.
    let deadline = Instant::now() + Duration::from_secs(10);
    let read = loop {
        let text = std::fs::read_to_string(&file).expect("a file");
        let read = Read::lines(&text[..text.rfind('\n').map_or(0, |end| end + 1)], "events");
        if read.total == 1_210 || Instant::now() > deadline {
            break read;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(read.total, 1_210);
    let nowhere = endpoint(&metrics).record(folder.path().join("no/where.jsonl"));
    let nowhere = nowhere.expect("nothing is there");
    let told = nowhere.serve().await.expect_err("no such folder").to_string();
    assert!(told.starts_with("cannot record to ") && told.contains("where.jsonl"), "{told}");
}

#[tokio::test]
async fn a_recording_that_has_ended_shows_in_doctor_and_health_until_the_end() {
    let (_folder, file) = file();
    let metrics = manual();
    let server = recording(&metrics, &file).await;
    let addr = server.addr();
    let second = endpoint(&metrics).record(&file).expect("a recording");
    let told = second.serve().await.expect_err("it is taken").to_string();
    assert!(told.contains("another program is recording into it"), "{told}");
    metrics.increment("events");
    publish(&metrics);
    let doctor = async || -> Vec<Value> {
        json(addr, "/doctor").await["findings"].as_array().expect("a list").clone()
    };
    let is_ended = |it: &Value| it["title"] == "the recording has ended";
    assert!(!doctor().await.iter().any(is_ended));
    assert_eq!(json(addr, "/health").await.get("recording_ended"), None);

    std::fs::remove_file(&file).expect("removed");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !doctor().await.iter().any(is_ended) {
        assert!(Instant::now() < deadline, "nothing is said");
        metrics.increment("events");
        publish(&metrics);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    // As if someone had made room: it stays ended, and goes on to say so.
    std::fs::write(&file, "").expect("written");
    for _ in 0..3 {
        let found = doctor().await;
        let ended = &found[0];
        assert!(is_ended(ended) && ended["severity"] == "bad", "worst first: {found:?}");
        let detail = ended["detail"].as_str().expect("a text");
        assert!(detail.contains("run.jsonl: the file is gone"), "{detail}");
        let health = json(addr, "/health").await;
        assert_eq!(health["status"], "ok", "no reason for 503");
        assert_eq!(health["recording_ended"], *detail);
        publish(&metrics);
    }
    assert_eq!(std::fs::read(&file).expect("read"), b"");
    server.shutdown().await;
}

#[test]
fn only_a_plain_file_is_recorded_to() {
    let folder = tempfile::tempdir().expect("a folder");
    for there in [folder.path(), "/dev/zero".as_ref(), "/dev/null".as_ref()] {
        let told = endpoint(&manual()).record(there).expect_err("no file").to_string();
        assert!(
            told.contains("no plain file") && told.contains(&*there.to_string_lossy()),
            "{told}"
        );
    }
}
