//! What goes over the wire, and over which wire.

use std::sync::Arc;

use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tachograph_serve::Push;
use tokio_rustls::TlsAcceptor;
use zune_inflate::DeflateDecoder;

use super::stub::{Reply, Stub, reply};
use super::{SECOND, URL, assert_settled, made, manual, numbers, numbers_of};

#[tokio::test(start_paused = true)]
async fn a_request_is_as_the_specification_wants_it() {
    let metrics = manual();
    let text = "a payload that is long enough to be worth it ".repeat(9);
    for is_gzip in [false, true] {
        let stub = Stub::new(|_| reply(200, "", b""));
        let payload = text.clone();
        let encode = move |_: &_, out: &mut Vec<u8>| out.extend(payload.as_bytes());
        let push = Push::with_encoder(metrics.clone(), URL, encode).expect("a target");
        let push = push.gzip(is_gzip).header("Authorization", "Bearer s3cret").expect("a header");
        let report = stub.receives(push).start().expect("starts").shutdown(SECOND).await;
        assert_eq!(report.delivered, 1);
        let [request] = &stub.received()[..] else { panic!("{:?}", stub.received()) };
        assert_eq!(request.line, "POST /v1/metrics");
        assert_eq!(request.headers["host"], "receiver.example:4318");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        assert_eq!(request.headers["authorization"], "Bearer s3cret");
        assert!(request.headers["user-agent"].starts_with("OTel-OTLP-Exporter-"));
        let encoding = request.headers.get("content-encoding").map(String::as_str);
        assert_eq!(encoding, is_gzip.then_some("gzip"));
        let body = match is_gzip {
            true => DeflateDecoder::new(&request.body).decode_gzip().expect("gzip"),
            false => request.body.clone(),
        };
        assert_eq!(String::from_utf8(body).expect("UTF-8"), text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_until_the_receiver_closes_it() {
    let mut requests = 0;
    let stub = Stub::new(move |_| {
        requests += 1;
        match requests {
            5 => Reply::Close,
            _ => reply(200, if requests == 8 { "Connection: close\r\n" } else { "" }, b""),
        }
    });
    let metrics = manual();
    let pusher = stub.receives(numbers(&metrics, URL).every(10 * SECOND)).start().expect("starts");
    made(&pusher, 10).await;
    assert_settled(&metrics, pusher.shutdown(SECOND).await);
    assert_eq!(numbers_of(&stub), [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(stub.connections(), 3);
}

/// The client's pool opens a spare connection where the last one is not back yet.
#[tokio::test]
async fn over_a_socket_one_connection_takes_all_payloads_however_fast_they_follow() {
    let stub = Stub::new(|_| reply(200, "", b"{}"));
    let url = format!("http://{}", stub.listen().await);
    let metrics = manual();
    let push = numbers(&metrics, &url).every(SECOND / 1_000);
    let pusher = push.start().expect("starts");
    while pusher.report().delivered < 100 {
        tokio::time::sleep(SECOND / 100).await;
    }
    let report = pusher.shutdown(60 * SECOND).await;
    assert_settled(&metrics, report);
    assert_eq!((stub.connections(), report.delivered), (1, report.attempts));
}

#[test]
fn a_header_that_cannot_be_sent_is_refused() {
    let told = |name, value| {
        let push = numbers(&manual(), URL).header(name, value);
        push.expect_err("refused").to_string()
    };
    let expected = "cannot send the header \"a b\": a name is made of letters, digits and `-`";
    assert_eq!(told("a b", "c"), expected);
    for own in [
        "Content-Length",
        "transfer-encoding",
        "Host",
        "Content-Type",
        "connection",
        "Keep-Alive",
        "Proxy-Connection",
    ] {
        let expected =
            format!("cannot send the header {own:?}: the request sets it itself: leave it out");
        assert_eq!(told(own, "7"), expected);
    }
    let expected = "cannot send the header \"a\": a value has no line breaks or control characters";
    assert_eq!(told("a", "b\r\nc: d"), expected);
}

fn acceptor(own: &CertifiedKey<rcgen::KeyPair>) -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test(start_paused = true)]
async fn over_tls_only_a_receiver_that_is_trusted_gets_anything() {
    let made_for =
        |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let (own, other) = (made_for("receiver.example"), made_for("other.example"));
    for (shown, trusted, is_fine) in
        [(&own, &own, true), (&own, &other, false), (&other, &other, false)]
    {
        let metrics = manual();
        let stub = Stub::new(|_| reply(200, "", b""));
        let push = numbers(&metrics, "https://receiver.example");
        let push = push.authorities(trusted.cert.pem().as_bytes()).expect("PEM");
        let pusher = stub.receives_over(push, Some(acceptor(shown))).start().expect("starts");
        let report = pusher.shutdown(SECOND).await;
        assert_eq!(report.delivered, u64::from(is_fine), "{report:?}");
        assert_eq!(numbers_of(&stub).len(), usize::from(is_fine));
        assert_settled(&metrics, report);
    }
    let none = numbers(&manual(), URL).authorities(b"").expect_err("no certificate").to_string();
    let expected = "cannot use the TLS authority: there is no certificate in it; it has to be PEM";
    assert_eq!(none, expected);
}
