//! The binary: how the tests run it and read what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// What a program has for what takes it a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary, with nothing of the environment that changes what it logs.
pub(crate) fn ast_server() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ast-server"));
    command.env_remove("RUST_LOG");
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    ast_server().args(args).output().expect("the binary runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The message of a command that fails.
pub(crate) fn failure(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "", "{args:?}: errors go to standard error");
    text(&output.stderr)
}

pub(crate) fn utf8(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// The head and the body of the one request that a receiver is sent, which answers 200.
pub(crate) fn receive(listener: &TcpListener) -> (String, Vec<u8>) {
    listener.set_nonblocking(true).expect("a socket");
    let start = Instant::now();
    let (stream, _) = loop {
        match listener.accept() {
            Ok(accepted) => break accepted,
            Err(error) => assert!(start.elapsed() < PATIENCE, "no push: {error}"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    stream.set_nonblocking(false).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).expect("a line") > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.expect("a length").parse().expect("a number")];
    stream.read_exact(&mut body).expect("a body");
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    stream.get_mut().write_all(answer).expect("answered");
    (head, body)
}
