//! A process that may open few files or can start no thread.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::clients::Scraper;
use super::server::Server;

const OPEN_FILES: u32 = 64;
const IDLE: usize = 200;

/// Far more than an answer takes; only a failure waits for it.
const LONG: Duration = Duration::from_secs(20);

async fn idle(server: &Server) -> Vec<TcpStream> {
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(TcpStream::connect(server.addr).await.expect("connects"));
    }
    idle
}

pub(crate) async fn idle_connections_beyond_the_limit_of_open_files_keep_nobody_waiting() {
    let mut server = Server::start_with(OPEN_FILES, "1");
    let scraper = Scraper::new(server.addr);
    let _crowd = idle(&server).await;
    for _ in 0..3 {
        timeout(LONG, scraper.is_healthy()).await.expect("answered");
    }
    // The process takes all that are left, for files of its own.
    server.tell("hoard");
    for _ in 0..3 {
        timeout(LONG, scraper.is_healthy()).await.expect("an idle connection makes room");
    }
    let crowd = idle(&server).await;
    sleep(Duration::from_millis(300)).await;
    drop(crowd);
    server.tell("free");
    timeout(LONG, scraper.is_healthy()).await.expect("it goes on");
    let log = server.end();
    let said = log.lines().filter(|line| line.contains("have to wait")).count();
    assert_eq!(said, 1, "{log}");
}

/// Each further one may be the one that the system refuses.
pub(crate) async fn no_request_needs_a_thread_more() {
    let server = Server::start();
    let scraper = Scraper::new(server.addr);
    scraper.is_healthy().await;
    let threads = server.threads();
    for _ in 0..3 {
        scraper.read_all().await;
        // One that was there at the start may have ended.
        let new: Vec<_> = server.threads().difference(&threads).cloned().collect();
        assert!(new.is_empty(), "threads {new:?} came with requests");
    }
    assert!(!server.end().contains("panicked"));
}
