//! Every setting at its least, at one, and at its most: it works, or is refused with the reason.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_export::otlp;
use tachograph_export::prometheus::Prometheus;
use tachograph_history::Settings as History;
use tachograph_serve::{Alerts, Endpoint, Error, Push, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The numbers that are tried of each setting.
const NUMBERS: [usize; 3] = [0, 1, usize::MAX];

const TIMES: [Duration; 3] = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];

fn texts() -> [String; 3] {
    [String::new(), "a".to_owned(), "a".repeat(10_000)]
}

/// The names of a type's setters: public functions that take it and give it back.
fn setters(source: &str) -> Vec<String> {
    let heads = source.split("    pub fn ").skip(1).filter_map(|rest| rest.split('{').next());
    let setters = heads.filter(|head| head.contains("mut self"));
    let names = setters.filter_map(|head| head.split(['(', '<']).next()).map(str::to_owned);
    let names: Vec<_> = names.collect();
    assert!(names.len() > 5, "{names:?}");
    names
}

/// Whether an endpoint serves, and ends.
async fn serves(endpoint: Endpoint) -> bool {
    let server = match endpoint.serve().await {
        Ok(server) => server,
        Err(refused) => {
            let refused = refused.to_string();
            return ["cannot listen on 127.0.0.1:", "cannot record to /nowhere/"]
                .iter()
                .any(|told| refused.starts_with(told));
        }
    };
    let mut stream = TcpStream::connect(server.addr()).await.expect("connects");
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                   Authorization: Bearer a\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    server.shutdown().await;
    // Each of them is an answer: a long token was not known, late by nothing is late.
    ["200", "401", "404", "503"].iter().any(|status| answer[9..].starts_with(status))
}

fn endpoints() -> Vec<(&'static str, Result<Endpoint, Error>)> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let new = || Endpoint::new(MetricsCollector::builder().manual().build()).listen(at(0));
    let mut all = vec![
        ("allow_any_host", Ok(new().allow_any_host())),
        ("prometheus", Ok(new().prometheus(Prometheus::new()))),
        ("mount", Ok(new().mount(axum::Router::new()))),
        ("summary", Ok(new().summary(|snapshot| snapshot.version()))),
        ("check", Ok(new().check("", || Err(String::new())))),
        ("pages", new().pages([])),
        ("pages", new().pages(["/health"])),
        ("alerts", Ok(new().alerts(Alerts::new(Vec::new()).log()))),
        ("record", new().record("/nowhere/x.jsonl")),
        ("program", Ok(new().program("a", "\0"))),
        ("pages", new().pages(Endpoint::PAGES.iter().map(|(path, _)| *path))),
        ("tls", Tls::from_pem(b"", b"").map(|tls| new().tls(tls))),
    ];
    for port in [0, 1, u16::MAX] {
        all.push(("listen", Ok(new().listen(at(port)))));
    }
    for text in texts() {
        all.push(("allow_host", new().allow_host(&text)));
        all.push(("bearer_token", new().bearer_token(text)));
    }
    for number in NUMBERS {
        all.push(("connections_max", Ok(new().connections_max(number))));
        let settings = History { bytes: number, merge: number as u32, ..History::default() };
        all.push(("history", Ok(new().history(settings))));
    }
    for time in TIMES {
        let settings = History { step: time, fine: time, coarse: time, ..History::default() };
        all.extend([
            ("history", Ok(new().history(settings))),
            ("stale_after", Ok(new().stale_after(time))),
            ("header_timeout", Ok(new().header_timeout(time))),
            ("keep_alive", Ok(new().keep_alive(time))),
            ("request_timeout", Ok(new().request_timeout(time))),
            ("answer_timeout", Ok(new().answer_timeout(time))),
            ("drain_timeout", Ok(new().drain_timeout(time))),
        ]);
    }
    all
}

#[tokio::test]
async fn an_endpoint_serves_with_every_setting_or_refuses_it_with_the_reason() {
    let all = endpoints();
    let source = include_str!("../src/http/endpoint.rs");
    for setter in setters(source) {
        assert!(all.iter().any(|(name, _)| *name == setter), "{setter} is not tried");
    }
    for (name, endpoint) in all {
        match endpoint {
            Ok(endpoint) => assert!(serves(endpoint).await, "{name}"),
            Err(refused) => assert!(refused.to_string().len() > 20, "{name}: {refused}"),
        }
    }
}

/// A receiver on a thread of its own that takes everything.
fn receiver() -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut length = 0;
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            if stream.read_exact(&mut body).is_ok() {
                // Err: it has its answer, or does not want it.
                let _ = stream.get_mut().write_all(answer);
            }
        }
    });
    url
}

fn pushes(url: &str) -> Vec<(&'static str, Result<Push, Error>)> {
    let metrics = MetricsCollector::builder().manual().build();
    let new = || Push::new(metrics.clone(), url, otlp::Settings::new("a")).expect("a target");
    let tcp = url.strip_prefix("http://").expect("a scheme").to_owned();
    let mut all = vec![
        ("gzip", Ok(new().gzip(true))),
        ("gzip", Ok(new().gzip(false))),
        ("authorities", new().authorities(b"")),
        ("connect_with", Ok(new().connect_with(move || TcpStream::connect(tcp.clone())))),
    ];
    for text in texts() {
        all.push(("header", new().header(&text, "a")));
        all.push(("header", new().header("a", &text)));
    }
    for number in NUMBERS {
        all.push(("queue_max", Ok(new().queue_max(number, 1))));
        all.push(("queue_max", Ok(new().queue_max(1, number))));
    }
    for time in TIMES {
        all.push(("every", Ok(new().every(time))));
        all.push(("timeout", Ok(new().timeout(time.max(Duration::from_secs(5))))));
        all.push(("backoff", Ok(new().backoff(time, Duration::from_secs(1)))));
        all.push(("backoff", Ok(new().backoff(Duration::from_secs(1), time))));
    }
    all
}

#[test]
fn a_push_delivers_with_every_setting_or_refuses_it_with_the_reason() {
    let url = receiver();
    let all = pushes(&url);
    let source = include_str!("../src/push/builder.rs");
    for setter in setters(source) {
        assert!(all.iter().any(|(name, _)| *name == setter), "{setter} is not tried");
    }
    for (name, push) in all {
        match push {
            Ok(push) => {
                let report = push.spawn().expect("starts").shutdown(Duration::MAX);
                assert!(report.delivered > 0, "{name}: {report:?}");
                assert_eq!(report.payloads, report.delivered + report.dropped, "{name}");
            }
            Err(refused) => assert!(refused.to_string().len() > 20, "{name}: {refused}"),
        }
    }
    let no_time = pushes(&url).pop().and_then(|(_, push)| push.ok()).expect("a push");
    let report = no_time.spawn().expect("starts").shutdown(Duration::ZERO);
    assert_eq!(report.payloads, report.delivered + report.dropped);
}

#[test]
fn where_there_is_no_runtime_or_one_too_many_it_says_so() {
    let metrics = MetricsCollector::builder().manual().build();
    let endpoint = || Endpoint::new(metrics.clone()).listen(([127, 0, 0, 1], 0).into());
    let push = || Push::new(metrics.clone(), "http://h", otlp::Settings::new("a")).expect("a URL");
    let told = push().start().expect_err("no runtime").to_string();
    assert_eq!(
        told,
        "cannot start: there is no tokio runtime here: spawn it on a thread of its own instead"
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let expected = "cannot start: this is async code already: await it instead";
        assert_eq!(endpoint().spawn().expect_err("async").to_string(), expected);
        assert_eq!(push().spawn().expect_err("async").to_string(), expected);
        assert_eq!(push().once(Duration::ZERO).expect_err("async").to_string(), expected);
    });
}
