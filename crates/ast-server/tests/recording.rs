//! `--record`: what was recorded in each second, in a file.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::program::{ast_server, failure, run, text, utf8};
use serde_json::Value;

#[test]
fn what_a_demo_records_is_in_the_file_to_the_last_event() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("run.jsonl");
    let demo = ["demo", "--events", "2000", "--rate", "20000", "--json", "--record", utf8(&file)];
    let summary: Value = serde_json::from_str(&text(&run(&demo).stdout)).expect("JSON");
    assert_eq!(summary["event_processing"]["received"], 2_000);
    assert_eq!(recorded(&file, "events.received"), (2_000, "ast-server".to_owned()));
}

#[test]
fn a_server_records_into_the_file_that_its_configuration_names_beside_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let config = folder.path().join("server.toml");
    fs::write(&config, "record = \"served.jsonl\"\n").expect("written");
    let free = "127.0.0.1:0";
    let args = ["serve", utf8(&set), "--config", utf8(&config)];
    let mut server = ast_server()
        .args(args)
        .args(["--udp", free, "--ws", free, "--http", free])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    let is_serving = lines.any(|line| line.expect("UTF-8").starts_with("metrics"));
    assert!(is_serving);
    let id = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    let rest = lines.count();
    assert!(rest > 0, "the dashboard");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
    let served = folder.path().join("served.jsonl");
    assert_eq!(recorded(&served, "events.received"), (0, "ast-server".to_owned()));
}

#[test]
fn a_recording_takes_the_place_of_an_older_one_and_of_no_other_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "mine").expect("written");
    for file in [&set, &notes] {
        let before = fs::read(file).expect("read");
        let told = failure(&["demo", "--events", "1", "--json", "--record", utf8(file)], 1);
        assert!(told.contains(utf8(file)) && told.contains("no recording"), "{told}");
        assert_eq!(fs::read(file).expect("read"), before);
    }
    for name in ["run.jsonl", "run.jsonl.gz"] {
        let file = folder.path().join(name);
        // Of a program that was killed before it could write anything.
        fs::write(&file, b"").expect("written");
        for _ in 0..2 {
            let demo = ["demo", "--events", "1", "--json", "--record", utf8(&file)];
            assert_eq!(run(&demo).status.code(), Some(0), "{name}");
        }
    }
}

/// Runs a command that would hang without what is tested; gives its exit code and message.
fn in_time(args: &[&str]) -> (Option<i32>, String) {
    let program = ast_server();
    let output = Command::new("timeout").arg("20").arg(program.get_program()).args(args).output();
    let output = output.expect("the binary runs");
    (output.status.code(), text(&output.stderr))
}

/// A folder with a pipe and a socket, neither of which anybody reads.
fn odd_files(folder: &Path) -> [PathBuf; 3] {
    let [pipe, socket, link] = ["pipe", "socket", "link"].map(|name| folder.join(name));
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    std::os::unix::fs::symlink(&pipe, &link).expect("a link");
    [pipe, socket, link]
}

#[test]
fn what_is_no_plain_file_is_refused_as_a_recording_before_anything_is_served() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let odd = odd_files(folder.path());
    let odd = odd.iter().map(|file| utf8(file));
    for file in odd.chain([utf8(folder.path()), "/dev/zero", "/dev/null"]) {
        for command in [&["demo", "--events", "1"][..], &["serve", "--check", utf8(&set)]] {
            let (code, told) = in_time(&[command, &["--record", file]].concat());
            assert_eq!(code, Some(1), "{file}: {told}");
            assert!(told.contains(file) && told.contains("no plain file"), "{told}");
        }
    }
    // A file system that can only be read.
    let (code, told) = in_time(&["demo", "--events", "1", "--record", "/sys/run.jsonl"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("cannot record to /sys/run.jsonl"), "{told}");
}

#[test]
fn settings_are_read_from_plain_files_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let odd = odd_files(folder.path());
    let [pipe, _, link] = &odd;
    let long = folder.path().join("long");
    let file = fs::File::create(&long).expect("a file");
    file.set_len(1 << 40).expect("a hole of a terabyte");
    let cases = [
        (utf8(pipe), "a pipe"),
        (utf8(link), "a pipe"),
        ("/dev/zero", "a device"),
        (utf8(&long), "8 MiB"),
    ];
    let serve = ["serve", "--check", "--otlp-url", "http://127.0.0.1:1"];
    for flag in ["--config", "--metrics-token-file", "--alerts", "--otlp-headers-file"] {
        for (file, reason) in cases {
            let (code, told) = in_time(&[&serve, &[flag, file, utf8(&set)][..]].concat());
            assert_eq!(code, Some(1), "{flag} {file}: {told}");
            assert!(told.contains(file) && told.contains(reason), "{flag} {file}: {told}");
        }
    }
    for file in [utf8(pipe), utf8(&set)] {
        let (code, told) = in_time(&["serve", "--check", "--sets", file]);
        assert_eq!(code, Some(1), "{file}: {told}");
        assert!(told.contains("cannot load sets from") && told.contains(file), "{told}");
    }
    for command in ["serve", "info", "tree"] {
        let (code, told) = in_time(&[command, utf8(pipe)]);
        assert_eq!(code, Some(1), "{command}: {told}");
        assert!(told.contains("a pipe, no plain file"), "{told}");
    }
}

/// The sum over all frames of a recording, read without our own reader, and whose it is.
fn recorded(file: &Path, name: &str) -> (u64, String) {
    let (mut number, mut sum, mut program) = (None, 0, String::new());
    for line in fs::read_to_string(file).expect("a recording").lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if line["series"]["key"] == name {
            number = line["series"]["number"].as_u64();
        }
        if let Some(named) = line["meta"]["program"].as_str() {
            program = named.to_owned();
        }
        for counter in line["frame"]["counters"].as_array().into_iter().flatten() {
            if number.is_some() && counter[0].as_u64() == number {
                sum += counter[1].as_u64().expect("a count");
            }
        }
    }
    (sum, program)
}
