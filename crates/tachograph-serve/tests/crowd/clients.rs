//! Two kinds of bad clients and a good one.

use std::net::SocketAddr;
use std::time::Duration;

use tachograph_serve::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;
use zune_inflate::DeflateDecoder;

/// Sends a head that never ends, a byte now and then, and comes back when it is closed.
pub(crate) async fn slow(addr: SocketAddr, delay: Duration) {
    const PAUSE: Duration = Duration::from_secs(1);
    sleep(delay).await;
    loop {
        if let Ok(mut stream) = TcpStream::connect(addr).await {
            let mut sent =
                stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ").await;
            while sent.is_ok() {
                sleep(PAUSE).await;
                sent = stream.write_all(b"x").await;
            }
        }
        sleep(PAUSE).await;
    }
}

/// Asks for far more than the kernel keeps for it and never reads; comes back when it is closed.
pub(crate) async fn deaf(addr: SocketAddr, delay: Duration) {
    let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    sleep(delay).await;
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        if let Ok(mut stream) = socket.connect(addr).await {
            // Err: closed already.
            let _ = stream.write_all(requests.as_bytes()).await;
            while stream.write_all(b"\r\n").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Scrapes, and believes nothing.
#[derive(Debug)]
pub(crate) struct Scraper {
    addr: SocketAddr,
}

impl Scraper {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self { addr }
    }

    /// One scrape, in each encoding by turns. How many lines it has; they end where they should.
    pub(crate) async fn scrape(&mut self, turn: u32) -> usize {
        let encoding = ["identity", "gzip"][turn as usize % 2];
        let text = self.get("/metrics", encoding).await;
        assert!(text.ends_with("\ntelemetry_prometheus_renamed 0\n"), "cut: {} bytes", text.len());
        text.lines().count()
    }

    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let json = self.get("/metrics.json", "identity").await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        json["metrics"]["counters"][name]["value"].as_u64().expect("a counter")
    }

    /// One question about the server's health, on a connection of its own.
    pub(crate) async fn is_healthy(&self) {
        assert!(self.get("/health", "identity").await.contains("\"ok\""));
    }

    /// Every page once.
    pub(crate) async fn read_all(&self) {
        for (path, _) in Endpoint::PAGES {
            assert!(!self.get(path, "gzip").await.is_empty(), "{path}");
        }
    }

    async fn get(&self, path: &str, encoding: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.expect("connects");
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {encoding}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sends");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("is not cut off");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let (head, body) =
            (std::str::from_utf8(&answer[..end]).expect("ASCII"), &answer[end + 4..]);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert_eq!(length, Some(body.len().to_string().as_str()), "whole");
        let is = |name| head.contains(&format!("content-encoding: {name}"));
        let body = if is("gzip") {
            DeflateDecoder::new(body).decode_gzip().expect("gzip")
        } else {
            body.to_vec()
        };
        String::from_utf8(body).expect("UTF-8")
    }
}
