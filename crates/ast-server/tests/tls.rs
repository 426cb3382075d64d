//! HTTPS: served where the program is built with it, refused with the way out where it is not.

mod common;

use common::program::{failure, utf8};

/// A folder with a small set, and the arguments that check a server of it.
fn checked(more: &[&str]) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "song.als", &common::small());
    let args = [&["serve", utf8(&set), "--check"], more].concat();
    let args = args.into_iter().map(str::to_owned).collect();
    (folder, args)
}

fn refused(more: &[&str], code: i32) -> String {
    let (_folder, args) = checked(more);
    failure(&args.iter().map(String::as_str).collect::<Vec<_>>(), code)
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    for one in ["--http-certificate-file", "--http-key-file"] {
        let told = refused(&[one, "/dev/null"], 2);
        assert!(told.contains("name --http-certificate-file and --http-key-file"), "{told}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_whatever_needs_it_is_refused_with_the_way_out() {
    let pem = "/dev/null";
    for (more, way_out) in [
        (&["--otlp-url", "https://h:4318"][..], "push to http:// instead"),
        (&["--otlp-url", "HTTPS://h"], "push to http:// instead"),
        (
            &["--otlp-url", "http://h:4318", "--otlp-authorities-file", pem],
            "leave out the authorities",
        ),
        (
            &["--http-certificate-file", pem, "--http-key-file", pem],
            "leave out the certificate and its key",
        ),
    ] {
        let told = refused(more, 2);
        assert!(told.contains("built without TLS; build it with `--features tls`"), "{told}");
        assert!(told.contains(way_out), "{told}");
    }
}

#[cfg(feature = "tls")]
mod with_tls {
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::net::SocketAddr;
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::time::Instant;

    use rcgen::CertifiedKey;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;

    use super::common::program::{ast_server, run, utf8};
    use super::{checked, refused};

    /// The program, ended when the test is.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn certified() -> CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
    }

    /// The answer of a server that shows this certificate; `None` where it shows another.
    async fn get(addr: SocketAddr, trusted: &CertifiedKey<rcgen::KeyPair>) -> Option<String> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.cert.der().clone()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TcpStream::connect(addr).await.expect("it listens");
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.ok()?;
        let request = b"GET /project HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        Some(answer)
    }

    #[tokio::test]
    async fn metrics_and_queries_are_served_over_https() {
        let (folder, args) = checked(&[]);
        let (own, other) = (certified(), certified());
        let [certificate, key, wrong] =
            ["chain.pem", "key.pem", "wrong.pem"].map(|name| folder.path().join(name));
        fs::write(&certificate, own.cert.pem()).expect("written");
        fs::write(&key, own.signing_key.serialize_pem()).expect("written");
        fs::write(&wrong, other.signing_key.serialize_pem()).expect("written");
        let unfit =
            ["--http-certificate-file", utf8(&certificate), "--http-key-file", utf8(&wrong)];
        let told = refused(&unfit, 1);
        assert!(
            told.contains("cannot use the TLS certificate and key") && told.contains("wrong.pem"),
            "{told}"
        );

        let free = "127.0.0.1:0";
        let mut child = ast_server()
            .args(["serve", &args[1], "--udp", free, "--ws", free, "--http", free])
            .args(["--http-certificate-file", utf8(&certificate), "--http-key-file", utf8(&key)])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let running = Running(child);
        let mut lines = lines.map(|line| line.expect("UTF-8"));
        let addr = lines.find_map(|line| line.strip_prefix("metrics  https://").map(str::to_owned));
        let addr = addr.expect("it says where").parse().expect("an address");
        let answer = get(addr, &own).await.expect("trusted");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

        // A certificate that does not fit its key changes nothing, and both together are taken.
        let hang_up = || {
            let kill = format!("kill -HUP {}", running.0.id());
            assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        };
        fs::write(&certificate, other.cert.pem()).expect("written");
        hang_up();
        assert!(get(addr, &own).await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200 ")));
        fs::write(&key, other.signing_key.serialize_pem()).expect("written");
        hang_up();
        let start = Instant::now();
        while get(addr, &other).await.is_none() {
            assert!(start.elapsed() < super::common::DEADLINE, "the certificate is not renewed");
        }
        assert!(get(addr, &own).await.is_none(), "the old one is not shown any more");
    }

    #[test]
    fn a_push_over_https_is_set_up_with_authorities_of_ones_own() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("authorities.pem");
        fs::write(&file, certified().cert.pem()).expect("written");
        let url = ["--otlp-url", "https://receiver.example"];
        let trusting = [&url[..], &["--otlp-authorities-file", utf8(&file)]].concat();
        let (_folder, args) = checked(&trusting);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        assert!(run(&args).status.success());
        fs::write(&file, "no PEM").expect("written");
        let told = refused(&trusting, 1);
        assert!(told.contains("authorities.pem"), "{told}");
    }
}
