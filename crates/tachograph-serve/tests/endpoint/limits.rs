//! Clients that misbehave, and the end of a server.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tachograph_serve::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::client::get;
use super::{loopback, manual, publish};

/// Far more than any of these tests takes; only a failure waits for it.
const LONG: Duration = Duration::from_secs(20);

async fn connect(addr: SocketAddr) -> TcpStream {
    TcpStream::connect(addr).await.expect("connects")
}

/// Reads until the server ends the connection, in whichever way.
async fn closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let end = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("is closed in time");
    if let Err(error) = end {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    answer
}

#[tokio::test]
async fn a_slow_header_sender_is_closed_and_disturbs_nobody() {
    let endpoint = Endpoint::new(manual()).header_timeout(Duration::from_secs(1));
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    let mut slow = connect(server.addr()).await;
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: ").await.expect("sends");
    let mut silent = connect(server.addr()).await;
    assert_eq!(get(server.addr(), "/metrics.json").await.status, 200);
    assert!(!closed(&mut slow).await.starts_with(b"HTTP/1.1 200"));
    assert_eq!(closed(&mut silent).await, b"");
}

#[tokio::test]
async fn a_client_that_never_reads_gives_up_its_place() {
    let metrics = manual();
    for i in 0..300 {
        let long = format!("{i}{}", "x".repeat(200));
        metrics.with_tags(&[("tag", &long)]).histogram("size", i);
    }
    publish(&metrics);
    let endpoint = Endpoint::new(metrics).connections_max(1);
    let endpoint = endpoint.answer_timeout(Duration::from_secs(1));
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut deaf = socket.connect(server.addr()).await.expect("connects");
    // Half a megabyte each: more than the kernel keeps for one connection.
    let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(60);
    deaf.write_all(requests.as_bytes()).await.expect("sends");
    let good = timeout(LONG, get(server.addr(), "/metrics")).await.expect("the place is free");
    assert!(good.bytes.len() > 400_000, "{} bytes", good.bytes.len());
    drop(deaf);
}

#[tokio::test]
async fn beyond_the_limit_the_connection_goes_that_was_silent_for_longest() {
    let metrics = manual();
    let endpoint = Endpoint::new(metrics.clone()).connections_max(2).listen(loopback());
    let server = endpoint.serve().await.expect("binds");
    let (mut first, mut second) = (connect(server.addr()).await, connect(server.addr()).await);
    // Of the two, the first has asked for something last.
    for stream in [&mut second, &mut first] {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sends");
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 200");
    }
    assert_eq!(get(server.addr(), "/metrics.json").await.status, 200);
    assert!(closed(&mut second).await.ends_with(b"}"), "the rest of its answer, no more");
    first.write_all(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sends");
    let mut rest = vec![0; 700];
    let count = first.read(&mut rest).await.expect("it is still served");
    assert!(count > 0);
    let evicted = metrics.get_counter("metrics.scrape.evicted").expect("registered");
    assert_eq!(evicted.value, 1);
}

/// All ask before the server looks at the first: one thread runs both.
#[tokio::test]
async fn of_a_crowd_that_comes_at_once_everyone_who_asks_is_answered() {
    let metrics = manual();
    publish(&metrics);
    let endpoint = Endpoint::new(metrics).connections_max(8);
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let ask = |_| {
        let mut stream = std::net::TcpStream::connect(server.addr()).expect("connects");
        std::io::Write::write_all(&mut stream, request).expect("sends");
        stream.set_nonblocking(true).expect("a setting");
        TcpStream::from_std(stream).expect("registered")
    };
    let crowd: Vec<_> = (0..100).map(ask).collect();
    for mut stream in crowd {
        assert!(closed(&mut stream).await.starts_with(b"HTTP/1.1 200"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_connection_is_kept_for_longer_than_a_head_may_take() {
    let endpoint = Endpoint::new(manual()).header_timeout(Duration::from_secs(1));
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    let mut kept = connect(server.addr()).await;
    for pause in [Duration::ZERO, Duration::from_millis(1_500), Duration::from_millis(1_500)] {
        // A scraper's pause.
        tokio::time::sleep(pause).await;
        let request = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
        kept.write_all(request).await.expect("sends");
        let mut start = [0; 1_000];
        let count = kept.read(&mut start).await.expect("is still there");
        assert!(start[..count].starts_with(b"HTTP/1.1 404"));
    }
    let idle = Endpoint::new(manual()).keep_alive(Duration::from_secs(1));
    let server = idle.listen(loopback()).serve().await.expect("binds");
    let mut kept = connect(server.addr()).await;
    kept.write_all(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sends");
    assert!(closed(&mut kept).await.starts_with(b"HTTP/1.1 404"), "and is closed in the end");
}

/// It reads steadily, but too slowly: every read gives the server something to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_drop_by_drop_is_cut_off_too() {
    let metrics = manual();
    for i in 0..3_000 {
        let long = format!("{i}{}", "x".repeat(200));
        metrics.with_tags(&[("tag", &long)]).increment("counter");
    }
    publish(&metrics);
    let endpoint = Endpoint::new(metrics).answer_timeout(Duration::from_secs(1));
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    let whole = get(server.addr(), "/metrics").await.bytes.len();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut slow = socket.connect(server.addr()).await.expect("connects");
    // More than the kernel keeps for it.
    let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20);
    slow.write_all(requests.as_bytes()).await.expect("sends");
    let (mut piece, mut read) = ([0; 8_192], 0);
    let begun = std::time::Instant::now();
    while let Ok(bytes @ 1..) = slow.read(&mut piece).await {
        assert!(begun.elapsed() < LONG, "it is never cut off");
        read += bytes;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(read < 19 * whole, "{read} bytes of 20 times {whole}");
}

#[tokio::test]
async fn a_request_with_a_body_is_answered_without_reading_it() {
    let server = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    let mut stream = connect(server.addr()).await;
    let head = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sends");
    assert!(closed(&mut stream).await.starts_with(b"HTTP/1.1 405"));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    let mut stream = connect(server.addr()).await;
    let head = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(100_000));
    // Err: the server has closed the connection before all of it was sent.
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = closed(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{answer:?}");
    assert_eq!(get(server.addr(), "/metrics.json").await.status, 200);
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_frees_the_address() {
    let server = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    let addr = server.addr();
    let mut idle = connect(addr).await;
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sends");
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
    timeout(LONG, server.shutdown()).await.expect("ends in time");
    closed(&mut idle).await;
    let refused = TcpStream::connect(addr).await.expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn shutdown_waits_for_a_slow_client_no_longer_than_it_may() {
    let endpoint = Endpoint::new(manual()).drain_timeout(Duration::from_millis(100));
    let server =
        endpoint.header_timeout(LONG * 10).listen(loopback()).serve().await.expect("binds");
    let mut slow = connect(server.addr()).await;
    slow.write_all(b"GET /health HT").await.expect("sends");
    assert_eq!(get(server.addr(), "/health").await.status, 200, "the first snapshot is empty");
    timeout(LONG, server.shutdown()).await.expect("ends in time");
    closed(&mut slow).await;
}

#[tokio::test]
async fn a_server_that_is_dropped_stops() {
    let server = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    let mut idle = connect(server.addr()).await;
    drop(server);
    assert_eq!(closed(&mut idle).await, b"");
}
