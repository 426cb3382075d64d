//! Runs every example against real traffic, and reads what its metrics say of it.
#![cfg(feature = "record")]

#[allow(dead_code, reason = "not every test of its own package's needs is one here")]
#[path = "../../crates/tachograph-export/tests/prometheus/parse.rs"]
mod parse;
mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use self::program::{Program, body_of, get, judge};

const ANY: &str = "127.0.0.1:0";

#[test]
fn mio_echo_counts_what_it_echoes() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_mio_echo"), &[ANY, ANY]);
    let address = program.told("echo on ");
    let page = program.told("metrics on ");
    let mut clients = [(); 3].map(|()| TcpStream::connect(&address).expect("it listens"));
    for client in &mut clients {
        for message in ["hello", "there"] {
            client.write_all(message.as_bytes()).expect("it reads");
            let mut echo = [0; 5];
            client.read_exact(&mut echo).expect("it echoes");
            assert_eq!(echo, *message.as_bytes());
        }
    }
    program::wait_for(&page, r#"echo_bytes_total"#, 30.0);
    program::wait_for(&page, "echo_message_size_count", 6.0);
    program::wait_for(&page, "echo_message_size_sum", 30.0);
    program::wait_for(&page, "echo_connected", 3.0);
    // At least an event for the connections and one for each client; a handler for each event.
    program::wait_until("as many events as handlers", || {
        let events = program::value(&page, r#"loop_turn_events_sum{loop="echo"}"#);
        let handlers = program::value(&page, r#"loop_handler_delay_seconds_count{loop="echo"}"#);
        events == handlers && events.is_some_and(|events| (4.0..=9.0).contains(&events))
    });
    drop(clients);
    program::wait_for(&page, "echo_connected", 0.0);
    judge("mio_echo", &page, "echo.bytes");
}

#[test]
fn tokio_server_counts_requests_by_outcome() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_tokio_server"), &[ANY, ANY]);
    let client = TcpStream::connect(program.told("requests on ")).expect("it listens");
    let page = program.told("metrics on ");
    let mut answers = BufReader::new(client.try_clone().expect("a second handle")).lines();
    for (request, answer) in [
        ("1", "took 1 ms"),
        ("0", "took 0 ms"),
        ("soon", "error: invalid digit found in string"),
        ("60000", "error: too slow"),
    ] {
        writeln!(&client, "{request}").expect("it reads");
        assert_eq!(answers.next().expect("an answer").expect("text"), answer);
    }
    program::wait_for(&page, "answers_sent_total", 4.0);
    for (outcome, count) in [("ok", 2.0), ("error", 1.0), ("cancelled", 1.0)] {
        let key =
            format!(r#"task_busy_duration_seconds_count{{outcome="{outcome}",task="request"}}"#);
        program::wait_for(&page, &key, count);
    }
    judge("tokio_server", &page, "answers.sent");
}

#[test]
fn axum_server_has_its_metrics_page_and_alerts() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_axum_server"), &[ANY]);
    let address = program.told("listens on ");
    for id in [1, 2, 0] {
        let answer = get(&address, &format!("/orders/{id}"));
        assert!(answer.contains(if id == 0 { " 500 " } else { " 200 " }), "{answer}");
    }
    program::wait_for(&address, r#"http_requests_total{status="200"}"#, 2.0);
    program::wait_for(&address, r#"http_requests_total{status="500"}"#, 1.0);
    program::wait_for(&address, "http_duration_seconds_count", 3.0);
    // Whether requests were slow depends on the machine.
    program::wait_until("an alert for the error", || {
        let alerts = get(&address, "/alerts");
        let alerts: serde_json::Value = serde_json::from_str(body_of(&alerts)).expect("JSON");
        let rules = alerts["rules"].as_array().expect("rules");
        let rule = rules.iter().find(|rule| rule["name"] == "ServerErrors").expect("the rule");
        rule["alerts"][0]["state"] == "firing"
    });
    judge("axum_server", &address, "http.duration");
}

/// The first core that this process may use.
fn first_core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let cores = cores.expect("listed").trim();
    cores.split([',', '-']).next().expect("at least one").to_owned()
}

#[test]
fn busy_poll_publishes_while_it_is_idle() {
    let core = first_core();
    let mut program = Program::start(env!("CARGO_BIN_EXE_busy_poll"), &[ANY, ANY, &core]);
    let client = UdpSocket::bind(ANY).expect("a socket");
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    client.connect(program.told("datagrams on ")).expect("it listens");
    let page = program.told("metrics on ");
    for length in 1..=50_usize {
        client.send(&vec![7; length]).expect("sent");
        let mut answer = [0; 16];
        let size = client.recv(&mut answer).expect("an answer");
        assert_eq!(answer[..size], *length.to_string().as_bytes());
    }
    program::wait_for(&page, "datagrams_answered_total", 50.0);
    program::wait_for(&page, "datagram_duration_seconds_count", 50.0);
    judge("busy_poll", &page, "datagrams.answered");
}

#[test]
fn audio_callbacks_are_measured() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_audio"), &[ANY, "100"]);
    let page = program.told("metrics on ");
    program::wait_for(&page, "audio_callback_duration_seconds_count", 100.0);
    let peak = program::value(&page, "audio_peak").expect("set");
    assert!((0.49..=0.5).contains(&peak), "{peak}");
    judge("audio", &page, "audio.peak");
}

#[test]
fn a_library_is_measured_where_its_application_wants_it() {
    let lines = "a=1\nb=2\n=3\nnothing\n";
    let mut program = Program::start(env!("CARGO_BIN_EXE_library"), &[ANY]);
    let page = program.told("metrics on ");
    program.write(lines);
    program::wait_for(&page, r#"pairs_parsed_total{outcome="ok"}"#, 2.0);
    program::wait_for(&page, r#"pairs_parsed_total{outcome="malformed"}"#, 2.0);
    program::wait_for(&page, "pairs_parse_duration_seconds_count", 4.0);
    judge("library", &page, "pairs.parse.duration");

    let mut program = Program::start(env!("CARGO_BIN_EXE_library"), &["--no-metrics"]);
    program.write(lines);
    program.end_input();
    let told: Vec<_> = [(); 5].map(|()| program.line()).into();
    assert_eq!(told, ["a is 1", "b is 2", "malformed", "malformed", "measured: false"]);
}

#[test]
fn word_count_pushes_before_it_ends() {
    let receiver = TcpListener::bind(ANY).expect("a port");
    let url = format!("http://{}/v1/metrics", receiver.local_addr().expect("bound"));
    let folder = std::env::temp_dir().join(format!("word_count-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let texts = [("a.txt", "one two three"), ("b.txt", "four")];
    let mut files: Vec<_> = texts
        .map(|(name, text)| {
            let file = folder.join(name);
            std::fs::write(&file, text).expect("written");
            file.to_str().expect("UTF-8").to_owned()
        })
        .into();
    files.push(folder.join("absent").to_str().expect("UTF-8").to_owned());
    let mut command = Command::new(env!("CARGO_BIN_EXE_word_count"));
    let child = command.arg(&url).args(&files).stderr(Stdio::null()).spawn().expect("it starts");
    let pushed = program::receive(&receiver, "200 OK");
    assert!(child.wait_with_output().expect("it ends").status.success());
    std::fs::remove_dir_all(&folder).expect("removed");

    let pushed: serde_json::Value = serde_json::from_slice(&pushed).expect("JSON");
    let metrics = &pushed["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let metric = |name: &str| {
        let all = metrics.as_array().expect("metrics");
        all.iter().find(|metric| metric["name"] == name).expect("the metric").clone()
    };
    assert_eq!(metric("words.counted")["sum"]["dataPoints"][0]["asInt"], "4");
    let failed = &metric("files.failed")["sum"]["dataPoints"][0];
    assert_eq!(failed["asInt"], "1");
    assert_eq!(failed["attributes"][0]["value"]["stringValue"], "entity not found");
    let took = &metric("file.duration")["exponentialHistogram"]["dataPoints"][0];
    assert_eq!(took["count"], "3");
}

#[test]
fn word_count_says_when_nobody_took_its_metrics() {
    let receiver = TcpListener::bind(ANY).expect("a port");
    let url = format!("http://{}/v1/metrics", receiver.local_addr().expect("bound"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_word_count"));
    let child = command.arg(&url).stderr(Stdio::piped()).spawn().expect("it starts");
    program::receive(&receiver, "400 Bad Request");
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the receiver did not take the metrics"), "{told:?}");
}

/// The names before `=` among the lines of a manifest's dependencies.
fn dependencies(manifest: &str) -> Vec<&str> {
    let names = manifest.lines().filter_map(|line| line.split_once(['=', '.']));
    names.map(|(name, _)| name.trim()).filter(|name| !name.starts_with(['#', '['])).collect()
}

#[test]
fn the_guide_names_what_each_example_depends_on() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a file");
    let manifest = read("Cargo.toml");
    let all = manifest.split_once("\n[dependencies]\n").expect("dependencies").1;
    let all = dependencies(all.split_once("\n[dev-").expect("those of tests").0);
    assert!(all.contains(&"mio") && all.contains(&"nix"), "{all:?}");
    let guide = read("README.md");
    let sections: Vec<_> = guide.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), 7, "a section for each example");
    for section in sections {
        let file = section.split_once("](").and_then(|it| it.1.split_once(')')).expect("a link").0;
        let program = read(file);
        let block = section.split_once("```toml\n[dependencies]\n").expect("a manifest").1;
        let told = dependencies(block.split_once("```").expect("an end").0);
        let used = |name: &&str| program.contains(&format!("{}::", name.replace('-', "_")));
        let used: Vec<_> = all.iter().copied().filter(used).collect();
        let of_others = told.iter().filter(|name| !used.contains(name));
        // The callback's program, which serves, is in another file.
        let of_others: Vec<_> = of_others.filter(|_| !file.starts_with("audio/")).collect();
        assert!(of_others.is_empty(), "{file} does not use {of_others:?}");
        let missing: Vec<_> = used.iter().filter(|name| !told.contains(name)).collect();
        assert!(missing.is_empty(), "{file} uses {missing:?} too");
    }
}

#[test]
fn what_instrumenting_costs_is_told_of_each() {
    let cost = Path::new(env!("CARGO_BIN_EXE_cost"));
    let folder = cost.parent().expect("a folder");
    let output =
        Command::new(cost).args([folder, folder]).args(["2", "20", &first_core()]).output();
    let output = output.expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}{told}", String::from_utf8_lossy(&output.stderr));
    for name in ["mio_echo", "tokio_server", "axum_server", "busy_poll", "library", "audio"] {
        let row = told.lines().find_map(|line| line.strip_prefix(&format!("| {name} | ")));
        let numbers = row.expect("a row").trim_end_matches(" |").split(" | ");
        assert_eq!(numbers.flat_map(str::parse::<f64>).count(), 6, "{told}");
    }
}
