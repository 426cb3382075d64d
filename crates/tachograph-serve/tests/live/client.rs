//! A client of the live stream that believes nothing, and one for answers that end.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than an answer takes; only a failure waits for it.
const LONG: Duration = Duration::from_secs(20);

/// An event of the stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Stream {
    stream: TcpStream,
    pub(crate) head: String,
    raw: Vec<u8>,
    text: String,
    pub(crate) is_ended: bool,
}

impl Stream {
    pub(crate) async fn open(addr: SocketAddr, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(addr).await.expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sends");
        let mut raw = Vec::new();
        let end = loop {
            if let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            read(&mut stream, &mut raw).await;
        };
        let head = String::from_utf8(raw[..end].to_vec()).expect("ASCII").to_ascii_lowercase();
        raw.drain(..end + 4);
        Self { stream, head, raw, text: String::new(), is_ended: false }
    }

    pub(crate) fn status(&self) -> u16 {
        self.head["http/1.1 ".len()..][..3].parse().expect("a status")
    }

    /// One chunk more; the last one is empty.
    async fn chunk(&mut self) {
        assert!(self.head.contains("transfer-encoding: chunked"), "{}", self.head);
        loop {
            if let Some(line) = self.raw.windows(2).position(|two| two == b"\r\n") {
                let size = std::str::from_utf8(&self.raw[..line]).expect("ASCII");
                let size = usize::from_str_radix(size, 16).expect("a size");
                if self.raw.len() >= line + 2 + size + 2 {
                    let chunk = self.raw[line + 2..][..size].to_vec();
                    assert_eq!(&self.raw[line + 2 + size..][..2], b"\r\n");
                    self.raw.drain(..line + 2 + size + 2);
                    self.text += &String::from_utf8(chunk).expect("UTF-8");
                    self.is_ended = size == 0;
                    return;
                }
            }
            read(&mut self.stream, &mut self.raw).await;
        }
    }

    /// The next event; comments are passed over.
    pub(crate) async fn event(&mut self) -> Event {
        self.maybe_event().await.expect("the stream goes on")
    }

    /// The same; `None` at the end.
    pub(crate) async fn maybe_event(&mut self) -> Option<Event> {
        let block = loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if !block.starts_with(':') {
                    break block;
                }
            } else if self.is_ended {
                return None;
            } else {
                self.chunk().await;
            }
        };
        let mut event = Event { kind: String::new(), id: None, data: Value::Null };
        for line in block.trim_end().lines() {
            match line.split_once(": ").expect("a field") {
                ("event", kind) => event.kind = kind.to_owned(),
                ("id", id) => event.id = Some(id.parse().expect("a number")),
                ("data", data) => event.data = serde_json::from_str(data).expect("JSON"),
                (field, _) => panic!("there is no field {field}"),
            }
        }
        Some(event)
    }

    /// Everything up to the next frame, that included. The gauges that stand, which come first and
    /// as a frame of no time, are passed over.
    pub(crate) async fn frame(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let frame = &event.data["frame"];
            if frame["span_ms"] == 0 && frame["marks"].is_null() {
                assert_eq!(event.id, None);
                continue;
            }
            events.push(event);
            if events.last().is_some_and(|event| event.kind == "frame") {
                return events;
            }
        }
    }

    /// The whole body of an answer that ends.
    pub(crate) async fn body(mut self) -> String {
        if let Some((_, length)) = self.head.split_once("content-length: ") {
            let length = length.lines().next().expect("a line").parse().expect("a length");
            while self.raw.len() < length {
                read(&mut self.stream, &mut self.raw).await;
            }
            return String::from_utf8(self.raw).expect("UTF-8");
        }
        while !self.is_ended {
            self.chunk().await;
        }
        self.text
    }
}

async fn read(stream: &mut TcpStream, into: &mut Vec<u8>) {
    let read = timeout(LONG, stream.read_buf(into)).await.expect("in time").expect("reads");
    assert!(read > 0, "cut off: {:?}", String::from_utf8_lossy(into));
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    let stream = Stream::open(addr, path, "").await;
    (stream.status(), stream.body().await)
}

pub(crate) async fn json(addr: SocketAddr, path: &str) -> Value {
    let (status, body) = get(addr, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}
