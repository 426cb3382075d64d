//! Rules over what is recorded, who is told, and `/alerts`, read by an independent reader.

mod settings;

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver as Channel, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tachograph::MetricsCollector;
use tachograph_alert::{Condition, Rule, State, Transition, parse};
use tachograph_history::Settings;
use tachograph_serve::{Alerts, Endpoint, Receiver, ServerThread};

const STEP: Duration = Duration::from_millis(2);

/// Far more than a frame takes; only a failure waits for it.
const LONG: Duration = Duration::from_secs(20);

const LOST: &str = r#"
    [[rule]]
    name = "PacketLoss"
    metric = "udp.packet.dropped"
    minus = ["udp.packet.recovered"]
    statistic = "increase"
    last = "1h"
    op = ">"
    threshold = 100
    for = "10ms"
    severity = "critical"
    runbook = "http://runbook"
    message = "{value} packets lost, more than {threshold}"
    labels = { team = "audio" }
"#;

/// A collector that is driven by hand, and an endpoint that evaluates rules.
struct World {
    metrics: MetricsCollector,
    server: ServerThread,
    clock: Cell<(Instant, SystemTime)>,
}

impl World {
    fn new(alerts: Alerts) -> Self {
        let metrics = MetricsCollector::builder().publish_every(STEP).manual().build();
        let settings = Settings { step: STEP, ..Settings::default() };
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = Endpoint::new(metrics.clone()).listen(addr).history(settings);
        let server = endpoint.alerts(alerts).spawn().expect("starts");
        let clock = Cell::new((Instant::now(), SystemTime::now()));
        Self { metrics, server, clock }
    }

    /// One step of the collector's time; waits until `/alerts` tells of it.
    fn step(&self) -> Value {
        let (now, wall) = self.clock.get();
        self.clock.set((now + STEP, wall + STEP));
        self.metrics.run_pass(now + STEP, wall + STEP);
        let version = self.metrics.snapshot().version();
        let begun = Instant::now();
        loop {
            let told = self.alerts();
            if told["snapshot_version"] == version {
                return told;
            }
            assert!(begun.elapsed() < LONG, "{told}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn alerts(&self) -> Value {
        let addr = self.server.addr();
        let mut stream = std::net::TcpStream::connect(addr).expect("connects");
        let request = b"GET /alerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).expect("sends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        serde_json::from_str(body).expect("JSON")
    }

    /// Steps until a sink has had so many changes.
    fn until(&self, name: &str, delivered: u64) -> Value {
        let begun = Instant::now();
        loop {
            let told = self.step();
            if sink(&told, name)["delivered"] == delivered {
                return told;
            }
            assert!(begun.elapsed() < LONG, "{told}");
        }
    }

    /// Waits until `/alerts` tells of something that needs no further step.
    fn wait(&self, holds: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        while !holds(&self.alerts()) {
            assert!(begun.elapsed() < LONG, "{}", self.alerts());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A receiver that takes everything: its address, and the bodies.
fn receiver() -> (String, Channel<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let addr = listener.local_addr().expect("bound");
    let (bodies, taken) = sync_channel(100);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut head, mut line) = (String::new(), String::new());
            while stream.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
                head += &std::mem::take(&mut line).to_ascii_lowercase();
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.expect("a length").parse().expect("a number")];
            stream.read_exact(&mut body).expect("a body");
            let body = serde_json::from_slice(&body).expect("JSON");
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("reads");
            if bodies.send((head, body)).is_err() {
                return;
            }
        }
    });
    (format!("http://{addr}/hook"), taken)
}

#[test]
fn an_alert_goes_through_its_states_and_everybody_is_told() {
    let (url, hooked) = receiver();
    let (sender, sent) = sync_channel(100);
    let hook = Receiver::webhook(&url).and_then(|it| it.header("Authorization", "Bearer x"));
    let alerts = Alerts::new(parse(LOST).expect("a rule"))
        .log()
        .channel(sender)
        .receiver(hook.expect("a URL"))
        .page("http://here/");
    let handle = alerts.handle();
    let world = World::new(alerts);
    world.metrics.increment_by("udp.packet.dropped", 30);
    let quiet = world.step();
    let rule = &quiet["rules"][0];
    let expected = json!({
        "name": "PacketLoss", "severity": "critical", "for": 0.01, "runbook": "http://runbook",
        "condition": "increase(udp.packet.dropped \u{2212} udp.packet.recovered, last 1 h) > 100",
        "problem": null,
    });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&rule[key], value, "{key}");
    }
    let alert = &rule["alerts"][0];
    assert_eq!((&alert["state"], &alert["since"]), (&json!("inactive"), &Value::Null));
    assert_eq!(alert["series"], "udp.packet.dropped");
    assert_eq!((&alert["labels"], &quiet["changes"]), (&json!({ "team": "audio" }), &json!([])));

    world.metrics.increment_by("udp.packet.dropped", 200);
    world.metrics.increment_by("udp.packet.recovered", 50);
    let pending = world.step();
    let alert = pending["rules"][0]["alerts"][0].clone();
    assert_eq!(alert["state"], "pending");
    let since = alert["since"].as_f64().expect("since when");
    let firing = world.until("webhook", 1);
    let alert = &firing["rules"][0]["alerts"][0];
    assert_eq!(alert["state"], "firing");
    assert_eq!(alert["since"].as_f64(), Some(since), "since it began to hold");
    // What was recorded before the endpoint began may be left out: the first frame.
    let value = alert["value"].as_f64().expect("a value");
    assert!([150.0, 180.0].contains(&value), "{alert}");
    let text = value.to_string();
    assert_eq!(alert["message"], format!("{text} packets lost, more than 100"));
    let changes = firing["changes"].as_array().expect("a list");
    let steps: Vec<_> = changes.iter().map(|it| (&it["from"], &it["to"])).collect();
    let (inactive, pending, fires) = (json!("inactive"), json!("pending"), json!("firing"));
    assert_eq!(steps, [(&pending, &fires), (&inactive, &pending)], "newest first");

    let (head, body) = hooked.recv_timeout(LONG).expect("a webhook");
    assert!(head.starts_with("post /hook http/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: bearer x\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    let at = body["at"].as_f64().expect("when");
    assert!(at >= since + 0.009, "it held for 10 ms: {body}");
    let labels = json!({ "alertname": "PacketLoss", "severity": "critical", "team": "audio" });
    assert_eq!(
        body,
        json!({
            "status": "firing", "rule": "PacketLoss", "labels": labels, "value": value,
            "value_text": text, "threshold_text": "100",
            "message": format!("{text} packets lost, more than 100"),
            "since": since, "at": at, "exemplar": null, "page": "http://here/",
        })
    );
    // The rule goes: its alert has ended.
    handle.replace(Vec::new());
    let ended = world.until("webhook", 2);
    assert_eq!(ended["rules"], json!([]));
    assert_eq!(ended["changes"][0]["to"], "inactive");
    let (_, body) = hooked.recv_timeout(LONG).expect("a webhook");
    assert_eq!((&body["status"], &body["since"]), (&json!("resolved"), &Value::Null));
    let told: Vec<_> = sent.try_iter().map(|change| change.alert.state).collect();
    use State::{Firing, Inactive, Pending};
    assert_eq!(told, [Pending, Firing, Inactive]);
}

/// What `/alerts` says of a sink.
fn sink<'a>(told: &'a Value, name: &str) -> &'a Value {
    let sinks = told["sinks"].as_array().expect("a list");
    sinks.iter().find(|it| it["name"] == name).expect("the sink")
}

#[test]
fn sinks_that_panic_or_are_full_keep_nothing_from_the_others() {
    let (full, _kept) = sync_channel(0);
    let (gone, _) = sync_channel(0);
    let (sender, sent) = sync_channel(10);
    let rules = vec![Rule::new("A", Condition::Heartbeat)];
    let alerts = Alerts::new(rules).callback(|_| panic!("as a bug would")).channel(full);
    let told_too = move |change: &Transition| sender.send(change.alert.state).expect("room");
    let world = World::new(alerts.channel(gone).callback(told_too).log());
    let told = world.until("log", 1);
    for (name, error) in [("channel", "it is full"), ("channel_2", "nobody receives from it")] {
        let (dropped, told) = (&sink(&told, name)["dropped"], &sink(&told, name)["last_error"]);
        assert_eq!((dropped, told), (&json!(1), &json!(error)), "{name}");
    }
    assert!(sink(&told, "log")["last_delivery"].as_f64().is_some_and(|at| at > 1.7e9));
    assert_eq!(sent.recv_timeout(LONG).expect("it is called"), State::Firing);
    world.wait(|told| sink(told, "callback")["dropped"] == 1);
    assert_eq!(sink(&world.alerts(), "callback")["last_error"], "it panicked");
    world.wait(|told| sink(told, "callback_2")["delivered"] == 1);
}

#[test]
fn a_callback_that_hangs_stops_no_rule_and_what_waits_for_it_is_bounded_and_counted() {
    const RULES: usize = 700;
    let (go, hangs) = sync_channel::<()>(0);
    let (sender, sent) = sync_channel(3 * RULES);
    let hangs = std::sync::Mutex::new((hangs, sender));
    let callback = move |change: &Transition| {
        let hangs = hangs.lock().expect("no panic");
        // Err: it is no longer held up.
        let _ = hangs.0.recv();
        hangs.1.send((change.rule.clone(), change.alert.state)).expect("room");
    };
    let rule = |number| Rule::new(format!("rule {number}"), Condition::Heartbeat);
    let alerts = Alerts::new((0..RULES).map(rule).collect()).callback(callback).log();
    let handle = alerts.handle();
    let world = World::new(alerts);
    let all = RULES as u64;
    world.until("log", all);
    handle.replace(Vec::new());
    let told = world.until("log", 2 * all);
    assert_eq!(told["rules"], json!([]), "rules are evaluated");
    let waiting = sink(&told, "callback");
    let count = |name: &str| waiting[name].as_u64().expect("a count");
    assert_eq!((count("waiting"), count("delivered")), (1_000, 0), "{waiting}");
    assert_eq!(count("dropped"), 2 * all - 1_000, "every change is counted: {waiting}");
    let dropped = world.metrics.with_tags(&[("sink", "callback")]);
    let dropped = dropped.get_counter("metrics.alerts.dropped").expect("a counter").value;
    assert_eq!(dropped, i128::from(2 * all - 1_000));

    drop(go);
    world.wait(|told| sink(told, "callback")["delivered"] == 1_000);
    let calls: Vec<_> = sent.try_iter().collect();
    let oldest = calls.iter().filter(|(_, state)| *state == State::Firing).count();
    assert_eq!((calls.len(), oldest), (1_000, 1_000 - RULES), "those that came last");
    assert_eq!(calls[0].1, State::Firing, "the one that hung");
}

#[test]
fn a_callback_that_hangs_for_ever_does_not_keep_the_endpoint_from_ending() {
    let (_go, hangs) = sync_channel::<()>(0);
    let hangs = std::sync::Mutex::new(hangs);
    let (called, calls) = sync_channel(1);
    let rules = vec![Rule::new("A", Condition::Heartbeat)];
    let world = World::new(Alerts::new(rules).callback(move |_| {
        let _ = called.try_send(());
        let _ = hangs.lock().map(|hangs| hangs.recv());
    }));
    world.step();
    calls.recv_timeout(LONG).expect("it is called");
    world.server.shutdown();
}

#[test]
fn a_receiver_that_nothing_can_be_posted_to_is_refused() {
    for url in ["", "am:9093", "ftp://am", "http://", "http://am:70000"] {
        assert!(Receiver::webhook(url).is_err(), "{url}");
        assert!(Receiver::alertmanager(url).is_err(), "{url}");
    }
    let header = |name| Receiver::webhook("http://a").expect("a URL").header(name, "x");
    assert!(header("Content-Length").is_err() && header("X-Token").is_ok());
}
