//! `permessage-deflate`: against a peer made of a plain socket and another implementation of
//! DEFLATE.

mod common;

use std::io::{Cursor, Read};

use ast_server::Arg;
use common::{DEADLINE, Stage};
use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

const TEXT: OpCode = OpCode::Data(Data::Text);

/// A viewer that does by hand what its library would.
struct Peer {
    stream: TcpStream,
    /// What was read and not looked at.
    read: Vec<u8>,
    /// The headers of the server's answer.
    answer: String,
}

/// A message as it came.
struct Received {
    bytes: Vec<u8>,
    is_deflated: bool,
    frames: usize,
}

impl Received {
    fn json(&self) -> Value {
        let text = if self.is_deflated { inflate(&self.bytes) } else { self.bytes.clone() };
        serde_json::from_slice(&text).expect("JSON")
    }
}

fn inflate(message: &[u8]) -> Vec<u8> {
    // The last block is an empty one that ends the stream.
    let whole = [message, &[0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]].concat();
    let mut text = Vec::new();
    DeflateDecoder::new(whole.as_slice()).read_to_end(&mut text).expect("it inflates");
    text
}

fn deflate(message: &[u8]) -> Vec<u8> {
    let mut deflated = Vec::with_capacity(message.len() + 100);
    let mut stream = Compress::new(Compression::best(), false);
    stream.compress_vec(message, &mut deflated, FlushCompress::Sync).expect("it deflates");
    assert_eq!(stream.total_in(), message.len() as u64);
    deflated.truncate(deflated.len() - 4);
    deflated
}

impl Peer {
    async fn connect(stage: &Stage, offer: &str) -> Self {
        let to = stage.service.addresses().websocket;
        let mut stream = TcpStream::connect(to).await.expect("the server listens");
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Extensions: {offer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut peer = Self { stream, read: Vec::new(), answer: String::new() };
        let end = loop {
            match peer.read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => assert!(peer.read_more().await, "closed before it answered"),
            }
        };
        let answer = peer.read.drain(..end).collect();
        peer.answer = String::from_utf8(answer).expect("headers are text").to_lowercase();
        peer
    }

    /// `false` where the server has closed the connection.
    async fn read_more(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.read);
        let read = tokio::time::timeout(DEADLINE, read).await.expect("something in time");
        read.is_ok_and(|read| read > 0)
    }

    /// The next message; `None` where the server closes the connection. Pongs are left out.
    async fn next(&mut self) -> Option<Received> {
        let mut message = Received { bytes: Vec::new(), is_deflated: false, frames: 0 };
        loop {
            let mut cursor = Cursor::new(&self.read);
            let header = FrameHeader::parse(&mut cursor).expect("a header");
            let start = usize::try_from(cursor.position()).expect("short");
            let whole = header.filter(|(_, len)| self.read.len() as u64 - start as u64 >= *len);
            let Some((header, len)) = whole else {
                if !self.read_more().await {
                    return None;
                }
                continue;
            };
            let end = start + usize::try_from(len).expect("short");
            let frame: Vec<_> = self.read.drain(..end).skip(start).collect();
            match header.opcode {
                OpCode::Control(Control::Close) => return None,
                OpCode::Control(_) => continue,
                OpCode::Data(_) => {}
            }
            assert!(message.frames == 0 || !header.rsv1, "the first frame alone says so");
            message.is_deflated |= header.rsv1;
            message.frames += 1;
            message.bytes.extend(frame);
            if header.is_final {
                return Some(message);
            }
        }
    }

    async fn send(&mut self, opcode: OpCode, is_final: bool, rsv1: bool, payload: &[u8]) {
        let mask = [3, 1, 4, 1];
        let header =
            FrameHeader { is_final, rsv1, opcode, mask: Some(mask), ..FrameHeader::default() };
        let mut frame = Vec::new();
        header.format(payload.len() as u64, &mut frame).expect("a vector takes it");
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        frame.extend(masked);
        // The server may close before it has read all of it.
        let _ = self.stream.write_all(&frame).await;
    }

    /// Sends a message in one compressed frame, and gives what comes.
    async fn ask(&mut self, request: &[u8]) -> Option<Value> {
        self.send(TEXT, true, true, &deflate(request)).await;
        self.next().await.map(|answer| answer.json())
    }
}

fn ack(id: &str) -> Option<Value> {
    let payload = serde_json::json!({ "status": "ok", "request_id": id });
    Some(serde_json::json!({ "type": "ACK", "payload": payload }))
}

#[tokio::test]
async fn whoever_offers_it_is_sent_long_messages_compressed_and_short_ones_as_they_are() {
    let stage = Stage::new().await;
    let mut granted = Peer::connect(&stage, "permessage-deflate; client_max_window_bits").await;
    let header = "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; \
                  client_no_context_takeover\r\n";
    assert!(granted.answer.contains(header), "{}", granted.answer);
    let mut plain = Peer::connect(&stage, "x-other").await;
    assert!(!plain.answer.contains("extensions"), "{}", plain.answer);

    let (packed, tree) = (granted.next().await.expect("a tree"), plain.next().await.expect("one"));
    assert!(packed.is_deflated && !tree.is_deflated);
    assert_eq!(packed.json(), tree.json());
    assert!(packed.bytes.len() * 3 < tree.bytes.len(), "{} bytes", packed.bytes.len());

    for (name, is_long) in [("short".to_owned(), false), ("long ".repeat(1_000), true)] {
        let args = [Arg::from(0), Arg::from(name.as_str())];
        let _ = stage.server.process_live_event("/live/track/renamed", &args, 1, 0.0);
        let (packed, tree) = (granted.next().await.expect("a diff"), plain.next().await);
        assert_eq!(packed.is_deflated, is_long);
        assert_eq!(packed.json(), tree.expect("a diff").json());
    }
}

#[tokio::test]
async fn a_tree_of_many_frames_is_compressed_as_one() {
    let stage = Stage::new().await;
    // Noise: compressed it is longer than a frame still.
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric).take(12_000).collect();
    for track in 0..12 {
        let args = [Arg::from(track), Arg::from(noise.as_str()), Arg::from("midi")];
        let _ = stage.server.process_live_event("/live/track/added", &args, 1, 0.0);
    }
    let mut peer = Peer::connect(&stage, "permessage-deflate; server_max_window_bits=12").await;
    assert!(peer.answer.contains("; server_max_window_bits=12\r\n"), "{}", peer.answer);
    let tree = peer.next().await.expect("a tree");
    assert!(tree.is_deflated && tree.frames > 1, "{} frames", tree.frames);
    let hash = stage.server.root_hash().expect("a set").to_string();
    assert_eq!(tree.json()["payload"]["ast"]["hash"], hash);
}

#[tokio::test]
async fn what_a_viewer_compresses_is_read_in_whatever_frames_it_comes() {
    let stage = Stage::new().await;
    let mut peer = Peer::connect(&stage, "permessage-deflate").await;
    peer.next().await.expect("a tree");
    assert_eq!(peer.ask(br#"{"request_id":"whole"}"#).await, ack("whole"));
    peer.send(TEXT, true, false, br#"{"request_id":"plain"}"#).await;
    assert_eq!(peer.next().await.map(|answer| answer.json()), ack("plain"));

    let parts = deflate(br#"{"request_id":"parts"}"#);
    let (first, rest) = parts.split_at(5);
    peer.send(TEXT, false, true, first).await;
    peer.send(OpCode::Control(Control::Ping), true, false, b"in between").await;
    peer.send(OpCode::Data(Data::Continue), false, false, b"").await;
    peer.send(OpCode::Data(Data::Continue), true, false, rest).await;
    assert_eq!(peer.next().await.map(|answer| answer.json()), ack("parts"));

    // As much as a viewer may send, and not a byte more.
    let most = |len: usize| {
        let mut request = br#"{"request_id":"most"}"#.to_vec();
        request.resize(len, b' ');
        request
    };
    assert_eq!(peer.ask(&most(64 << 10)).await, ack("most"));
    assert_eq!(peer.ask(&most((64 << 10) + 1)).await, None);
}

#[tokio::test]
async fn bombs_and_broken_messages_end_their_connection_only() {
    /// Opcode, whether it is the last, whether it says that it is compressed, payload.
    type Frame<'a> = (OpCode, bool, bool, &'a [u8]);

    let stage = Stage::new().await;
    let mut good = Peer::connect(&stage, "permessage-deflate").await;
    good.next().await.expect("a tree");
    let bomb = deflate(&vec![b' '; 60 << 20]);
    assert!(bomb.len() < 64 << 10, "it is one that may be sent: {} bytes", bomb.len());
    let more = OpCode::Data(Data::Continue);
    let cases: [&[Frame<'_>]; 7] = [
        &[(TEXT, true, true, &bomb)],
        &[(TEXT, true, true, b"\xff\xff no deflate")],
        &[(TEXT, true, true, &[0; 70_000])],
        &[(TEXT, false, true, &[0; 40_000]), (more, true, false, &[0; 40_000])],
        &[(TEXT, false, true, b""), (TEXT, true, true, b"")],
        &[(TEXT, false, true, b""), (TEXT, true, false, b"1")],
        &[(TEXT, false, true, b""), (more, true, true, b"")],
    ];
    for frames in cases {
        let mut bad = Peer::connect(&stage, "permessage-deflate").await;
        bad.next().await.expect("a tree");
        for (opcode, is_final, rsv1, payload) in frames {
            bad.send(*opcode, *is_final, *rsv1, payload).await;
        }
        assert!(bad.next().await.is_none(), "{frames:.60?}");
    }
    let mut stranger = Peer::connect(&stage, "x-other").await;
    stranger.next().await.expect("a tree");
    assert_eq!(stranger.ask(b"{}").await, None, "not granted");
    assert_eq!(good.ask(br#"{"request_id":"on"}"#).await, ack("on"));
}
