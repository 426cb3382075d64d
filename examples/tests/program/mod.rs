//! An example that runs, and what its metrics page says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::parse::{Sample, parse};

mod page;

/// A running example; ended when dropped.
pub(crate) struct Program {
    child: Child,
    /// Some examples end with it.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(path: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(path);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { input: child.stdin.take(), child, output }
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("UTF-8");
        line.trim_end().to_owned()
    }

    /// What follows `lead` in the next line of its output.
    pub(crate) fn told(&mut self, lead: &str) -> String {
        let line = self.line();
        line.strip_prefix(lead).unwrap_or_else(|| panic!("{line:?} is not {lead:?}")).to_owned()
    }

    pub(crate) fn write(&mut self, text: &str) {
        let input = self.input.as_mut().expect("not ended");
        input.write_all(text.as_bytes()).expect("it reads");
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer to a request, head and body.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut server = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    server.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    server.read_to_string(&mut answer).expect("it answers");
    answer
}

pub(crate) fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a head and a body").1
}

/// A sample of the metrics at an address, by its name, and its labels if it has any.
pub(crate) fn value(address: &str, key: &str) -> Option<f64> {
    let families = parse(body_of(&get(address, "/metrics"))).expect("a valid page");
    let key_of = |sample: &Sample| {
        let labels = sample.labels.iter().map(|(label, value)| format!("{label}=\"{value}\""));
        match &*labels.collect::<Vec<_>>().join(",") {
            "" => sample.name.clone(),
            labels => format!("{}{{{labels}}}", sample.name),
        }
    };
    let mut samples = families.iter().flat_map(|family| &family.samples);
    samples.find(|sample| key_of(sample) == key).map(Sample::float)
}

/// Whether every kind is right: no counter has fallen, no name is two things. The page and
/// `tachograph top` show what `/history` tells: the series of this name is there. Keeps the metrics
/// for promtool.
pub(crate) fn judge(name: &str, address: &str, shown: &str) {
    for fault in ["monotonic_decrements", "kind_conflicts"] {
        let fault = format!("telemetry_{fault}_total");
        assert_eq!(value(address, &fault), Some(0.0), "{name}: {fault}");
    }
    assert!(get(address, "/").contains("<title>"), "{name}: the page");
    let shown = format!("{shown:?}");
    wait_until(&shown, || get(address, "/history").contains(&shown));
    page::keep(name, body_of(&get(address, "/metrics")));
}

/// Waits for something that comes with one of the next snapshots.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let is_there = (0..1_000).any(|_| {
        thread::sleep(Duration::from_millis(20));
        holds()
    });
    assert!(is_there, "{what}: not within 20 s");
}

/// Waits until a sample has a value.
pub(crate) fn wait_for(address: &str, key: &str, wanted: f64) {
    wait_until(&format!("{key} {wanted}"), || value(address, key) == Some(wanted));
}

/// The body of the one request that a receiver gets; answers it with this status.
pub(crate) fn receive(receiver: &TcpListener, status: &str) -> Vec<u8> {
    receiver.set_nonblocking(true).expect("a socket");
    let mut accepted = None;
    wait_until("a sender", || {
        accepted = receiver.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.expect("see above");
    stream.set_nonblocking(false).expect("a socket");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    for line in (&mut reader).lines() {
        let line = line.expect("a head").to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let head = "Content-Type: application/json\r\nContent-Length: 2";
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{{}}");
    reader.get_mut().write_all(answer.as_bytes()).expect("it reads");
    body
}
