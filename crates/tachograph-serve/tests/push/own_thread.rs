//! A push in a program without tokio, to a real socket.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use super::{manual, numbers};

#[test]
fn it_pushes_without_a_runtime_and_flushes_when_told_to_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}/here", listener.local_addr().expect("an address"));
    let receiver = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        // The body is the number 0 in 8 bytes.
        while !request.ends_with(&[0; 8]) {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("answers");
        request
    });
    let push = numbers(&manual(), &url).every(Duration::from_secs(3_600));
    let pusher = push.spawn().expect("starts");
    assert_eq!(pusher.report().payloads, 0);
    let report = pusher.shutdown(Duration::from_secs(60));
    assert_eq!((report.payloads, report.delivered), (1, 1));
    let request = receiver.join().expect("received");
    assert!(request.starts_with(b"POST /here HTTP/1.1\r\n"));
}
