//! What the tests share: a server on free ports, a viewer, and ways to wait without sleeping.
#![allow(dead_code, reason = "no test target uses all of it")]

pub(crate) mod program;
pub(crate) mod replay;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ast_server::{Addresses, AstServer, Builder, EventSender, Service};
use futures_util::{SinkExt, StreamExt};
use live_set::Set;
use live_set::generate::Spec;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Nothing in these tests takes so long, unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A small set: 4 tracks, a return and the main track, 8 scenes, 3 clips a track.
pub(crate) fn small() -> Spec {
    let (tracks, scenes, returns, clips) = (4, 8, 1, 3);
    // The first seed with which nothing is muted or soloed.
    Spec { tracks, scenes, returns, clips, notes: 2, parameters: 4, seed: 5, ..Spec::default() }
}

/// Writes a set into a folder.
pub(crate) fn write(folder: &Path, name: &str, spec: &Spec) -> PathBuf {
    let path = folder.join(name);
    let file = std::fs::File::create(&path).expect("a file in a temporary folder");
    spec.write_als(file).expect("a set can be written");
    path
}

/// A server with a small set, on free ports, and a sender to it.
pub(crate) struct Stage {
    pub(crate) server: AstServer,
    pub(crate) service: Service,
    pub(crate) live: EventSender,
    pub(crate) file: PathBuf,
    _folder: TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(AstServer::builder()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let stage = Self::empty(builder).await;
        stage.server.load_project(&stage.file).expect("the set loads");
        stage
    }

    /// Without a set loaded.
    pub(crate) async fn empty(builder: Builder) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = write(folder.path(), "set.als", &small());
        let server = builder.build();
        let service = Service::start(&server, Addresses::free()).await.expect("free ports");
        let live = EventSender::connect(service.addresses().udp).expect("a socket");
        Self { server, service, live, file, _folder: folder }
    }

    /// The set as it is in its file.
    pub(crate) fn set(&self) -> Set {
        ast_server::read(&self.file).expect("the set reads")
    }

    pub(crate) async fn viewer(&self) -> Viewer {
        Viewer::connect(self.service.addresses().websocket).await
    }

    /// A counter's total without tags.
    pub(crate) fn count(&self, name: &str) -> i128 {
        count(&self.server, name)
    }

    /// Waits until a counter has a value.
    pub(crate) async fn until_count(&self, name: &str, wanted: i128) {
        until(&format!("{name} = {wanted}"), || self.count(name) == wanted).await;
    }
}

pub(crate) fn count(server: &AstServer, name: &str) -> i128 {
    server.metrics().get_counter(name).unwrap_or_else(|| panic!("no counter {name}")).value
}

/// What is answered to a GET request: head and body.
pub(crate) async fn get(from: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {from}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(from).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer)).await;
    read.expect("an answer in time").expect("an answer");
    answer
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Checks that every event is in exactly one class; nothing may be under way.
pub(crate) fn assert_conserved(server: &AstServer) {
    let summary = server.get_metrics_summary();
    let events = &summary.event_processing;
    let classes = events.total_processed + events.ignored + events.unhandled + events.rejected;
    assert_eq!(events.received, classes + summary.errors["errors.event_processing"], "{summary:?}");
}

/// A WebSocket client.
pub(crate) struct Viewer {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Viewer {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.expect("the server listens");
        let (socket, _) = client_async(format!("ws://{to}"), stream).await.expect("a handshake");
        Self { socket }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the server reads");
    }

    /// The next message; `None` where the server closes the connection.
    pub(crate) async fn try_next(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.socket.next()).await;
            match next.expect("a message in time") {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The payload of the next message, which is of that type.
    pub(crate) async fn next(&mut self, kind: &str) -> Value {
        let mut message = self.try_next().await.expect("the connection is open");
        assert_eq!(message["type"], kind, "{message}");
        message["payload"].take()
    }

    /// The whole tree, which comes next.
    pub(crate) async fn tree(&mut self) -> Value {
        self.next("FULL_AST").await["ast"].take()
    }

    /// The records of the diff that comes next.
    pub(crate) async fn changes(&mut self) -> Vec<Value> {
        let payload = self.next("DIFF_UPDATE").await;
        payload["diff"]["changes"].as_array().expect("a list").clone()
    }
}

/// Every node of a tree that was sent to a viewer, owners first, found without the server.
pub(crate) fn walk<'a>(node: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(node);
    node["children"].as_array().expect("children").iter().for_each(|child| walk(child, found));
}
