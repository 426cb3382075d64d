//! An endpoint in a program without tokio: plain sockets, no runtime anywhere in these tests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use tachograph_serve::Endpoint;

use super::{loopback, manual, publish};

fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("connects");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("UTF-8");
    answer
}

#[test]
fn it_serves_without_a_runtime_and_ends_when_told() {
    let metrics = manual();
    metrics.increment("events");
    publish(&metrics);
    let server = Endpoint::new(metrics.clone()).listen(loopback()).spawn().expect("starts");
    let addr = server.addr();
    assert!(get(addr, "/metrics").contains("\nevents_total 1\n"));
    metrics.increment("events");
    assert!(get(addr, "/metrics.json").contains("\"events\":{\"value\":2"));
    let again = Endpoint::new(metrics).listen(addr).spawn().expect_err("in use");
    assert!(again.is_in_use());
    server.shutdown();
    TcpStream::connect(addr).expect_err("nobody listens");
}

#[test]
fn it_ends_when_its_handle_is_dropped() {
    let server = Endpoint::new(manual()).listen(loopback()).spawn().expect("starts");
    let mut idle = TcpStream::connect(server.addr()).expect("connects");
    drop(server);
    let mut rest = Vec::new();
    // Err: closed before it had asked anything.
    let _ = idle.read_to_end(&mut rest);
    assert_eq!(rest, b"");
}
