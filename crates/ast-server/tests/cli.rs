//! The binary: what it prints, and how it ends.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ast_server::{Arg, EventSender};
use common::program::{ast_server, failure, receive, run, text, utf8};
use serde_json::{Value, json};

/// What a command prints, which succeeds.
fn json(args: &[&str]) -> Value {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON and nothing else")
}

#[test]
fn info_tells_a_set_in_numbers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let info = json(&["info", utf8(&file)]);
    assert_eq!(info["file"], utf8(&file));
    // Four tracks, a return and the main track.
    assert_eq!((&info["num_tracks"], &info["num_scenes"]), (&json!(6), &json!(8)));
    assert_eq!((&info["num_clips"], &info["num_devices"]), (&json!(12), &json!(10)));
    assert_eq!(info["track_names"].as_array().map(Vec::len), Some(6));
    assert_eq!(info["root_hash"].as_str().map(str::len), Some(32));
}

#[test]
fn tree_prints_what_viewers_are_sent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let printed = text(&run(&["tree", utf8(&file)]).stdout);
    let set = ast_server::read(&file).expect("the set reads");
    let expected = serde_json::to_string_pretty(&set.root()).expect("JSON");
    // Without the two trees in the message: they are long.
    assert!(printed.trim_end() == expected, "another tree");
    assert_eq!(json(&["tree", utf8(&file)])["node_type"], "project");
}

#[test]
fn diff_is_empty_for_a_set_and_itself_and_names_what_differs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let before = common::write(folder.path(), "a.als", &common::small());
    let faster = live_set::generate::Spec { tempo: 140.0, ..common::small() };
    let after = common::write(folder.path(), "b.als", &faster);
    let empty = json!({ "changes": [], "added": [], "removed": [], "modified": [] });
    assert_eq!(json(&["diff", utf8(&before), utf8(&before)]), empty);
    let diff = json(&["diff", utf8(&before), utf8(&after)]);
    let changes = diff["changes"].as_array().expect("a list");
    assert_eq!(changes[0]["path"], "project");
    // The project, and a scene each.
    assert_eq!(changes.len(), 1 + 8);
    for change in changes {
        assert_eq!((&change["attribute"], &change["new_value"]), (&json!("tempo"), &json!(140.0)));
    }
}

/// The folder of real sets, where there is one.
fn real_sets() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sets");
    if folder.is_dir() {
        return Some(folder);
    }
    let missing = format!("the real sets are not at {}", folder.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
    None
}

#[test]
fn real_sets_differ_in_what_their_names_say() {
    let Some(folder) = real_sets() else { return };
    let set = |name: &str| folder.join(name).to_str().expect("a UTF-8 path").to_owned();
    let diff = json(&["diff", &set("foo-11.3-backup.als"), &set("foo-11.3.als")]);
    let changes = diff["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(
        (&changes[0]["path"], &changes[0]["attribute"]),
        (&json!("project"), &json!("tempo"))
    );
    for name in ["foo-11.3.als", "bar-11.3.als", "default-12.1.als"] {
        assert_eq!(json(&["diff", &set(name), &set(name)])["changes"], json!([]), "{name}");
        assert!(json(&["info", &set(name)])["num_tracks"].as_u64() > Some(1), "{name}");
    }
}

#[test]
fn files_that_are_no_sets_are_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let good = common::write(folder.path(), "good.als", &common::small());
    let whole = fs::read(&good).expect("it reads");
    let cases: [(&str, Option<&[u8]>, &str); 5] = [
        ("missing.als", None, "No such file"),
        ("empty.als", Some(b""), "empty"),
        ("truncated.als", Some(&whole[..whole.len() / 2]), "stops before its end"),
        ("notes.txt", Some(b"buy milk"), "neither gzip nor XML"),
        ("page.xml", Some(b"<?xml version=\"1.0\"?><html></html>"), "Ableton"),
    ];
    for (name, bytes, reason) in cases {
        let file = folder.path().join(name);
        if let Some(bytes) = bytes {
            fs::write(&file, bytes).expect("written");
        }
        let commands: [&[&str]; 4] = [
            &["info", utf8(&file)],
            &["tree", utf8(&file)],
            &["diff", utf8(&good), utf8(&file)],
            &["serve", utf8(&file), "--udp", "127.0.0.1:0", "--ws", "127.0.0.1:0"],
        ];
        for args in commands {
            let message = failure(args, 1);
            assert!(message.starts_with("error: "), "{message}");
            assert!(message.contains(utf8(&file)) && message.contains(reason), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
}

#[test]
fn the_demo_loses_nothing_and_its_summary_adds_up() {
    let summary = json(&["demo", "--events", "2000", "--rate", "20000", "--json"]);
    let hit_rate = summary["cache"]["hit_rate_percent"].as_f64().expect("a number");
    assert!(0.0 < hit_rate && hit_rate < 100.0, "it is measured: {hit_rate}");
    let events = &summary["event_processing"];
    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no count: {summary}"));
    assert_eq!(count(&events["received"]), 2_000);
    assert_eq!(count(&events["total_processed"]), 2_000);
    let classes = ["total_processed", "ignored", "unhandled", "rejected"];
    let sum: u64 = classes.iter().map(|class| count(&events[class])).sum();
    assert_eq!(sum + count(&summary["errors_total"]), 2_000);
    assert_eq!(summary["errors"], json!({ "errors.event_processing": 0 }));
    assert_eq!(count(&summary["udp_listener"]["packets_dropped"]), 0);
    assert_eq!(count(&summary["udp_listener"]["packets_received"]), 2_000);
    for quantile in ["p50", "p95", "p99"] {
        assert!(events["latency_ms"][quantile].as_f64() > Some(0.0), "{events}");
    }
    assert_eq!(count(&summary["websocket"]["clients_connected"]), 1);
    assert!(count(&summary["websocket"]["broadcasts_sent"]) > 0);
    assert_eq!(count(&summary["websocket"]["broadcasts_failed"]), 0);
}

#[test]
fn the_demo_ends_with_the_dashboard() {
    let output = run(&["demo", "--events", "100", "--rate", "20000"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = text(&output.stdout);
    let lines = [
        "AST Server Health Dashboard",
        "Total processed: 100",
        "Latency p99: ",
        "Packets received: 100",
        "Loss rate: 0.00%",
        "Clients: 1",
        "Hit rate: 0.0%",
        "Errors: 0",
    ];
    for line in lines {
        assert!(page.contains(line), "{line} is missing in {page}");
    }
}

/// A server in the background, killed where a test fails.
struct Running {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(args: &[&str]) -> Self {
        Self::start_logging_to(Stdio::null(), args)
    }

    fn start_logging_to(log: Stdio, args: &[&str]) -> Self {
        let mut child = ast_server()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, out }
    }

    /// The address that is printed next.
    fn address(&mut self, what: &str, scheme: &str) -> std::net::SocketAddr {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        let address = line.strip_prefix(what).map(str::trim_start);
        let address = address.and_then(|address| address.trim_end().strip_prefix(scheme));
        let address = address.unwrap_or_else(|| panic!("no {what} in {line:?}"));
        address.parse().expect("an address")
    }

    /// Sends a signal, and gives what is printed before the end.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

fn get(from: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(from).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {from}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Waits until a page says something.
fn until_page(from: std::net::SocketAddr, path: &str, wanted: &str) {
    let start = std::time::Instant::now();
    let mut page = get(from, path);
    while !page.contains(wanted) {
        assert!(start.elapsed() < common::DEADLINE, "{wanted} is missing in {page}");
        page = get(from, path);
    }
}

#[test]
fn serve_prints_its_addresses_serves_and_stops_with_0_on_either_signal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let free = "127.0.0.1:0";
    for signal in ["TERM", "INT"] {
        let mut running =
            Running::start(&["serve", utf8(&file), "--udp", free, "--ws", free, "--http", free]);
        let udp = running.address("events", "udp://");
        let ws = running.address("viewers", "ws://");
        let http = running.address("metrics", "http://");
        TcpStream::connect(ws).expect("it listens for viewers");

        let mut live = EventSender::connect(udp).expect("a socket");
        live.send("/live/track/mute", &[Arg::from(0), Arg::from(1)]).expect("sent");
        until_page(http, "/summary", "\"total_processed\":1");
        // Published a moment later.
        until_page(http, "/metrics", "\nudp_packet_received_total 1\n");
        assert!(get(http, "/metrics.json").contains("\"event.processing.duration\":{\"count\":1"));
        assert!(get(http, "/health").starts_with("HTTP/1.1 200"));

        let (code, rest) = running.stop(signal);
        assert_eq!(code, Some(0), "{signal}");
        assert!(rest.contains("Total processed: 1"), "{rest}");
    }
}

#[test]
fn a_log_that_goes_to_a_file_is_plain_text() {
    let mut log = tempfile::tempfile().expect("a temporary file");
    let to = Stdio::from(log.try_clone().expect("another handle of it"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let free = "127.0.0.1:0";
    let args = ["serve", utf8(&file), "--udp", free, "--ws", free, "--http", free];
    let mut running = Running::start_logging_to(to, &args);
    running.address("events", "udp://");
    assert_eq!(running.stop("TERM").0, Some(0));
    log.rewind().expect("a file");
    let mut text = String::new();
    log.read_to_string(&mut text).expect("UTF-8");
    assert!(text.contains(" INFO ") && text.contains("stopping"), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn what_was_recorded_is_pushed_at_the_end_with_the_headers_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let headers = folder.path().join("headers");
    fs::write(&headers, "Authorization: Bearer s3cret\n\nX-Scope: a: b\n").expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let free = "127.0.0.1:0";
    let args = ["serve", utf8(&file), "--udp", free, "--ws", free, "--http", free];
    // The first push of its own comes within years.
    let pushed = ["--otlp-url", &url, "--otlp-every", "999999999", "--otlp-delta"];
    let with_headers = ["--otlp-headers-file", utf8(&headers)];
    let mut running = Running::start(&[&args[..], &pushed, &with_headers].concat());
    let udp = running.address("events", "udp://");
    let _in_the_order_printed = running.address("viewers", "ws://");
    let http = running.address("metrics", "http://");
    let mut live = EventSender::connect(udp).expect("a socket");
    live.send("/live/track/mute", &[Arg::from(0), Arg::from(1)]).expect("sent");
    until_page(http, "/summary", "\"total_processed\":1");
    let receiver = std::thread::spawn(move || receive(&listener));
    assert_eq!(running.stop("TERM").0, Some(0));
    let (head, body) = receiver.join().expect("a request");
    assert!(head.starts_with("post /v1/metrics http/1.1\r\n"), "{head}");
    for header in ["authorization: bearer s3cret", "x-scope: a: b", "content-encoding: gzip"] {
        assert!(head.contains(&format!("\r\n{header}\r\n")), "{header} is missing in {head}");
    }
    let mut request = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut request).expect("gzip");
    for text in ["service.instance.id", "events.processed", "event.processing.duration"] {
        let found = request.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(found, "{text} is missing");
    }
    fs::write(&headers, "Authorization\n").expect("written");
    let message = failure(&[&args[..], &pushed, &with_headers].concat(), 1);
    assert!(message.contains("line 1 is not `Name: value`"), "{message}");
    let message = failure(&[&args[..], &["--otlp-url", "nowhere"]].concat(), 2);
    assert!(message.contains("cannot push to \"nowhere\""), "{message}");
    let message = failure(&[&args[..], &["--otlp-delta"]].concat(), 2);
    assert!(message.contains("--otlp-url"), "{message}");
}

#[test]
fn metrics_are_for_who_has_the_token_and_under_known_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let token = folder.path().join("token");
    fs::write(&token, "s3cret\n").expect("written");
    let free = "127.0.0.1:0";
    let args = ["serve", utf8(&file), "--udp", free, "--ws", free, "--http", free];
    let guarded = ["--metrics-token-file", utf8(&token), "--allow-host", "stage.example"];
    let mut running = Running::start(&[&args[..], &guarded].concat());
    let _in_the_order_printed =
        [running.address("events", "udp://"), running.address("viewers", "ws://")];
    let http = running.address("metrics", "http://");
    assert!(get(http, "/metrics").starts_with("HTTP/1.1 401"));
    for (host, status) in [("stage.example", "200"), ("evil.example", "403")] {
        let mut stream = TcpStream::connect(http).expect("it listens");
        let head = format!("GET /summary HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let request = head + "Authorization: Bearer s3cret\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    assert_eq!(running.stop("TERM").0, Some(0));
    fs::write(&token, "\n").expect("written");
    let message = failure(&[&args[..], &guarded].concat(), 1);
    assert!(message.contains("it is empty, which would let nobody in"), "{message}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|addr| (addr.to_string(), taken)).expect("an address");
    let free = "127.0.0.1:0";
    let args = ["serve", utf8(&file), "--udp", free, "--http", free, "--ws", &taken.0];
    let message = failure(&args, 1);
    assert!(message.contains(&taken.0) && message.contains("in use"), "{message}");
}

#[test]
fn the_demo_can_be_interrupted() {
    let mut running = Running::start(&["demo", "--events", "1000000", "--rate", "1000"]);
    running.address("events", "udp://");
    running.address("viewers", "ws://");
    let http = running.address("metrics", "http://");
    let start = std::time::Instant::now();
    while get(http, "/summary").contains("\"total_processed\":0") {
        assert!(start.elapsed() < common::DEADLINE, "no event was processed");
    }
    let start = std::time::Instant::now();
    assert_eq!(running.stop("INT").0, Some(0));
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
}

#[test]
fn the_demo_shows_its_result_and_plays_on_until_it_is_told_to_stop() {
    let mut running =
        Running::start(&["demo", "--events", "50", "--rate", "20000", "--keep-running"]);
    running.address("events", "udp://");
    running.address("viewers", "ws://");
    let http = running.address("metrics", "http://");
    let mut page = String::new();
    while !page.contains("Errors: 0") {
        let mut line = String::new();
        assert!(running.out.read_line(&mut line).expect("a line") > 0, "it ended: {page}");
        page.push_str(&line);
    }
    assert!(page.contains("Received: 50\n") && page.contains("Total processed: 50\n"), "{page}");
    // Three more seconds' worth of events: none lost, all understood.
    let start = std::time::Instant::now();
    let summary = loop {
        let page = get(http, "/summary");
        let body = page.split("\r\n\r\n").nth(1).expect("a body");
        let summary: Value = serde_json::from_str(body).expect("JSON");
        if summary["event_processing"]["received"].as_u64() > Some(125) {
            break summary;
        }
        assert!(start.elapsed() < 3 * common::DEADLINE, "no more events come: {summary}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let events = &summary["event_processing"];
    for refused in ["ignored", "unhandled", "rejected"] {
        assert_eq!(events[refused], 0, "{events}");
    }
    assert_eq!(summary["udp_listener"]["packets_dropped"], 0);
    assert_eq!(running.stop("TERM").0, Some(0));
}
