//! Listeners that never read, and those that do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::clients::Scraper;
use super::server::Server;

const DEAF: usize = 900;
const GOOD: usize = 124;
/// The least that each good listener reads while all others are connected.
const FRAMES: usize = 40;
const RESIDENT_MAX: u64 = 96 << 20;

/// Far more than a frame takes; only a failure waits for it.
const LONG: Duration = Duration::from_secs(30);

/// Begins to listen; gives the head of the answer and what came with it.
async fn listen(addr: SocketAddr, buffer: u32) -> (TcpStream, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(buffer).expect("a buffer");
    let mut stream = socket.connect(addr).await.expect("connects");
    stream.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sends");
    let mut text = Vec::new();
    while !text.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = timeout(LONG, stream.read_buf(&mut text)).await.expect("in time");
        assert!(read.expect("an answer") > 0, "cut off");
    }
    (stream, String::from_utf8(text).expect("UTF-8"))
}

/// Reads until all are connected, and so many frames more: each is the next one, and none is lost.
async fn read(
    (mut stream, mut text): (TcpStream, String),
    all_are_there: watch::Receiver<bool>,
) -> (usize, usize) {
    let (mut last, mut frames, mut bytes, mut more) = (None, 0, 0, 0);
    while more < FRAMES {
        let mut piece = vec![0; 64 * 1024];
        let read = timeout(LONG, stream.read(&mut piece)).await.expect("in time");
        let read = read.expect("is not cut off");
        assert!(read > 0, "the stream ended");
        bytes += read;
        text += std::str::from_utf8(&piece[..read]).expect("ASCII");
        while let Some((line, rest)) = text.split_once('\n') {
            assert!(!line.starts_with("event: lost"), "it keeps up");
            if let Some(id) = line.strip_prefix("id: ") {
                let id: u64 = id.trim_end().parse().expect("a number");
                assert!(last.is_none_or(|last| last + 1 == id), "{id} after {last:?}");
                last = Some(id);
                frames += 1;
                more += usize::from(*all_are_there.borrow());
            }
            text = rest.to_owned();
        }
    }
    (frames, bytes)
}

pub(crate) async fn a_hundred_listeners_lose_nothing_among_900_that_never_read() {
    let server = Server::start_with(4_096, "live");
    let addr = server.addr;
    let (tell, all_are_there) = watch::channel(false);
    let (mut deaf, mut reading) = (Vec::new(), JoinSet::new());
    for _ in 0..GOOD {
        reading.spawn(read(listen(addr, 256 * 1024).await, all_are_there.clone()));
    }
    for _ in 0..DEAF {
        let (stream, head) = listen(addr, 4_096).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        deaf.push(stream);
    }
    // On a slow machine, some that never read have been sent away already: others take their
    // places.
    let refused = loop {
        let (stream, head) = listen(addr, 4_096).await;
        if !head.starts_with("HTTP/1.1 200 ") {
            break head.to_ascii_lowercase();
        }
        deaf.push(stream);
        assert!(deaf.len() < 2 * DEAF, "nobody is refused");
    };
    assert!(refused.starts_with("http/1.1 503 "), "{refused}");
    assert!(refused.contains("\r\nretry-after: 10\r\n"), "{refused}");
    tell.send_replace(true);
    let scraper = Scraper::new(addr);
    for _ in 0..10 {
        scraper.is_healthy().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (frames, bytes): (Vec<_>, Vec<_>) = reading.join_all().await.into_iter().unzip();
    let (frames, bytes) = (frames.into_iter().min(), bytes.into_iter().sum::<usize>());
    let resident_max = server.resident_max();
    let evicted = scraper.counter("metrics.scrape.evicted").await;
    println!(
        "{GOOD} listeners have read {} frames or more each, {:.0} MB together, at most {:.1} MiB \
         resident, {evicted} connections evicted",
        frames.unwrap_or_default(),
        bytes as f64 / 1e6,
        resident_max as f64 / f64::from(1 << 20)
    );
    assert!(resident_max < RESIDENT_MAX, "{resident_max} bytes resident");
    assert_eq!(evicted, 0, "listeners take no places of others");
}
