//! What viewers may take: memory, places, time. Whoever takes more has to go, and nobody else loses
//! anything by it.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use ast_server::{Addresses, Arg, AstServer, Service};
use common::{DEADLINE, Stage, Viewer, until};
use futures_util::StreamExt;
use live_set::generate::Spec;
use tachograph_serve::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{self, Message};

const MIB: usize = 1 << 20;

/// Memory of this process that is in RAM, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}

/// Changes the tree, so that the next viewer needs another one.
fn rename(server: &AstServer, name: &str) {
    let args = [Arg::from(0), Arg::from(name)];
    let outcome = server.process_live_event("/live/track/renamed", &args, 1, 0.0);
    assert_eq!(outcome, ast_server::Outcome::Processed);
}

/// A server with a set of so many tracks and scenes.
async fn large(stage: Stage, tracks: usize, scenes: usize) -> Stage {
    let spec = Spec { tracks, scenes, ..common::small() };
    spec.write_als(std::fs::File::create(&stage.file).expect("a file")).expect("written");
    stage.server.load_project(&stage.file).expect("the set loads");
    stage
}

async fn tree_bytes(viewer: &mut Viewer) -> usize {
    match viewer.socket.next().await {
        Some(Ok(Message::Text(text))) => text.len(),
        other => panic!("no tree: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_viewers_that_do_not_read_hold_less_than_their_budget_and_a_good_one_gets_its_tree() {
    let stage = large(Stage::empty(AstServer::builder()).await, 200, 400).await;
    let tree = tree_bytes(&mut stage.viewer().await).await;
    assert!(40 * tree > 300 * MIB, "{tree} bytes: not what was seen");
    let before = resident();
    let mut deaf = Vec::new();
    for number in 0..40 {
        rename(&stage.server, &format!("take {number}"));
        deaf.push(stage.viewer().await);
    }
    let held = || stage.server.get_websocket_status().held_bytes;
    let mut most = (0, 0);
    let mut good = stage.viewer().await;
    rename(&stage.server, "the last");
    let mut next = std::pin::pin!(good.socket.next());
    let first = loop {
        most = (most.0.max(held()), most.1.max(resident()));
        if let Ok(first) = tokio::time::timeout(Duration::from_millis(5), &mut next).await {
            break first;
        }
    };
    let Some(Ok(Message::Text(first))) = first else { panic!("no tree: {first:?}") };
    assert!(first.contains("FULL_AST") && first.len() > tree / 2);
    assert!(most.0 <= 64 * MIB + tree, "{} bytes held", most.0);
    let grown = most.1.saturating_sub(before);
    // Beside the budget: a copy of the set, the tree that is written, what this end has read.
    assert!(grown < 40 * tree / 3, "{} MiB more", grown / MIB);
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_one_viewer_is_bounded_in_bytes_and_one_larger_message_waits_alone() {
    let builder = AstServer::builder().client_queue_bytes(MIB);
    let stage = Stage::with(builder).await;
    let mut deaf = stage.viewer().await;
    until("a viewer", || stage.server.viewers() == 1).await;
    let long = "x".repeat(300_000);
    let held = || stage.server.get_websocket_status().held_bytes;
    for _ in 0..125 {
        rename(&stage.server, &long);
        rename(&stage.server, "short");
        // Twice the name in each diff, another one on its way, and the tree.
        assert!(held() < 4 * MIB, "{} bytes", held());
    }
    assert!(stage.count("websocket.broadcast.failure") > 0, "nothing was refused");
    // It reads again: a tree brings it up to date.
    rename(&stage.server, "the last");
    while !deaf.socket.next().await.expect("open").expect("whole").to_string().contains("the last")
    {
    }
    assert!(stage.count("websocket.client.resynced") > 0);

    let resynced = stage.count("websocket.client.resynced");
    rename(&stage.server, &"y".repeat(2 * MIB));
    let message = deaf.socket.next().await.expect("open").expect("whole").to_string();
    assert!(message.starts_with(r#"{"type":"DIFF_UPDATE""#) && message.contains("yyyy"));
    assert_eq!(stage.count("websocket.client.resynced"), resynced, "it was queued alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_goes_whatever_its_queue_and_who_reads_slowly_stays() {
    // Far longer than a busy machine keeps a thread waiting.
    let limit = Duration::from_secs(3);
    let builder = AstServer::builder().evict_after(limit).client_queue_bytes(1 << 30);
    let stage = Stage::with(builder.clients_bytes(1 << 30)).await;
    let deaf = stage.viewer().await;
    let mut slow = stage.viewer().await;
    until("two viewers", || stage.server.viewers() == 2).await;
    let server = stage.server.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let long = "x".repeat(2 * MIB);
        for _ in 0..16 {
            rename(&server, &long);
            rename(&server, "short");
        }
        rename(&server, "the last");
    });
    // A part at a time, for far longer than who reads nothing is given.
    let stream = slow.socket.get_mut();
    let (mut part, mut read) = (vec![0; MIB / 4], Vec::new());
    let start = std::time::Instant::now();
    while !read.windows(8).any(|text| text == b"the last") {
        let some = tokio::time::timeout(DEADLINE, stream.read(&mut part)).await;
        let some = some.expect("in time").expect("open");
        assert!(some > 0, "it is disconnected");
        read.extend_from_slice(&part[some.saturating_sub(1 << 10)..some]);
        read.drain(..read.len().saturating_sub(2 << 10));
        tokio::time::sleep(limit / 200).await;
    }
    assert!(start.elapsed() > limit, "it was too quick to be evicted");
    sending.await.expect("no panic");
    until("one has gone", || stage.count("websocket.client.evicted") == 1).await;
    assert_eq!(stage.server.viewers(), 1);
    assert_eq!(stage.count("websocket.broadcast.failure"), 0, "no queue was full");
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_sign_of_life_goes_and_who_answers_pings_stays() {
    let (every, limit) = (Duration::from_millis(100), Duration::from_secs(3));
    let builder = AstServer::builder().ping_every(every).ping_timeout(limit);
    let stage = Stage::with(builder.max_clients(2)).await;
    // Reads all that comes, and answers nothing.
    let mut silent = stage.viewer().await;
    let mut good = stage.viewer().await;
    good.tree().await;
    let mut pings = 0;
    let mut gone = std::pin::pin!(async {
        let mut all = Vec::new();
        let _ = silent.socket.get_mut().read_to_end(&mut all).await;
    });
    let start = std::time::Instant::now();
    while start.elapsed() < limit * 2 {
        tokio::select! {
            message = good.socket.next() => {
                assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
                pings += 1;
            }
            () = &mut gone, if stage.count("websocket.client.silent") == 0 => {}
        }
    }
    assert!(pings > 10, "{pings}");
    until("the silent one has gone", || stage.server.viewers() == 1).await;
    assert_eq!(stage.count("websocket.client.silent"), 1);
    rename(&stage.server, "still here");
    assert_eq!(good.changes().await[0]["new_value"]["name"], "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_send_nothing_do_not_lock_viewers_out() {
    let stage = Stage::with(AstServer::builder().max_clients(2)).await;
    let to = stage.service.addresses().websocket;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(to).await.expect("a place in the queue"));
    }
    for _ in 0..2 {
        let mut viewer = stage.viewer().await;
        viewer.tree().await;
        silent.push(viewer.socket.into_inner());
    }
    // The oldest had to go for the last; the others may take their time.
    stage.until_count("websocket.client.refused", 300 + 2 - 256).await;
    let mut byte = [0];
    let first = silent[0].read(&mut byte).await;
    assert!(matches!(first, Ok(0) | Err(_)), "{first:?}");
}

/// The head of the answer to a request as it is written.
async fn ask(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
    read.expect("the connection is closed in time").expect("read");
    String::from_utf8(answer).expect("text").to_lowercase()
}

#[tokio::test]
async fn a_request_that_is_refused_has_an_answer() {
    let stage = Stage::new().await;
    let to = stage.service.addresses().websocket;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let cases = [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "426"),
        (format!("POST / HTTP/1.1\r\nHost: localhost\r\n{upgrade}"), "400"),
        (format!("GET / HTTP/1.1\r\nHost: example.com\r\n{upgrade}"), "403"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)), "431"),
    ];
    for (number, (request, status)) in cases.iter().enumerate() {
        let answer = ask(to, request).await;
        assert!(answer.starts_with(&format!("http/1.1 {status}")), "{request:.60}: {answer}");
        stage.until_count("websocket.client.refused", number as i128 + 1).await;
    }
}

/// The status that a handshake is answered with.
async fn status(to: SocketAddr, headers: &[(&'static str, &str)]) -> u16 {
    let stream = TcpStream::connect(to).await.expect("it listens");
    let mut request = format!("ws://{to}").into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match client_async(request, stream).await {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("no answer: {other}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn a_page_at_some_address_does_not_connect_to_a_server_on_all_of_them() {
    let mut everywhere = Addresses::free();
    everywhere.websocket = SocketAddr::from(([0, 0, 0, 0], 0));
    let service = Service::start(&AstServer::new(), everywhere).await.expect("free ports");
    let port = service.addresses().websocket.port();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!(status(to, &[("origin", "http://203.0.113.9")]).await, 403);
    for own in ["http://127.0.0.1:3000", "http://localhost"] {
        assert_eq!(status(to, &[("origin", own)]).await, 101, "{own}");
    }
    assert_eq!(status(to, &[]).await, 101, "no browser");
}

#[tokio::test]
async fn where_a_token_is_set_viewers_need_it_too() {
    let server = AstServer::new();
    let endpoint = Endpoint::new(server.metrics().clone()).bearer_token("s3cret");
    let endpoint = endpoint.expect("a token");
    let service = Service::start_with(&server, Addresses::free(), endpoint).await;
    let service = service.expect("free ports");
    let to = service.addresses().websocket;
    assert_eq!(status(to, &[]).await, 401);
    assert_eq!(status(to, &[("authorization", "Bearer wrong")]).await, 401);
    assert_eq!(status(to, &[("authorization", "Bearer s3cret")]).await, 101);
    let page = [("authorization", "Bearer s3cret"), ("origin", "http://example.com")];
    assert_eq!(status(to, &page).await, 403);
}

/// A browser cannot send a token with a WebSocket: the cookie of its session stands for it.
#[tokio::test]
async fn a_browser_that_has_opened_the_page_with_the_token_may_connect() {
    let server = AstServer::new();
    let endpoint = |token: &str| {
        let endpoint = Endpoint::new(server.metrics().clone()).bearer_token(token);
        endpoint.expect("a token").history(tachograph_history::Settings::default())
    };
    let service = Service::start_with(&server, Addresses::free(), endpoint("s3cret")).await;
    let service = service.expect("free ports");
    let Addresses { websocket: to, http, .. } = service.addresses();
    let request = "GET /?token=s3cret HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = ask(http, request).await;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.and_then(|it| it.split(';').next()).expect("a session").to_owned();
    let with = |cookie: String| async move { status(to, &[("cookie", &cookie)]).await };
    assert_eq!(with(cookie.clone()).await, 101);
    assert_eq!(with(format!("{cookie}0")).await, 401);
    let page = [("cookie", cookie.as_str()), ("origin", "http://example.com")];
    assert_eq!(status(to, &page).await, 403);
    // Its session lasts as long as the token.
    for (token, expected) in [("s3cret", 101), ("another", 401), ("s3cret", 401)] {
        service.let_in(endpoint(token));
        assert_eq!(with(cookie.clone()).await, expected, "{token}");
    }
}

/// The close frame that comes, whatever comes before it.
async fn goodbye(viewer: &mut Viewer) -> Option<CloseFrame> {
    loop {
        let next = tokio::time::timeout(DEADLINE, viewer.socket.next()).await;
        match next.expect("a message in time") {
            Some(Ok(Message::Close(frame))) => return frame,
            Some(Ok(_)) => {}
            other => panic!("no close frame: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_why_the_connection_ends() {
    let stage = Stage::new().await;
    let mask = [1, 2, 3, 4];
    let text = |payload: &[u8]| {
        let mut bytes = Vec::new();
        let mut frame = Frame::message(
            payload.to_vec(),
            tungstenite::protocol::frame::coding::OpCode::Data(
                tungstenite::protocol::frame::coding::Data::Text,
            ),
            true,
        );
        frame.header_mut().mask = Some(mask);
        frame.format(&mut bytes).expect("a vector takes it");
        bytes
    };
    let too_long = {
        let mut bytes = Vec::new();
        let header = FrameHeader { mask: Some(mask), ..FrameHeader::default() };
        header.format(1 << 30, &mut bytes).expect("a vector takes it");
        bytes.extend([0x20; 300_000]);
        bytes
    };
    let cases = [
        (text(b"\xff\xfe"), CloseCode::Invalid),
        (too_long, CloseCode::Size),
        (vec![0xf1, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (vec![0x81, 0x02, b'{', b'}'], CloseCode::Protocol),
    ];
    for (bytes, code) in cases {
        let mut viewer = stage.viewer().await;
        viewer.tree().await;
        let _ = viewer.socket.get_mut().write_all(&bytes).await;
        let frame = goodbye(&mut viewer).await.expect("a code");
        assert_eq!(frame.code, code, "{bytes:.10?}: {frame:?}");
    }
    let mut polite = stage.viewer().await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "enough".into() };
    polite.socket.close(Some(frame.clone())).await.expect("sent");
    assert_eq!(goodbye(&mut polite).await, Some(frame));
    until("all have gone", || stage.server.viewers() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_frame_is_answered_in_the_middle_of_a_tree() {
    let stage = large(Stage::empty(AstServer::builder()).await, 100, 400).await;
    let mut viewer = stage.viewer().await;
    // The tree fills what the kernel holds for a connection.
    until("it is on its way", || stage.server.get_websocket_status().held_bytes > 4 * MIB).await;
    viewer.socket.close(None).await.expect("sent");
    let answer = loop {
        match viewer.socket.next().await {
            Some(Ok(Message::Close(_))) => break true,
            Some(Ok(Message::Text(_))) => panic!("the whole tree came"),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break false,
        }
    };
    assert!(answer, "the close frame is not answered");
    until("it has gone", || stage.server.viewers() == 0).await;
}

#[tokio::test]
async fn stopping_tells_viewers_that_the_server_goes_away() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    viewer.tree().await;
    let Stage { service, .. } = stage;
    let stopping = tokio::spawn(service.stop());
    let frame = goodbye(&mut viewer).await.expect("a code");
    assert_eq!(frame.code, CloseCode::Away);
    drop(viewer);
    stopping.await.expect("no panic");
}
