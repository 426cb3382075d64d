//! Everything at once: a crowd of clients, viewers that read nothing, saves, a receiver of metrics
//! that mostly refuses, and a log that nobody reads; beside them one good viewer, one good scraper
//! and what the receiver does take, which lose nothing.
//!
//! It takes six seconds, or `AST_SIEGE_SECONDS`.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write, pipe};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use ast_server::{Arg, EventSender};
use common::program::{ast_server, utf8};
use live_set::generate::Spec;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use prost::Message as _;
use socket2::{Domain, Socket, Type};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

const SECONDS: u64 = 6;
const EVENTS_PER_SECOND: u64 = 200;
const SILENT_VIEWERS: usize = 20;
const CROWD: usize = 16;
const SAVE_EVERY: Duration = Duration::from_millis(700);
/// What the server may have in RAM.
const RESIDENT_MAX: usize = 256 << 20;
/// What the last quarter may take beyond the one before it.
const GROWTH_MAX: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(20);
/// What a pipe holds.
const PIPE_BYTES: usize = 64 << 10;

/// The server under siege, killed where the test fails.
struct Server {
    child: Child,
    _out: BufReader<ChildStdout>,
    udp: SocketAddr,
    ws: SocketAddr,
    http: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(set: &Path, receiver: SocketAddr, log: Stdio) -> Self {
        let url = format!("http://{receiver}");
        let free = "127.0.0.1:0";
        let mut command = ast_server();
        command.args(["serve", utf8(set), "--udp", free, "--ws", free, "--http", free]);
        command.args(["--log-level", "debug", "--evict-after", "2", "--otlp-url", &url]);
        command.args(["--otlp-every", "1", "--otlp-delta"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it runs");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut address = |scheme: &str| {
            let mut line = String::new();
            out.read_line(&mut line).expect("a line");
            let (_, address) = line.trim_end().rsplit_once(scheme).expect("an address");
            address.parse().expect("an address")
        };
        let (udp, ws, http) = (address("udp://"), address("ws://"), address("http://"));
        Self { child, _out: out, udp, ws, http }
    }

    /// Bytes in RAM.
    fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes << 10
    }
}

/// What the besiegers share.
#[derive(Default)]
struct Siege {
    is_over: AtomicBool,
    /// Nothing more is sent.
    is_sent: AtomicBool,
    is_failed: AtomicBool,
    /// The server has ended.
    is_done: AtomicBool,
    /// The receiver takes everything from now on.
    is_kind: AtomicBool,
    sent: AtomicUsize,
    seen: AtomicUsize,
    scrapes: AtomicUsize,
    pushes_refused: AtomicUsize,
    pushed: AtomicI64,
}

impl Siege {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

/// The body of an answer with status 200; `None` where the connection broke.
fn get(from: SocketAddr, path: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(from).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {from}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((status, answer.split_off(end)))
}

/// Values that grow, each with the next number.
fn send_events(siege: &Siege, to: SocketAddr) {
    let mut live = EventSender::connect(to).expect("a socket");
    let start = Instant::now();
    while siege.goes_on() {
        let due = start.elapsed().as_millis() * u128::from(EVENTS_PER_SECOND) / 1_000;
        let sent = siege.sent.load(Ordering::Relaxed);
        if (sent as u128) < due {
            let args = [Arg::from(0), Arg::from(1.0 + sent as f32)];
            live.send("/live/track/volume", &args).expect("sent");
            siege.sent.store(sent + 1, Ordering::Relaxed);
        } else {
            thread::sleep(Duration::from_millis(1));
        }
    }
    siege.is_sent.store(true, Ordering::Release);
}

/// A viewer whose kernel holds little for it.
fn viewer(to: SocketAddr, receive_bytes: usize) -> Option<WebSocket<TcpStream>> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    socket.set_recv_buffer_size(receive_bytes).ok()?;
    socket.connect(&to.into()).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    Some(tungstenite::client(format!("ws://{to}"), TcpStream::from(socket)).ok()?.0)
}

/// A viewer that has its tree: every change from now on is sent to it.
fn good_viewer(to: SocketAddr) -> WebSocket<TcpStream> {
    let mut socket = viewer(to, 4 << 20).expect("a handshake");
    let tree = socket.read().expect("a message").into_text().expect("text");
    let tree: serde_json::Value = serde_json::from_str(&tree).expect("JSON");
    assert_eq!(tree["type"], "FULL_AST");
    socket
}

/// Is sent each change once, in order, and no tree in place of some.
fn watch(siege: &Siege, mut socket: WebSocket<TcpStream>) {
    socket.get_ref().set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    let mut next = 0;
    let is_done =
        |seen| siege.is_sent.load(Ordering::Acquire) && seen == siege.sent.load(Ordering::Relaxed);
    while !is_done(next) && !siege.is_failed.load(Ordering::Relaxed) {
        let text = match socket.read() {
            Ok(Message::Text(text)) => text,
            Ok(_) => continue,
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => continue,
            // Its last change may have come before the sender said that it was the last.
            Err(_) if is_done(next) => break,
            Err(error) => panic!("it is disconnected after {next} changes: {error}"),
        };
        let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(message["type"], "FULL_AST", "it has to start again after {next} changes");
        // What a save has changed has no number.
        if let Some(seq) = message["payload"]["diff"]["changes"][0]["seq_num"].as_u64() {
            assert_eq!(seq, next as u64, "each change, once, in order");
            next += 1;
            siege.seen.store(next, Ordering::Relaxed);
        }
    }
}

/// Each page is whole, and no total ever falls.
fn scrape(siege: &Siege, from: SocketAddr) {
    let mut last = 0;
    while siege.goes_on() {
        let (status, page) = get(from, "/metrics").expect("an answer");
        assert_eq!(status, 200);
        let page = String::from_utf8(page).expect("text");
        let total = page.lines().find_map(|line| line.strip_prefix("events_processed_total "));
        // The first pages are of the time before the first event.
        let total = total.map_or(0, |total| total.parse::<u64>().expect("a number"));
        assert!(total >= last, "{total} after {last}");
        last = total;
        siege.scrapes.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(250));
    }
}

/// Reads nothing, and comes again each time that it has been thrown out for it.
fn be_silent(siege: &Siege, to: SocketAddr) {
    while siege.goes_on() {
        let _socket = viewer(to, 4 << 10);
        let since = Instant::now();
        while siege.goes_on() && since.elapsed() < Duration::from_secs(4) {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Asks for large pages, and reads every other of them.
fn crowd(siege: &Siege, from: SocketAddr, number: usize) {
    let paths = ["/nodes?type=clip_slot", "/metrics.json", "/tracks", "/diff?file=set.als"];
    let mut round = number;
    while siege.goes_on() {
        let path = paths[round % paths.len()];
        if round.is_multiple_of(2) {
            // Whatever it is: a query may be refused, but is answered.
            let _ = get(from, path);
        } else if let Ok(mut stream) = TcpStream::connect(from) {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {from}\r\n\r\n");
            let _ = stream.write_all(request.as_bytes());
            thread::sleep(Duration::from_millis(300));
        }
        round += 1;
        thread::sleep(Duration::from_millis(100));
    }
}

/// Saves as editors do.
fn save(siege: &Siege, file: &Path, spec: &Spec) {
    let new = file.with_extension("new");
    let mut tempo = 100.0;
    while siege.goes_on() {
        tempo += 1.0;
        let spec = Spec { tempo, ..*spec };
        spec.write_als(fs::File::create(&new).expect("a file")).expect("written");
        fs::rename(&new, file).expect("renamed");
        thread::sleep(SAVE_EVERY);
    }
}

/// Takes one payload of four; of the others it refuses some and leaves some without an answer.
fn receive<'scope>(
    siege: &'scope Siege,
    listener: &'scope TcpListener,
    scope: &'scope Scope<'scope, '_>,
) {
    listener.set_nonblocking(true).expect("a socket");
    let mut number = 0;
    while !siege.is_done.load(Ordering::Relaxed) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        number += 1;
        stream.set_nonblocking(false).expect("a socket");
        scope.spawn(move || answer_pushes(siege, stream, number));
    }
}

fn answer_pushes(siege: &Siege, stream: TcpStream, first: usize) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut stream = BufReader::new(stream);
    for number in first.. {
        let Some(body) = push(&mut stream) else { return };
        let is_kind = siege.is_kind.load(Ordering::Relaxed) || number % 4 == 0;
        let answer: &[u8] = if is_kind {
            siege.pushed.fetch_add(processed(&body), Ordering::Relaxed);
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        } else {
            siege.pushes_refused.fetch_add(1, Ordering::Relaxed);
            if number % 4 == 1 {
                // No answer at all.
                return;
            }
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        };
        if stream.get_mut().write_all(answer).is_err() {
            return;
        }
    }
}

/// The body of the next request.
fn push(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1)?.lines().next()?;
    let mut body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).expect("gzip");
    Some(plain)
}

/// How many events a payload says were processed since the one before.
fn processed(payload: &[u8]) -> i64 {
    let request = ExportMetricsServiceRequest::decode(payload).expect("a payload");
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    let mut metrics = scopes.flat_map(|scope| scope.metrics);
    let Some(metric) = metrics.find(|metric| metric.name == "events.processed") else { return 0 };
    let Some(Data::Sum(sum)) = metric.data else { panic!("no sum: {metric:?}") };
    let value = |value: Option<Value>| match value {
        Some(Value::AsInt(value)) => value,
        other => panic!("no integer: {other:?}"),
    };
    sum.data_points.into_iter().map(|point| value(point.value)).sum()
}

struct End<'a>(&'a Siege);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        self.0.is_failed.store(thread::panicking(), Ordering::Relaxed);
        self.0.is_done.store(true, Ordering::Relaxed);
    }
}

/// Besieges the server for so long; gives what it had in RAM meanwhile.
fn besiege(siege: &Siege, server: &Server, lasts: Duration) -> Vec<usize> {
    let start = Instant::now();
    let mut resident = Vec::new();
    while start.elapsed() < lasts {
        resident.push(server.resident());
        thread::sleep(Duration::from_millis(100));
    }
    siege.is_over.store(true, Ordering::Relaxed);
    resident
}

fn median(bytes: &[usize]) -> usize {
    let mut bytes = bytes.to_vec();
    bytes.sort_unstable();
    bytes[bytes.len() / 2]
}

/// A counter's total as the server tells it.
fn total(from: SocketAddr, name: &str) -> usize {
    let (_, page) = get(from, "/metrics").expect("an answer");
    let page = String::from_utf8(page).expect("text");
    let sample = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("_total "));
    sample.unwrap_or_else(|| panic!("no {name} in {page}")).parse().expect("a number")
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn under_siege_the_good_ones_lose_nothing_and_memory_stays_flat() {
    let seconds = std::env::var("AST_SIEGE_SECONDS").ok();
    let seconds = seconds.map_or(SECONDS, |text| text.parse().expect("AST_SIEGE_SECONDS"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spec = Spec { tracks: 50, scenes: 100, ..common::small() };
    let set = common::write(folder.path(), "set.als", &spec);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (_unread, mut log) = pipe().expect("a pipe");
    log.write_all(&[b'x'; PIPE_BYTES]).expect("it holds so much");
    let receiver = listener.local_addr().expect("an address");
    let mut server = Server::start(&set, receiver, log.into());
    let (siege, ws, http) = (Siege::default(), server.ws, server.http);
    let good = good_viewer(ws);

    let resident = thread::scope(|scope| {
        let siege = &siege;
        // Also where something fails: nobody goes on for ever.
        let _end = End(siege);
        scope.spawn(|| receive(siege, &listener, scope));
        scope.spawn(|| watch(siege, good));
        scope.spawn(|| scrape(siege, http));
        scope.spawn(|| save(siege, &set, &spec));
        (0..SILENT_VIEWERS).for_each(|_| drop(scope.spawn(|| be_silent(siege, ws))));
        (0..CROWD).for_each(|number| drop(scope.spawn(move || crowd(siege, http, number))));
        let udp = server.udp;
        scope.spawn(move || send_events(siege, udp));

        let resident = besiege(siege, &server, Duration::from_secs(seconds));
        let sent = || siege.sent.load(Ordering::Relaxed);
        until("the viewer has seen all", || {
            siege.is_sent.load(Ordering::Acquire) && siege.seen.load(Ordering::Relaxed) == sent()
        });
        // Published a moment later.
        until("all is counted", || total(http, "events_processed") == sent());
        assert!(total(http, "websocket_client_evicted") > 0, "nobody was thrown out");
        siege.is_kind.store(true, Ordering::Relaxed);
        let kill = format!("kill -TERM {}", server.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        let status = server.child.wait().expect("a child");
        siege.is_done.store(true, Ordering::Relaxed);
        assert_eq!(status.code(), Some(0));
        resident
    });
    let counts = [&siege.sent, &siege.seen, &siege.scrapes, &siege.pushes_refused];
    let [sent, seen, scrapes, refused] = counts.map(|count| count.load(Ordering::Relaxed));
    assert_eq!(seen, sent, "the viewer");
    assert_eq!(siege.pushed.load(Ordering::Relaxed), sent as i64, "the receiver");
    assert!(refused > 0 && scrapes as u64 >= seconds, "{refused} refused, {scrapes} scrapes");
    let most = resident.iter().max().copied().unwrap_or(0);
    assert!(most < RESIDENT_MAX, "{most} bytes");
    // In the first half the queues of those who do not read fill, and the history.
    let (third, fourth) = resident[resident.len() / 2..].split_at(resident.len() / 4);
    let [third, fourth] = [third, fourth].map(median);
    assert!(fourth < third + GROWTH_MAX, "{fourth} bytes after {third}");
    let told =
        format!("{sent} events, {scrapes} scrapes, {refused} pushes refused; {} MiB\n", most >> 20);
    let _ = std::io::stderr().write_all(told.as_bytes());
}
