//! A client of a few lines that believes nothing: heads and lengths are checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(self.text()).unwrap_or_else(|e| panic!("{e} in {:?}", self.text()))
    }
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Answer {
    request(addr, "GET", path).await
}

/// One request on a connection of its own, read until the server closes it.
pub(crate) async fn request(addr: SocketAddr, method: &str, path: &str) -> Answer {
    with(addr, method, path, &[]).await
}

/// The same with headers. `Host` is the address unless it is among them.
pub(crate) async fn with(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let stream = TcpStream::connect(addr).await.expect("connects");
    over(stream, method, path, &addr.to_string(), headers).await
}

/// The same over a stream that is connected already.
pub(crate) async fn over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    method: &str,
    path: &str,
    host: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if headers.iter().all(|(name, _)| *name != "Host") {
        head += &format!("Host: {host}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).await.expect("sends");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answers");
    parse(method, &answer)
}

fn parse(method: &str, answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("cut: {:?}", String::from_utf8_lossy(answer)));
    let (head, bytes) = (std::str::from_utf8(&answer[..end]).expect("UTF-8"), &answer[end + 4..]);
    let (line, headers) = head.split_once("\r\n").expect("headers");
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)).expect("a status");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
        (name.to_ascii_lowercase(), value.to_owned())
    };
    let headers: BTreeMap<_, _> = headers.split("\r\n").map(header).collect();
    let length: usize = match headers.get("content-length") {
        Some(length) => length.parse().expect("a length"),
        None => {
            assert_eq!(status, "304", "only what is not modified has no length");
            0
        }
    };
    assert_eq!(bytes.len(), if method == "HEAD" { 0 } else { length }, "the body is whole");
    Answer { status: status.parse().expect("a number"), headers, bytes: bytes.to_vec() }
}
