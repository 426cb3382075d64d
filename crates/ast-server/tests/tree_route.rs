//! `GET /tree`: what a viewer across a network asks for, compressed.

mod common;

use std::io::Read;

use common::Stage;
use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The head and the body, as they come.
async fn ask(stage: &Stage, header: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(stage.service.addresses().http).await.expect("it listens");
    let request =
        format!("GET /tree HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).expect("a head is text").to_lowercase(), body)
}

#[tokio::test]
async fn the_tree_is_what_a_viewer_is_sent_first_compressed_where_that_is_accepted() {
    let stage = Stage::new().await;
    let mut viewer = stage.viewer().await;
    let sent = viewer.next("FULL_AST").await;

    let (head, plain) = ask(&stage, "").await;
    assert!(head.starts_with("http/1.0 200") && !head.contains("content-encoding"), "{head}");
    let tree: Value = serde_json::from_slice(&plain).expect("JSON");
    assert_eq!(tree["payload"], sent);

    let (head, packed) = ask(&stage, "Accept-Encoding: gzip\r\n").await;
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain);
    assert!(packed.len() * 4 < plain.len(), "{} of {} bytes", packed.len(), plain.len());
}
