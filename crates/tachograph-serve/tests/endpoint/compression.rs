//! Compressed answers, read by a decoder that is not the library's own.

use tachograph_serve::Endpoint;
use zune_inflate::DeflateDecoder;

use super::client::{Answer, with};
use super::{loopback, manual, publish, serve};

fn decoded(answer: &Answer) -> String {
    assert_eq!(answer.header("content-encoding"), "gzip");
    let bytes = DeflateDecoder::new(&answer.bytes).decode_gzip().expect("gzip");
    String::from_utf8(bytes).expect("UTF-8")
}

#[tokio::test]
async fn what_is_compressed_decodes_to_what_is_sent_plain() {
    let metrics = manual();
    for i in 0..500 {
        metrics.with_tags(&[("i", &i.to_string())]).histogram("size", i * i);
    }
    publish(&metrics);
    let server = serve(&metrics).await;
    for path in ["/metrics", "/snapshot"] {
        let plain = with(server.addr(), "GET", path, &[]).await;
        assert_eq!(plain.header("content-encoding"), "");
        for _ in 0..2 {
            let accept = [("Accept-Encoding", "gzip, zstd")];
            let answer = with(server.addr(), "GET", path, &accept).await;
            assert!(answer.header("vary").contains("accept-encoding"));
            assert_eq!(decoded(&answer), plain.text(), "{path}");
            let share = answer.bytes.len() * 100 / plain.bytes.len();
            assert!(share < 20, "{path}: {share} %");
        }
    }
    let json =
        with(server.addr(), "GET", "/metrics.json?buckets=1", &[("Accept-Encoding", "*")]).await;
    let json: serde_json::Value = serde_json::from_str(&decoded(&json)).expect("JSON");
    assert_eq!(json["metrics"]["timings"]["size[i=7]"]["count"], 1);
}

#[tokio::test]
async fn a_short_answer_is_sent_as_it_is() {
    let endpoint = Endpoint::new(manual()).summary(|_| 7).listen(loopback());
    let server = endpoint.serve().await.expect("binds");
    let answer = with(server.addr(), "GET", "/summary", &[("Accept-Encoding", "gzip, zstd")]).await;
    assert_eq!((answer.status, answer.header("content-encoding")), (200, ""));
    assert_eq!(answer.text(), "7");
}

#[tokio::test]
async fn a_head_tells_the_length_of_the_body_that_a_get_gets() {
    let metrics = manual();
    (0..99).for_each(|i| metrics.with_tags(&[("i", &i.to_string())]).increment("counter"));
    publish(&metrics);
    let server = serve(&metrics).await;
    let accept = [("Accept-Encoding", "gzip")];
    let head = with(server.addr(), "HEAD", "/metrics", &accept).await;
    let got = with(server.addr(), "GET", "/metrics", &accept).await;
    assert_eq!(head.header("content-length"), got.bytes.len().to_string());
    assert_eq!(head.header("content-encoding"), "gzip");
}
