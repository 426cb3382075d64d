//! Viewers: what they are sent, and what they may do to the server.

mod common;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ast_server::{Addresses, Arg, AstServer, Service};
use common::replay::{field, node, replay, without_hashes};
use common::{Stage, until};
use serde_json::{Value, json};
use tachograph_serve::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{client_async, tungstenite};

const RENAMED: &str = "/live/track/renamed";
const PARAM: &str = "/live/device/param";
const TEMPO: &str = "/live/transport/tempo";

fn rename(server: &AstServer, seq: u32, name: &str) {
    let outcome = server.process_live_event(RENAMED, &[Arg::from(0), Arg::from(name)], seq, 0.0);
    assert_eq!(outcome, ast_server::Outcome::Processed);
}

#[tokio::test]
async fn without_a_set_a_viewer_is_told_so_and_gets_the_tree_after_the_load() {
    let mut stage = Stage::empty(AstServer::builder()).await;
    let mut viewer = stage.viewer().await;
    assert_eq!(viewer.next("ERROR").await, json!({ "error": "No AST loaded" }));

    stage.live.send(RENAMED, &[Arg::from(0), Arg::from("Lost")]).expect("sent");
    stage.until_count("events.ignored.no_ast", 1).await;
    stage.server.load_project(&stage.file).expect("the set loads");
    let payload = viewer.next("FULL_AST").await;
    assert_eq!(payload["project_path"], stage.file.to_string_lossy().as_ref());
    assert_eq!(payload["ast"]["hash"], stage.server.root_hash().expect("a set").to_string());
}

#[tokio::test]
async fn a_failed_load_keeps_the_tree_and_tells_viewers_why() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    let before = stage.server.root_hash().expect("a set");
    stage.server.load_project("/nowhere/song.als").expect_err("no such file");
    let payload = viewer.next("ERROR").await;
    assert_eq!(payload["error"], "Reload failed");
    let reason = payload["details"]["reason"].as_str().expect("text");
    assert!(reason.contains("/nowhere/song.als"), "{reason}");
    assert_eq!(stage.server.root_hash().expect("a set"), before);
}

#[tokio::test]
async fn valid_json_is_acknowledged_and_anything_else_is_an_error() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    viewer.send(r#"{"type": "GET", "request_id": "r-1"}"#).await;
    assert_eq!(viewer.next("ACK").await, json!({ "status": "ok", "request_id": "r-1" }));
    viewer.send("17").await;
    assert_eq!(viewer.next("ACK").await, json!({ "status": "ok" }));
    viewer.send("{nonsense").await;
    assert_eq!(viewer.next("ERROR").await["error"], "Invalid JSON");
    assert_eq!(stage.count("websocket.message.invalid"), 1);
}

#[tokio::test]
async fn a_wide_gap_is_announced_and_a_narrow_one_is_not() {
    let mut stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    let mut send = |skip: u32, name: &'static str| {
        stage.live.skip(skip);
        stage.live.send(RENAMED, &[Arg::from(0), Arg::from(name)]).expect("sent");
    };
    send(0, "a");
    send(4, "b");
    send(5, "c");
    assert_eq!(viewer.changes().await[0]["seq_num"], 0);
    assert_eq!(viewer.changes().await[0]["seq_num"], 5, "four missing events are not announced");
    let gap = viewer.next("ERROR").await;
    assert_eq!(gap["error"], "Sequence gap");
    assert_eq!(gap["details"], json!({ "missing": 5, "seq_num": 11 }));
    assert_eq!(viewer.changes().await[0]["seq_num"], 11);
}

/// Ends the storm with the test, even by a failed assertion.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends events without a pause until it is told to stop; each value is greater than the last.
fn storm(server: &AstServer, stop: &AtomicBool) {
    // Above every value that the set starts with.
    let mut value = 1_000.0;
    while !stop.load(Ordering::Relaxed) {
        value += 1.0;
        let track = Arg::from(0);
        let events: [(&str, &[Arg<'_>]); 3] = [
            ("/live/track/volume", &[track, value.into()]),
            (PARAM, &[track, 0.into(), 0.into(), value.into()]),
            (TEMPO, &[value.into()]),
        ];
        for (path, args) in events {
            let _ = server.process_live_event(path, args, None, 0.0);
        }
        // Viewers in a debug build keep up with this.
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// Reads diffs into a tree until a volume has come `wanted` times. A volume must follow the one
/// before it; what is held back must at least be newer than what the viewer has.
async fn follow(stage: &Stage, wanted: usize) -> usize {
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let (mut volumes, mut held_back) = (0, 0);
    while volumes < wanted {
        for record in viewer.changes().await {
            let known = field(node(&mut tree, &record["node_id"]), &record).as_f64();
            let throttled = record["attribute"] == "value" || record["attribute"] == "tempo";
            if throttled {
                assert!(record["new_value"].as_f64() > known, "doubled: {record}, known {known:?}");
                *field(node(&mut tree, &record["node_id"]), &record) = record["new_value"].clone();
                held_back += 1;
            } else {
                replay(&mut tree, std::slice::from_ref(&record));
                volumes += 1;
            }
        }
    }
    held_back
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_diff_is_lost_or_doubled_after_the_tree_however_busy_the_server_is() {
    let builder = AstServer::builder().broadcast_interval(Duration::from_millis(5));
    let stage = Stage::with(builder).await;
    let stop = AtomicBool::new(false);
    let held_back = std::thread::scope(|threads| {
        threads.spawn(|| storm(&stage.server, &stop));
        let _stop = SetOnDrop(&stop);
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let mut held_back = 0;
                for _ in 0..10 {
                    held_back += follow(&stage, 100).await;
                }
                held_back
            })
        })
    });
    assert!(held_back > 0, "no device parameter came in between");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_parameter_is_sent_at_most_once_an_interval_and_its_last_value_always() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let mut tree = viewer.tree().await;
    let server = stage.server.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let mut value: f32 = 1.0;
        while start.elapsed() < Duration::from_millis(550) {
            value += 1.0;
            let zero = Arg::from(0);
            let _ = server.process_live_event(PARAM, &[zero, zero, zero, value.into()], 1, 0.0);
            let _ = server.process_live_event(TEMPO, &[value.into()], 1, 0.0);
            std::thread::sleep(Duration::from_millis(2));
        }
        (f64::from(value), start.elapsed())
    });
    let (mut parameters, mut tempos) = (vec![], vec![]);
    let mut sent = None;
    let mut sending = std::pin::pin!(sending);
    loop {
        let last = sent.map(|(value, _)| value);
        if last.is_some() && last == parameters.last().copied() && last == tempos.last().copied() {
            break;
        }
        let records = tokio::select! {
            done = &mut sending, if sent.is_none() => {
                sent = Some(done.expect("no panic"));
                continue;
            }
            records = viewer.changes() => records,
        };
        replay(&mut tree, &records);
        let value = records[0]["new_value"].as_f64().expect("a number");
        if records[0]["attribute"] == "tempo" { tempos.push(value) } else { parameters.push(value) }
    }
    let (_, took) = sent.expect("all is sent");
    let intervals = usize::try_from(took.as_millis() / 100).expect("short");
    for sent in [&parameters, &tempos] {
        // One at once, one an interval, and the last.
        assert!((3..=intervals + 2).contains(&sent.len()), "{sent:?} in {took:?}");
    }
}

/// The text of a message of more than 20 KB.
fn long(name: usize) -> String {
    format!("{name:020000}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_does_not_read_is_evicted_and_delays_nobody() {
    // Longer than a busy machine takes to fill the queue.
    let limit = Duration::from_secs(3);
    let builder = AstServer::builder().client_queue(8).evict_after(limit);
    let stage = Stage::with(builder).await;
    let deaf = stage.viewer().await;
    let mut good = stage.viewer().await;
    let mut tree = good.tree().await;
    until("two viewers", || stage.server.viewers() == 2).await;

    let mut sent = 0;
    let start = Instant::now();
    while stage.count("websocket.client.evicted") == 0 {
        assert!(start.elapsed() < common::DEADLINE, "not evicted after {sent} messages");
        rename(&stage.server, 1, &long(sent));
        replay(&mut tree, &good.changes().await);
        sent += 1;
    }
    until("one viewer", || stage.server.viewers() == 1).await;
    assert!(stage.count("websocket.broadcast.failure") > 0);
    let failed = stage.count("websocket.broadcast.failure");
    let succeeded = stage.count("websocket.broadcast.success");
    assert_eq!(stage.count("websocket.broadcast.attempt"), failed + succeeded);
    assert_eq!(
        stage.server.metrics().get_gauge("websocket.clients").expect("a gauge").max,
        Some(2.0)
    );
    assert_eq!(without_hashes(tree), without_hashes(stage.viewer().await.tree().await));
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_reads_again_is_sent_the_whole_tree_in_place_of_what_it_missed() {
    let stage = Stage::with(AstServer::builder().client_queue(8)).await;
    let mut slow = stage.viewer().await;
    let mut tree = slow.tree().await;
    let mut sent = 0;
    while stage.count("websocket.broadcast.failure") < 3 {
        rename(&stage.server, 1, &long(sent));
        sent += 1;
    }
    let mut resynced = false;
    let last = long(sent - 1);
    let track = tree["children"][0]["id"].clone();
    while node(&mut tree, &track)["attributes"]["name"] != last.as_str() {
        let mut message = slow.try_next().await.expect("it stays connected");
        match message["type"].as_str() {
            Some("FULL_AST") => {
                tree = message["payload"]["ast"].take();
                resynced = true;
            }
            _ => {
                let changes = message["payload"]["diff"]["changes"].as_array().expect("a list");
                replay(&mut tree, changes);
            }
        }
    }
    assert!(resynced, "changes were lost and no tree came");
    assert!(stage.count("websocket.client.resynced") > 0);
    assert_eq!(stage.count("websocket.client.evicted"), 0);
    rename(&stage.server, 1, "and on it goes");
    replay(&mut tree, &slow.changes().await);
    assert_eq!(without_hashes(tree), without_hashes(stage.viewer().await.tree().await));
}

#[tokio::test]
async fn huge_requests_and_what_is_no_websocket_end_their_connection_only() {
    let stage = Stage::new().await;
    let mut good = stage.viewer().await;
    good.tree().await;

    let mut greedy = stage.viewer().await;
    greedy.tree().await;
    // The server may close before it has read all of it.
    let huge = tokio_tungstenite::tungstenite::Message::text(" ".repeat(1 << 20));
    let _ = futures_util::SinkExt::send(&mut greedy.socket, huge).await;
    assert_eq!(greedy.try_next().await, None);

    let mut stranger = TcpStream::connect(stage.service.addresses().websocket).await.expect("open");
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
    let mut answer = Vec::new();
    let _ = stranger.read_to_end(&mut answer).await;
    stage.until_count("websocket.client.refused", 1).await;

    rename(&stage.server, 1, "still here");
    assert_eq!(good.changes().await[0]["new_value"], json!({ "name": "still here" }));
}

/// The status with which a handshake is refused.
async fn refusal(to: SocketAddr, origin: Option<&str>) -> u16 {
    let stream = TcpStream::connect(to).await.expect("accepted by the kernel");
    let mut request = format!("ws://{to}").into_client_request().expect("a request");
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
    }
    match client_async(request, stream).await {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("no answer: {other}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn pages_from_elsewhere_do_not_connect_unless_their_host_is_known() {
    let stage = Stage::new().await;
    let to = stage.service.addresses().websocket;
    for foreign in ["https://example.com", "http://localhost.example.com", "null", "nonsense"] {
        assert_eq!(refusal(to, Some(foreign)).await, 403, "{foreign}");
    }
    for own in ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8080"] {
        assert_eq!(refusal(to, Some(own)).await, 101, "{own}");
    }
    assert_eq!(stage.count("websocket.client.refused"), 4);

    let server = AstServer::new();
    let endpoint = Endpoint::new(server.metrics().clone());
    let endpoint = ["example.com", "null"].iter().try_fold(endpoint, Endpoint::allow_host);
    let endpoint = endpoint.expect("two names");
    let service = Service::start_with(&server, Addresses::free(), endpoint);
    let service = service.await.expect("free ports");
    let to = service.addresses().websocket;
    for (origin, status) in [("https://example.com", 101), ("null", 101), ("http://a.b", 403)] {
        assert_eq!(refusal(to, Some(origin)).await, status, "{origin}");
    }
}

#[tokio::test]
async fn viewers_beyond_the_limit_are_refused_until_one_leaves() {
    let stage = Stage::with(AstServer::builder().max_clients(1)).await;
    let mut first = stage.viewer().await;
    first.tree().await;
    let to = stage.service.addresses().websocket;
    assert_eq!(refusal(to, None).await, 503);
    assert_eq!(stage.count("websocket.client.refused"), 1);

    drop(first);
    until("no viewer", || stage.server.viewers() == 0).await;
    // The place is given back a moment after the viewer is gone.
    let start = Instant::now();
    loop {
        let stream = TcpStream::connect(to).await.expect("the server listens");
        if client_async(format!("ws://{to}"), stream).await.is_ok() {
            break;
        }
        assert!(start.elapsed() < common::DEADLINE, "the place is not given back");
    }
}

#[tokio::test]
async fn stopping_says_goodbye_to_viewers() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    let Stage { server, service, .. } = stage;
    service.stop().await;
    assert_eq!(viewer.try_next().await, None);
    assert_eq!(server.viewers(), 0);
}

#[tokio::test]
async fn each_message_is_measured_once_however_many_viewers_there_are() {
    let stage = Stage::new().await;
    let mut viewers = [stage.viewer().await, stage.viewer().await, stage.viewer().await];
    for viewer in &mut viewers {
        viewer.tree().await;
    }
    let sizes = || stage.server.metrics().get_timing("websocket.message.size").expect("sizes");
    let before = sizes();
    assert_eq!(before.count, 1, "one tree, serialised once for three viewers");
    rename(&stage.server, 3, "x");
    let mut texts = vec![];
    for viewer in &mut viewers {
        texts.push(viewer.try_next().await.expect("a diff"));
    }
    assert!(texts.iter().all(|text: &Value| *text == texts[0]));
    let after = sizes();
    assert_eq!(after.count, 2);
    let length = (after.sum - before.sum) as usize;
    assert_eq!(length, serde_json::to_string(&texts[0]).expect("JSON").len());
    assert_eq!(stage.count("websocket.broadcast.success"), 1);
}
