//! An Alertmanager that is down, answers nonsense, and comes back, with a manual clock.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

use serde_json::Value;
use tachograph::MetricsCollector;
use tachograph_alert::{Condition, Engine, Rule};
use tachograph_history::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Down,
    /// Answers each request with these bytes.
    Says(&'static str),
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// An in-memory receiver: its behaviour, and the bodies that it accepted.
#[derive(Debug)]
struct Stub {
    mode: Mutex<Mode>,
    taken: Mutex<Vec<Value>>,
}

impl Stub {
    fn set(&self, mode: Mode) {
        *self.mode.lock().expect("whole") = mode;
    }

    fn mode(&self) -> Mode {
        *self.mode.lock().expect("whole")
    }

    /// The alerts of all accepted bodies, in order: name, and whether it fires.
    fn alerts(&self) -> Vec<(String, bool)> {
        let taken = std::mem::take(&mut *self.taken.lock().expect("whole"));
        let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let alerts = taken.into_iter().flat_map(|body| body.as_array().expect("a list").clone());
        alerts
            .map(|alert| {
                let name = alert["labels"]["alertname"].as_str().expect("a name").to_owned();
                let (from, to) = (alert["startsAt"].as_str(), alert["endsAt"].as_str());
                assert!(from.expect("a time") <= to.expect("a time"), "{alert}");
                (name, to.expect("a time") > &*now)
            })
            .collect()
    }

    async fn serve(&self, mut stream: DuplexStream) {
        let mut text = Vec::new();
        while stream.read_buf(&mut text).await.is_ok_and(|read| read > 0) {
            let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(text[..end].to_vec()).expect("ASCII").to_ascii_lowercase();
            assert!(head.starts_with("post /api/v2/alerts http/1.1"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.expect("a length").parse().expect("a number");
            if text.len() < end + 4 + length {
                continue;
            }
            let body = text[end + 4..].to_vec();
            text.clear();
            let Mode::Says(answer) = self.mode() else { return };
            if answer == OK {
                let body = serde_json::from_slice(&body).expect("JSON");
                self.taken.lock().expect("whole").push(body);
            }
            if stream.write_all(answer.as_bytes()).await.is_err() || answer != OK {
                return;
            }
        }
    }
}

/// A running delivery, its outbox, and its receiver.
fn start() -> (Arc<Stub>, Arc<Outbox>) {
    let stub = Arc::new(Stub { mode: Mutex::new(Mode::Down), taken: Mutex::default() });
    let metrics = MetricsCollector::builder().manual().build();
    let outbox = Arc::new(Outbox::new("alertmanager", &metrics));
    let server = Arc::clone(&stub);
    let receiver =
        Receiver::alertmanager("http://am:9093/").expect("a URL").connect_with(move || {
            let server = Arc::clone(&server);
            async move {
                if server.mode() == Mode::Down {
                    return Err(io::Error::from(io::ErrorKind::ConnectionRefused));
                }
                let (near, far) = duplex(64 * 1024);
                tokio::spawn(async move { server.serve(far).await });
                Ok(near)
            }
        });
    let delivery = Delivery::new(receiver, Arc::clone(&outbox), "http://here/".into());
    tokio::spawn(delivery.expect("no TLS").run());
    (stub, outbox)
}

/// An engine's changes for an alert that fires now, and for its end.
fn changes(name: &str, ended_before: Duration) -> [Arc<Transition>; 2] {
    let rule = Rule::new(name, Condition::Heartbeat);
    let mut engine = Engine::new(vec![rule], Duration::from_secs(1));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("now") - ended_before;
    let end_ms = now.as_millis() as u64;
    let frame = Frame { end_ms, ..Frame::default() };
    let fires = engine.frame(&frame, &[]).pop().expect("it fires");
    let mut ends = fires.clone();
    (ends.from, ends.alert.state, ends.at_ms) = (State::Firing, State::Inactive, end_ms + 1);
    [Arc::new(fires), Arc::new(ends)]
}

/// How often each alert was reported as firing and as ended.
fn tally(alerts: &[(String, bool)]) -> BTreeMap<&str, (usize, usize)> {
    let mut tally = BTreeMap::<_, (usize, usize)>::new();
    for (name, fires) in alerts {
        let told = tally.entry(&**name).or_default();
        *if *fires { &mut told.0 } else { &mut told.1 } += 1;
    }
    tally
}

#[tokio::test(start_paused = true)]
async fn down_for_a_minute_and_back_it_is_told_every_change_in_order() {
    let (stub, outbox) = start();
    let mut pushed = Vec::new();
    for round in 0..12 {
        let name = format!("A{}", round % 3);
        for change in changes(&name, Duration::ZERO) {
            pushed.push((name.clone(), change.alert.state == State::Firing));
            outbox.push(change);
        }
        sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(stub.alerts(), []);
    let status = outbox.status();
    assert!(status.failed > 3 && status.failed < 30, "{status:?}: it tries, and pauses");
    assert_eq!((status.waiting, status.delivered, status.last_delivery), (24, 0, None));
    let told = status.last_error.expect("it has failed");
    assert!(told.contains("refused"), "{told}");
    stub.set(Mode::Says(OK));
    sleep(Duration::from_secs(16)).await;
    let alerts = stub.alerts();
    assert_eq!(alerts[..24], pushed, "and then what it is told every minute");
    let status = outbox.status();
    assert_eq!((status.waiting, status.delivered, status.dropped), (0, 24, 0));
    assert_eq!(status.last_error, None);
}

#[tokio::test(start_paused = true)]
async fn whatever_it_answers_nothing_is_lost_but_what_it_refuses() {
    let (stub, outbox) = start();
    let [fires, ends] = changes("A", Duration::ZERO);
    outbox.push(fires);
    for nonsense in [
        "",
        "\0\0\0\0",
        "hello\r\n\r\n",
        "HTTP/1.1 200\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Later\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 302 There\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
    ] {
        stub.set(Mode::Says(nonsense));
        sleep(Duration::from_secs(60)).await;
        let status = outbox.status();
        assert_eq!((status.waiting, status.dropped), (1, 0), "{nonsense:?}");
    }
    stub.set(Mode::Says(OK));
    sleep(Duration::from_secs(16)).await;
    assert_eq!(stub.alerts()[0], ("A".to_owned(), true));
    stub.set(Mode::Says("HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"));
    outbox.push(ends);
    sleep(Duration::from_secs(16)).await;
    let status = outbox.status();
    assert_eq!((status.waiting, status.dropped, status.delivered), (0, 1, 1));
    assert!(status.last_error.is_some_and(|error| error.contains("400")));
}

#[tokio::test(start_paused = true)]
async fn alerts_that_fire_are_told_again_every_minute_and_ended_ones_for_five() {
    let (stub, outbox) = start();
    stub.set(Mode::Says(OK));
    let [fires, _] = changes("Fires", Duration::ZERO);
    let young = changes("Young", Duration::from_secs(30));
    let old = changes("Old", Duration::from_secs(301));
    for change in [fires].into_iter().chain(young).chain(old) {
        outbox.push(change);
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(tally(&stub.alerts())["Old"], (1, 1));
    sleep(Duration::from_secs(300)).await;
    let alerts = stub.alerts();
    assert_eq!(tally(&alerts), BTreeMap::from([("Fires", (5, 0)), ("Young", (0, 5))]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded_and_the_oldest_go_first() {
    let (stub, outbox) = start();
    for n in 0..1_500 {
        let [fires, _] = changes(&format!("N{n}"), Duration::ZERO);
        outbox.push(fires);
    }
    let status = outbox.status();
    assert_eq!((status.waiting, status.dropped), (1_000, 500));
    stub.set(Mode::Says(OK));
    sleep(Duration::from_secs(60)).await;
    let alerts = stub.alerts();
    assert_eq!(alerts[0].0, "N500");
    assert!(alerts.iter().any(|(name, _)| name == "N1499"));
}
