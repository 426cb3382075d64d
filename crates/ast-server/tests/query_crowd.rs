//! Crowds that ask, and clients that do not read: what they may take from everybody else.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ast_server::AstServer;
use common::Stage;
use live_set::generate::Spec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Sends a request for a path.
async fn send(stream: &mut TcpStream, path: &str) -> std::io::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await
}

/// The status of an answer, and all of it.
async fn read(mut stream: TcpStream) -> std::io::Result<(u16, String)> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default();
    Ok((status, answer))
}

async fn ask(to: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(to).await?;
    send(&mut stream, path).await?;
    read(stream).await
}

/// Asks until it is answered: where all places are taken, a connection whose request has not arrived
/// yet may be closed for somebody else's, and clients come back then.
async fn ask_until_answered(to: SocketAddr, path: &str) -> (u16, String) {
    loop {
        match ask(to, path).await {
            // A reset if some of the request had arrived, else an end without a byte.
            Err(_) => {}
            Ok((_, nothing)) if nothing.is_empty() => {}
            Ok(answer) => return answer,
        }
    }
}

async fn large(builder: ast_server::Builder, spec: &Spec) -> Stage {
    let stage = Stage::empty(builder).await;
    let folder = stage.file.parent().expect("a folder");
    let file = common::write(folder, "large.als", spec);
    stage.server.load_project(file).expect("the set loads");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_answered_while_400_clients_repeat_a_diff() {
    let stage = large(AstServer::builder(), &Spec::default()).await;
    let to = stage.service.addresses().http;
    let (answered, turned_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // They go on until the test ends.
    let mut crowd = JoinSet::new();
    for _ in 0..400 {
        let (answered, turned_away) = (Arc::clone(&answered), Arc::clone(&turned_away));
        crowd.spawn(async move {
            loop {
                let (status, answer) = ask_until_answered(to, "/diff?file=large.als").await;
                if status == 200 {
                    answered.fetch_add(1, Ordering::Relaxed);
                } else {
                    assert_eq!(status, 503, "{answer}");
                    assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
                    turned_away.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
    }
    for _ in 0..50 {
        for path in ["/health", "/metrics", "/-/ready"] {
            let answer = tokio::time::timeout(common::DEADLINE, ask_until_answered(to, path)).await;
            let (status, answer) = answer.expect("an answer in time");
            assert_eq!(status, 200, "{path}: {answer}");
        }
    }
    assert!(turned_away.load(Ordering::Relaxed) > 0, "there was a crowd");
    assert!(answered.load(Ordering::Relaxed) > 0, "and it was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_read_take_no_more_than_the_budget() {
    const CLIENTS: usize = 8;
    const BUDGET: usize = 8 << 20;
    let spec = Spec { tracks: 200, ..Spec::default() };
    let stage = large(AstServer::builder().answers_bytes(BUDGET), &spec).await;
    let to = stage.service.addresses().http;
    let (_, whole) = ask(to, "/tracks").await.expect("it listens");
    assert!(whole.len() > 5 << 20, "{} bytes are more than sockets hold", whole.len());
    let mut waiting = Vec::new();
    for _ in 0..CLIENTS {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(1 << 12).expect("a small buffer");
        let mut stream = socket.connect(to).await.expect("it listens");
        send(&mut stream, "/tracks").await.expect("sent");
        // Its answer has begun, and nobody reads the rest.
        stream.readable().await.expect("an answer");
        waiting.push(stream);
    }
    let mut answered = Vec::new();
    for stream in waiting {
        let (status, answer) = read(stream).await.expect("an answer");
        assert!(status == 503 || answer.len() == whole.len(), "{status}");
        answered.push(status);
    }
    let whole_ones = answered.iter().filter(|it| **it == 200).count();
    assert!((1..=BUDGET.div_ceil(whole.len())).contains(&whole_ones), "{answered:?}");
    // Those have read: others are answered again.
    assert_eq!(ask(to, "/tracks").await.expect("it listens").0, 200);
}
