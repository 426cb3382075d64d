//! Queries, in process and over HTTP, and the cache behind some of them.

mod common;

use std::net::SocketAddr;

use ast_server::{Addresses, Arg, AstServer, NodeQuery, Operator, Service};
use common::{Stage, walk};
use live_set::generate::Spec;
use serde_json::{Value, json};
use tachograph_serve::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Asks for a path with a header more; gives the status, the head and the body.
async fn ask(to: SocketAddr, path: &str, header: &str) -> (u16, String, String) {
    request(to, "GET", path, header).await
}

async fn request(to: SocketAddr, method: &str, path: &str, header: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(to).await.expect("it listens");
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    (status, head.to_lowercase(), body.to_owned())
}

/// Posts to a path; gives the status and the answer.
async fn post(stage: &Stage, path: &str) -> (u16, Value) {
    let (status, _, body) = request(stage.service.addresses().http, "POST", path, "").await;
    (status, serde_json::from_str(&body).expect("JSON"))
}

async fn get(stage: &Stage, path: &str) -> Value {
    let (status, _, body) = ask(stage.service.addresses().http, path, "").await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

async fn refused(stage: &Stage, path: &str) -> (u16, String) {
    let (status, head, body) = ask(stage.service.addresses().http, path, "").await;
    assert!(head.contains("application/json"), "{path}: {head}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    (status, body["error"].as_str().expect("a reason").to_owned())
}

fn to_json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

/// What somebody reads who is sent it as text: floats lose their last bit on that way in tests.
fn as_sent(value: &impl serde::Serialize) -> Value {
    to_json(&serde_json::to_string(value).expect("JSON"))
}

#[tokio::test]
async fn queries_answer_what_a_walk_of_the_whole_tree_finds() {
    let stage = Stage::new().await;
    let server = &stage.server;
    let _ = server.process_live_event("/live/track/volume", &[2.into(), 0.125.into()], 1, 0.0);
    let _ = server.process_live_event("/live/track/mute", &[1.into(), true.into()], 2, 0.0);
    let tree = stage.viewer().await.tree().await;
    let mut all = Vec::new();
    walk(&tree, &mut all);
    let of_type = |node_type: &str| -> Vec<Value> {
        all.iter().filter(|node| node["node_type"] == node_type).map(|&node| node.clone()).collect()
    };
    for node_type in ["project", "track", "device", "clip_slot", "clip", "scene", "mixer"] {
        let expected = of_type(node_type);
        assert!(!expected.is_empty(), "{node_type}");
        let found = server.find_nodes_by_type(node_type).expect("a type");
        assert!(as_sent(&found) == json!(expected), "{node_type}");
        assert_eq!(get(&stage, &format!("/nodes?type={node_type}")).await, json!(expected));
    }
    for node in &all {
        let id = node["id"].as_str().expect("text");
        assert!(as_sent(&server.find_node_by_id(id).expect("a node")) == **node, "{id}");
    }
    let id = all[7]["id"].as_str().expect("text").replace('/', "%2F");
    assert_eq!(get(&stage, &format!("/node?id={id}")).await, *all[7]);

    let found = |query: &str, wanted: &dyn Fn(&Value) -> bool| {
        let expected: Vec<_> =
            all.iter().filter(|node| wanted(node)).map(|&it| it.clone()).collect();
        assert!(!expected.is_empty(), "{query} means something");
        (format!("/nodes?{query}"), json!(expected))
    };
    let number = |node: &Value, name: &str| node["attributes"][name].as_f64();
    let has = |node: &Value, name: &str, wanted: &Value| {
        node["attributes"][name].as_array().is_some_and(|values| values.contains(wanted))
    };
    let send = all.iter().find_map(|it| it["attributes"]["sends"].as_array()?.first());
    let send = send.expect("a mixer with sends");
    let cases = [
        found("attribute=volume&op=%3D%3D&value=0.125", &|it| number(it, "volume") == Some(0.125)),
        found("attribute=volume&op=!%3D&value=0.125", &|it| {
            number(it, "volume").is_some_and(|volume| volume != 0.125)
        }),
        found("attribute=scene_index&op=%3C&value=2&type=clip_slot", &|it| {
            it["node_type"] == "clip_slot" && number(it, "scene_index") < Some(2.0)
        }),
        found("attribute=index&op=%3E&value=3", &|it| number(it, "index") > Some(3.0)),
        found("attribute=is_muted&op=%3D%3D&value=true", &|it| {
            it["attributes"]["is_muted"] == true
        }),
        found("attribute=sends_enabled&op=contains&value=true", &|it| {
            has(it, "sends_enabled", &json!(true))
        }),
        found(&format!("attribute=sends&op=contains&value={send}"), &|it| has(it, "sends", send)),
        found("attribute=name&op=contains&value=1", &|it| {
            it["attributes"]["name"].as_str().is_some_and(|name| name.contains('1'))
        }),
    ];
    for (path, expected) in cases {
        assert!(get(&stage, &path).await == expected, "{path}");
    }
    let query = NodeQuery::new("volume", Operator::Equal, "0.125");
    let both = server.query_nodes(&query).expect("a set");
    assert_eq!(both.len(), 2, "the track and its mixer");
    let none = NodeQuery::new("volume", Operator::NotEqual, "loud");
    assert!(server.query_nodes(&none).expect("a set").is_empty(), "a number is no text");
    common::assert_conserved(server);
}

#[tokio::test]
async fn the_state_of_the_server_is_told_in_numbers() {
    let stage = Stage::new().await;
    let info = get(&stage, "/project").await;
    let expected = stage.server.get_project_info().expect("a set");
    assert_eq!(info, serde_json::to_value(expected).expect("JSON"));
    assert_eq!((&info["num_tracks"], &info["num_scenes"]), (&json!(6), &json!(8)));
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    assert_eq!(get(&stage, "/websocket").await["clients"], 1);
}

#[tokio::test]
async fn a_file_beside_the_set_is_compared_and_no_other_is_opened() {
    let stage = Stage::new().await;
    let folder = stage.file.parent().expect("a folder");
    std::fs::create_dir(folder.join("Backup")).expect("a folder");
    let faster = Spec { tempo: 151.0, ..common::small() };
    common::write(&folder.join("Backup"), "faster.als", &faster);
    let diff = get(&stage, "/diff?file=Backup/faster.als").await;
    assert_eq!(diff["changes"][0]["path"], "project");
    assert_eq!(diff["changes"][0]["new_value"], 151.0);
    assert_eq!(get(&stage, "/diff?file=set.als").await["changes"], json!([]));

    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let outside = common::write(elsewhere.path(), "secret.als", &common::small());
    std::os::unix::fs::symlink(&outside, folder.join("link.als")).expect("a link");
    let outside = outside.to_str().expect("UTF-8");
    for name in [outside, "../set.als", "link.als", "Backup", ".", "", "Backup/../../x.als"] {
        let (status, reason) = refused(&stage, &format!("/diff?file={name}")).await;
        assert_eq!(status, 403, "{name}: {reason}");
    }
    assert_eq!(refused(&stage, "/diff?file=missing.als").await.0, 404);
    std::fs::write(folder.join("broken.als"), b"no set").expect("written");
    let (status, reason) = refused(&stage, "/diff?file=broken.als").await;
    assert!(status == 422 && reason.contains("broken.als"), "{status} {reason}");
}

#[tokio::test]
async fn what_cannot_be_answered_says_what_to_ask_for() {
    let stage = Stage::new().await;
    for (path, status, told) in [
        ("/nodes?type=dragon", 400, "clip_slot"),
        ("/nodes", 400, "?type="),
        ("/nodes?attribute=name&op=like&value=x", 400, "contains"),
        ("/nodes?attribute=name", 400, "op="),
        ("/nodes?kind=track", 400, "kind"),
        ("/node?id=track:9999", 404, "track:9999"),
        ("/node", 400, "id"),
        ("/tracks/6", 404, "6"),
        ("/scenes/8", 404, "8"),
        ("/scenes/-1", 400, "-1"),
        ("/tracks/18446744073709551615", 404, "18446744073709551615"),
        ("/diff", 400, "file"),
    ] {
        let (answered, reason) = refused(&stage, path).await;
        assert_eq!(answered, status, "{path}: {reason}");
        assert!(reason.contains(told), "{path}: {reason}");
    }
}

#[tokio::test]
async fn without_a_set_every_query_says_so_and_how_to_load_one() {
    let empty = Stage::empty(AstServer::builder()).await;
    let queries = [
        "/project",
        "/tracks",
        "/tracks/0",
        "/scenes",
        "/scenes/0",
        "/nodes?type=track",
        "/nodes?attribute=name&op=contains&value=a",
        "/node?id=x",
        "/diff?file=a",
    ];
    for path in queries {
        let (status, reason) = refused(&empty, path).await;
        assert_eq!(status, 503, "{path}: {reason}");
        for told in ["no set is loaded", "POST /load?file=", "load_project"] {
            assert!(reason.contains(told), "{path}: {reason}");
        }
    }
    assert_eq!(post(&empty, "/reload").await.0, 503);
    let (status, answer) = post(&empty, "/load?file=set.als").await;
    assert!(status == 503 && answer["error"].to_string().contains("--sets"), "{status} {answer}");
}

#[tokio::test]
async fn another_set_of_the_folder_is_loaded_and_viewers_are_sent_it() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let stage = Stage::with(AstServer::builder().sets(elsewhere.path())).await;
    let folder = stage.file.parent().expect("a folder");
    std::fs::create_dir(folder.join("Next")).expect("a folder");
    let tempo = |tempo| Spec { tempo, ..common::small() };
    let next = common::write(&folder.join("Next"), "b.als", &tempo(151.0));
    common::write(elsewhere.path(), "c.als", &tempo(152.0));
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    for (name, tempo) in [("Next/b.als", 151.0), ("c.als", 152.0), ("set.als", 120.0)] {
        let (status, report) = post(&stage, &format!("/load?file={name}")).await;
        assert_eq!((status, &report["status"]), (200, &json!("success")), "{name}: {report}");
        let tree = viewer.tree().await;
        assert_eq!(tree["attributes"]["tempo"], tempo, "{name}");
        assert_eq!(report["root_hash"], tree["hash"], "{name}");
        assert_eq!(get(&stage, "/project").await["root_hash"], tree["hash"], "{name}");
    }
    // The one that is loaded now is watched.
    assert_eq!(post(&stage, "/load?file=Next/b.als").await.0, 200);
    viewer.tree().await;
    common::write(&folder.join("Next"), "new.als", &tempo(99.0));
    std::fs::rename(folder.join("Next/new.als"), next).expect("renamed");
    assert_eq!(viewer.changes().await[0]["new_value"], 99.0);
}

#[tokio::test]
async fn nothing_but_a_set_of_the_folders_is_loaded() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let stage = Stage::with(AstServer::builder().sets(elsewhere.path().join("sets"))).await;
    let folder = stage.file.parent().expect("a folder");
    let before = stage.server.root_hash().expect("a set");
    let outside = common::write(elsewhere.path(), "secret.als", &common::small());
    std::os::unix::fs::symlink(&outside, folder.join("link.als")).expect("a link");
    std::os::unix::fs::symlink(elsewhere.path(), folder.join("out")).expect("a link");
    std::os::unix::fs::symlink("/dev/zero", folder.join("zero.als")).expect("a link");
    let pipe = folder.join("pipe.als");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    std::fs::write(folder.join("broken.als"), b"no set").expect("written");
    let outside = outside.to_str().expect("UTF-8");
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    for (name, expected) in [
        (outside, 403),
        ("../set.als", 403),
        ("..%2Fset.als", 403),
        ("link.als", 403),
        ("out/secret.als", 403),
        ("zero.als", 403),
        ("pipe.als", 403),
        (".", 403),
        ("", 403),
        ("set.als%00.txt", 403),
        ("missing.als", 404),
        ("set.als/set.als", 404),
        ("broken.als", 422),
    ] {
        for (method, route) in [("POST", "load"), ("GET", "diff")] {
            let to = stage.service.addresses().http;
            let path = format!("/{route}?file={name}");
            let (status, _, body) = request(to, method, &path, "").await;
            assert_eq!(status, expected, "{method} {path}: {body}");
        }
    }
    assert_eq!(stage.server.root_hash().expect("a set"), before);
    assert!(stage.server.load_project(&pipe).is_err(), "nobody waits for a writer");
    // Of the file that is no set viewers are told, as of one that is saved.
    assert_eq!(viewer.next("ERROR").await["error"], "Reload failed");
}

#[tokio::test]
async fn the_file_is_taken_as_it_is_when_somebody_asks_for_it() {
    let stage = Stage::new().await;
    let before = stage.server.root_hash().expect("a set");
    let track: Value =
        serde_json::from_str(&stage.server.get_track(0).expect("a track")).expect("JSON");
    let is_muted = track["attributes"]["is_muted"].as_bool().expect("a flag");
    let mute = [0.into(), (!is_muted).into()];
    let _ = stage.server.process_live_event("/live/track/mute", &mute, 1, 0.0);
    assert_ne!(stage.server.root_hash().expect("a set"), before);
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    let (status, report) = post(&stage, "/reload").await;
    assert_eq!((status, report["root_hash"].as_str()), (200, Some(&*before.to_string())));
    assert_eq!(stage.server.root_hash().expect("a set"), before);
    assert_eq!(viewer.changes().await[0]["attribute"], "is_muted", "viewers are told");
    std::fs::remove_file(&stage.file).expect("removed");
    assert_eq!(post(&stage, "/reload").await.0, 404);
}

#[tokio::test]
async fn queries_are_for_whom_the_endpoint_lets_in() {
    let server = AstServer::new();
    let endpoint = Endpoint::new(server.metrics().clone()).bearer_token("secret").expect("a token");
    let service = Service::start_with(&server, Addresses::free(), endpoint);
    let service = service.await.expect("free ports");
    let http = service.addresses().http;
    assert_eq!(ask(http, "/cache", "").await.0, 401);
    for path in ["/load?file=set.als", "/reload"] {
        assert_eq!(request(http, "POST", path, "").await.0, 401, "{path}");
        let with_token = "Authorization: Bearer secret\r\n";
        assert_eq!(request(http, "POST", path, with_token).await.0, 503, "no set, {path}");
        let from_page = "Authorization: Bearer secret\r\nOrigin: https://example.com\r\n";
        assert_eq!(request(http, "POST", path, from_page).await.0, 403, "{path}");
    }
    let (status, head, _) = ask(http, "/cache", "Authorization: Bearer secret\r\n").await;
    assert_eq!(status, 200);
    assert!(head.contains("no-store") && head.contains("nosniff"), "{head}");
    let foreign = "Authorization: Bearer secret\r\nOrigin: https://example.com\r\n";
    assert_eq!(ask(http, "/cache", foreign).await.0, 403);
}

#[tokio::test]
async fn the_cache_is_never_stale_whatever_changes_the_tree() {
    let stage = Stage::new().await;
    let server = &stage.server;
    let events: [(&str, Vec<Arg<'_>>); 8] = [
        ("/live/track/renamed", vec![0.into(), "New".into()]),
        ("/live/device/param", vec![0.into(), 0.into(), 0.into(), 0.5.into()]),
        ("/live/clip_slot/playing_status", vec![1.into(), 0.into(), 1.into()]),
        ("/live/scene/renamed", vec![3.into(), "Drop".into()]),
        ("/live/track/added", vec![1.into(), "Between".into(), "midi".into()]),
        ("/live/scene/removed", vec![0.into()]),
        ("/live/track/deleted", vec![0.into()]),
        ("/live/transport/tempo", vec![99.0.into()]),
    ];
    let check = || {
        let nodes = |node_type| as_sent(&server.find_nodes_by_type(node_type).expect("a set"));
        let (tracks, scenes) = (nodes("track"), nodes("scene"));
        for _ in 0..2 {
            assert!(to_json(&server.get_tracks().expect("a set")) == tracks);
            assert!(to_json(&server.get_scenes().expect("a set")) == scenes);
            for (index, track) in list(&tracks).iter().enumerate() {
                assert!(to_json(&server.get_track(index).expect("a track")) == *track);
            }
            for (index, scene) in list(&scenes).iter().enumerate() {
                assert!(to_json(&server.get_scene(index).expect("a scene")) == *scene);
            }
        }
    };
    check();
    for (path, args) in &events {
        let outcome = server.process_live_event(path, args, 1, 0.0);
        assert_eq!(outcome, ast_server::Outcome::Processed, "{path}");
        check();
    }
    server.load_project(&stage.file).expect("the set loads");
    check();
    let stats = server.get_cache_stats();
    assert!(stats.hits > 0 && stats.invalidations > 0, "{stats:?}");
    assert_eq!(stage.count("cache.hit"), i128::from(stats.hits));
    assert_eq!(stage.count("cache.miss"), i128::from(stats.misses));
    assert_eq!(stage.count("cache.invalidation"), i128::from(stats.invalidations));
    let summary = server.get_metrics_summary();
    let rate = (stats.hit_rate * 1_000.0).round() / 10.0;
    assert_eq!(summary.cache.hit_rate_percent, rate);
}

#[tokio::test]
async fn the_cache_keeps_what_was_used_last_and_can_be_switched_off() {
    let stage = Stage::with(AstServer::builder().cache_entries(2)).await;
    let server = &stage.server;
    let ask = |scene: usize| {
        let before = server.get_cache_stats().hits;
        server.get_scene(scene).expect("a scene");
        server.get_cache_stats().hits > before
    };
    assert_eq!([ask(0), ask(1), ask(0), ask(2)], [false, false, true, false]);
    assert_eq!([ask(0), ask(1)], [true, false], "1 was used least recently");
    let stats = server.get_cache_stats();
    assert_eq!((stats.scenes, stats.tracks, stats.evictions, stats.capacity), (2, 0, 2, 2));
    assert_eq!(stage.count("cache.eviction"), 2);

    server.set_cache_enabled(false);
    assert!(!ask(1), "nothing is looked up in it");
    let off = server.get_cache_stats();
    assert_eq!((off.enabled, off.scenes, off.misses), (false, 0, stats.misses));
    assert_eq!(get(&stage, "/scenes/1").await, to_json(&server.get_scene(1).expect("a scene")));
    server.set_cache_enabled(true);
    assert_eq!([ask(1), ask(1)], [false, true]);
    assert_eq!(get(&stage, "/cache").await["scenes"], 1);
}
