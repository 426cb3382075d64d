//! HTTPS, with a certificate that the test makes for itself.

use std::sync::Arc;
use std::time::Duration;

use rcgen::CertifiedKey;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tachograph_serve::{Endpoint, Tls};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client::over;
use super::{loopback, manual};

fn certified() -> CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

async fn connect(
    addr: std::net::SocketAddr,
    trusted: &CertifiedKey<rcgen::KeyPair>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TcpStream::connect(addr).await?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn answers_go_over_tls_to_who_trusts_the_certificate() {
    let own = certified();
    let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let tls = Tls::from_pem(chain.as_bytes(), key.as_bytes()).expect("PEM");
    let endpoint = Endpoint::new(manual()).tls(tls).header_timeout(Duration::from_secs(1));
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    // Neither a client that never says hello nor one that speaks no TLS keeps anyone waiting.
    let mut silent = TcpStream::connect(server.addr()).await.expect("connects");
    let mut plain = TcpStream::connect(server.addr()).await.expect("connects");
    let hello = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut plain, hello).await.expect("sends");
    for _ in 0..3 {
        let stream = connect(server.addr(), &own).await.expect("shakes hands");
        let answer = over(stream, "GET", "/metrics.json", "localhost", &[]).await;
        assert_eq!(answer.status, 200);
        assert!(answer.json()["metrics"].is_object());
    }
    let stranger = connect(server.addr(), &certified()).await;
    stranger.expect_err("another certificate is trusted");
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.expect("is closed");
    assert_eq!(rest, b"");
    // Err or an alert: no metrics in either case.
    let _ = plain.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
}

#[tokio::test]
async fn a_session_over_tls_is_never_sent_without_it() {
    let own = certified();
    let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let tls = Tls::from_pem(chain.as_bytes(), key.as_bytes()).expect("PEM");
    let endpoint = Endpoint::new(manual()).tls(tls).bearer_token("secret").expect("a token");
    let endpoint = endpoint.history(tachograph_history::Settings::default());
    let server = endpoint.listen(loopback()).serve().await.expect("binds");
    let stream = connect(server.addr(), &own).await.expect("shakes hands");
    let answer = over(stream, "GET", "/?token=secret", "localhost", &[]).await;
    let cookie = answer.header("set-cookie");
    assert_eq!(answer.status, 303);
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[test]
fn a_certificate_and_a_key_that_cannot_be_used_are_refused_with_the_reason() {
    let (own, other) = (certified(), certified());
    let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let told = |chain: &str, key: &str| {
        Tls::from_pem(chain.as_bytes(), key.as_bytes()).expect_err("refused").to_string()
    };
    assert!(told(&chain, "").starts_with("cannot use the TLS key: "));
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    assert!(told(broken, &key).starts_with("cannot use the TLS certificate: "));
    assert!(told("", &key).starts_with("cannot use the TLS certificate and key: "));
    let mixed = told(&chain, &other.signing_key.serialize_pem());
    assert!(mixed.starts_with("cannot use the TLS certificate and key: "), "{mixed}");
}
