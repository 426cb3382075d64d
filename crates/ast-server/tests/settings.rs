//! The settings of `serve`, from flags and a file; what it logs, and how it ends.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use common::program::{ast_server, failure, run, text, utf8};
use serde_json::Value;

/// A configuration file and the folder it lies in, which holds a set named `song.als`.
fn configured(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    common::write(folder.path(), "song.als", &common::small());
    let file = folder.path().join("server.toml");
    fs::write(&file, text).expect("written");
    (folder, file)
}

#[test]
fn check_prints_what_would_run_with_flags_before_the_file() {
    let (folder, file) = configured(
        "set = \"song.als\"\nudp = \"127.0.0.1:7001\"\nmax-clients = 7\nallow-host = [\"a.example\"]\n",
    );
    let file = utf8(&file);
    let args = ["serve", "--config", file, "--check", "--max-clients", "9", "--allow-host", "b"];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed: toml::Table = text(&output.stdout).parse().expect("TOML");
    assert_eq!(printed["set"].as_str(), folder.path().join("song.als").to_str());
    assert_eq!(printed["udp"].as_str(), Some("127.0.0.1:7001"));
    assert_eq!(printed["ws"].as_str(), Some("127.0.0.1:8765"), "what nobody says is filled in");
    assert_eq!(printed["max-clients"].as_integer(), Some(9), "the flag wins");
    let hosts: Vec<_> = printed["allow-host"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it.as_str())
        .collect();
    assert_eq!(hosts, ["a.example", "b"]);

    // What it prints is a configuration that says the same.
    let again = folder.path().join("again.toml");
    fs::write(&again, &output.stdout).expect("written");
    assert_eq!(run(&["serve", "--config", utf8(&again), "--check"]).stdout, output.stdout);
}

#[test]
fn where_metrics_are_pushed_is_checked_and_printed_too() {
    let (folder, file) = configured(
        "set = \"song.als\"\n[otlp]\nurl = \"http://127.0.0.1:4318\"\ndelta = true\n\
         headers-file = \"headers\"\n",
    );
    fs::write(folder.path().join("headers"), "X-Scope: a\n").expect("written");
    let args = ["serve", "--config", utf8(&file), "--check", "--otlp-every"];
    let output = run(&[&args[..], &["7"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed: toml::Table = text(&output.stdout).parse().expect("TOML");
    let otlp = &printed["otlp"];
    assert_eq!(otlp["url"].as_str(), Some("http://127.0.0.1:4318"));
    assert_eq!((otlp["every"].as_integer(), otlp["delta"].as_bool()), (Some(7), Some(true)));
    assert_eq!(otlp["headers-file"].as_str(), folder.path().join("headers").to_str());
    let again = folder.path().join("again.toml");
    fs::write(&again, &output.stdout).expect("written");
    assert_eq!(run(&["serve", "--config", utf8(&again), "--check"]).stdout, output.stdout);
    let filled_in = text(&run(&args[..4]).stdout);
    assert!(filled_in.contains("every = 60"), "{filled_in}");
}

/// What serving would fail on, beside wrong values.
#[test]
fn check_fails_where_serving_would_and_leaves_nothing_behind() {
    let free = ["udp", "ws", "http"].map(|key| format!("{key} = \"127.0.0.1:0\"\n")).concat();
    let (folder, file) = configured(&format!("set = \"song.als\"\n{free}"));
    let check = ["serve", "--config", utf8(&file), "--check"];
    let nowhere = folder.path().join("none/run.jsonl");
    let beside = folder.path().join("server.toml/run.jsonl");
    for (code, more, told) in [
        (1, vec!["--record", utf8(&nowhere)], "cannot record to"),
        (1, vec!["--record", utf8(&beside)], "cannot record to"),
        (1, vec!["--record", utf8(&file)], "no recording"),
        (1, vec!["--ws", "203.0.113.9:1"], "cannot listen on 203.0.113.9:1"),
        (1, vec!["--udp", "203.0.113.9:1"], "cannot listen on 203.0.113.9:1"),
        (2, vec!["--ws", "127.0.0.1:7001", "--http", "127.0.0.1:7001"], "the same port"),
        (2, vec!["--ws", "0.0.0.0:7001", "--http", "127.0.0.1:7001"], "the same port"),
    ] {
        for args in [&check[..], &check[..3]] {
            let message = failure(&[args, &more].concat(), code);
            assert!(message.contains(told), "{more:?}: {message}");
        }
    }
    // Events come over UDP, which has ports of its own.
    let same = ["--udp", "127.0.0.1:7001", "--http", "127.0.0.1:7001"];
    let run_jsonl = folder.path().join("run.jsonl");
    for more in [&same[..], &["--record", utf8(&run_jsonl)]] {
        let output = run(&[&check[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    assert!(!run_jsonl.exists(), "it is only tried");
    // The greatest numbers are printed too.
    let most = ["--cache-entries", "9223372036854775807", "--ping-every", "9223372036854775807"];
    let output = run(&[&check[..], &most].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|addr| (addr.to_string(), taken)).expect("an address");
    let output = run(&[&check[..], &["--http", &taken.0]].concat());
    assert_eq!(output.status.code(), Some(0), "the server that has it may be the one to reload");
    let note = text(&output.stderr);
    assert!(note.contains(&format!("{} is in use", taken.0)), "{note}");
}

/// Whether the file that the unit starts from is one: its set lies on no machine that tests.
#[test]
fn the_configuration_that_deploy_writes_is_one() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/ast-server.toml");
    let message = failure(&["serve", "--config", utf8(&file), "--check"], 1);
    assert!(message.contains("/var/lib/ast-server/set.als"), "only its set is missing: {message}");
}

#[test]
fn a_configuration_that_cannot_be_used_says_where_and_why() {
    for (code, bad, told) in [
        (
            2,
            "set = \"song.als\"\nmax-client = 7\n",
            vec!["server.toml", "line 2", "max-client", "max-clients"],
        ),
        (2, "set = \"song.als\"\nudp = 9002\n", vec!["line 2", "udp"]),
        (2, "set = \"song.als\"\nudp = \"here\"\n", vec!["udp", "address"]),
        (2, "set = \"song.als\"\nlog-format = \"xml\"\n", vec!["xml", "json"]),
        (2, "set = \"song.als\"\nlog-level = \"ast=loud=\"\n", vec!["log-level", "try info"]),
        (2, "set = \n", vec!["line 1"]),
        (2, "watch = true\n", vec!["no set to serve", "song.als"]),
        (1, "set = \"other.als\"\n", vec!["other.als"]),
        (1, "sets = \"none\"\n", vec!["cannot load sets from", "none"]),
        (1, "set = \"song.als\"\nmetrics-token-file = \"none\"\n", vec!["token", "none"]),
        (2, "set = \"song.als\"\n[otlp]\nevery = 5\n", vec!["receiver", "--otlp-url", "[otlp]"]),
        (2, "set = \"song.als\"\n[otlp]\nurl = \"nowhere\"\n", vec!["cannot push to", "nowhere"]),
        (2, "set = \"song.als\"\n[otlp]\notlp-url = \"x\"\n", vec!["line 3", "otlp-url", "url"]),
        (
            1,
            "set = \"song.als\"\n[otlp]\nurl = \"http://h:1\"\nheaders-file = \"none\"\n",
            vec!["headers", "none"],
        ),
    ] {
        let (_folder, file) = configured(bad);
        let message = failure(&["serve", "--config", utf8(&file), "--check"], code);
        for part in told {
            assert!(message.contains(part), "{bad:?}: {message:?} lacks {part:?}");
        }
    }
    for (bad, told) in [
        ("token = \u{feff}s3cret\n", "byte order mark"),
        ("token = s3\ncret\n", "line break"),
        ("token = s3\0cret\n", "visible ASCII"),
        ("token =  \n", "empty"),
        ("headers = Content-Length: 7\n", "leave it out"),
        ("headers = Host: other\n", "leave it out"),
        ("headers = X-A: 1\nTransfer-Encoding: chunked\n", "leave it out"),
        ("headers = \u{feff}X-A: 1\n", "a name is made of"),
        ("headers = X-A: \0\n", "control characters"),
        ("headers = X-A\n", "line 1 is not"),
    ] {
        let (which, content) = bad.split_once(" = ").expect("a file and what is in it");
        let (folder, file) = configured(
            "set = \"song.als\"\nmetrics-token-file = \"token\"\n[otlp]\n\
             url = \"http://h:1\"\nheaders-file = \"headers\"\n",
        );
        fs::write(folder.path().join("token"), "s3cret\n").expect("written");
        fs::write(folder.path().join("headers"), "X-Scope: a\n").expect("written");
        assert!(run(&["serve", "--config", utf8(&file), "--check"]).status.success());
        fs::write(folder.path().join(which), content).expect("written");
        let message = failure(&["serve", "--config", utf8(&file), "--check"], 1);
        assert!(message.contains(told), "{bad:?}: {message:?} lacks {told:?}");
    }
    for url in ["http://h:70000", "http://h:abc", "http://h:-1", "http://:1", "http://[::1].a.b"] {
        let (_folder, file) = configured("set = \"song.als\"\n");
        let args = ["serve", "--config", utf8(&file), "--check", "--otlp-url", url];
        let message = failure(&args, 2);
        assert!(message.contains("it needs a host, and a port from 1 to 65535"), "{message}");
    }
    let (_folder, file) = configured("set = \"song.als\"\nallow-host = [\"a.example:80\"]\n");
    let message = failure(&["serve", "--config", utf8(&file), "--check"], 2);
    assert!(message.contains("\"a.example:80\": it has to be a name"), "{message}");
    let message = failure(&["serve", "--config", "/nowhere/server.toml"], 1);
    assert!(message.contains("/nowhere/server.toml"), "{message}");
}

/// Serves until it has said where, is sent a signal, and is waited for.
fn served(args: &[&str], signal: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = common::write(folder.path(), "set.als", &common::small());
    let free = "127.0.0.1:0";
    let mut command = ast_server();
    command.args(["serve", utf8(&file), "--udp", free, "--ws", free, "--http", free]).args(args);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.starts_with("metrics") {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("text"), 0, "it has ended");
    }
    let told = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(told.expect("kill runs").success());
    let mut stdout = Vec::new();
    out.read_to_end(&mut stdout).expect("read");
    let rest = child.wait_with_output().expect("it ends");
    Output { stdout, ..rest }
}

#[test]
fn logs_are_text_or_json_from_the_level_that_was_asked_for() {
    let json = text(&served(&["--log-format", "json"], "-TERM").stderr);
    assert!(!json.is_empty(), "it says that it stops");
    for line in json.lines() {
        let line: Value = serde_json::from_str(line).expect("one JSON object a line");
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    let plain = text(&served(&[], "-INT").stderr);
    assert!(plain.contains("INFO") && plain.contains("stopping"), "{plain}");
    assert_eq!(text(&served(&["--log-level", "off"], "-TERM").stderr), "");
}

#[test]
fn sigterm_ends_with_the_summary_and_sigkill_without_a_word() {
    let ended = served(&["--log-level", "off"], "-TERM");
    assert_eq!(ended.status.code(), Some(0));
    assert!(text(&ended.stdout).contains("AST Server Health Dashboard"));
    let killed = served(&["--log-level", "off"], "-KILL");
    assert_eq!((killed.status.code(), text(&killed.stdout).as_str()), (None, ""));
}
