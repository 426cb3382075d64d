//! Alerts: the default rules, trouble that makes them fire, rules that are read again.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use ast_server::mix::{Mix, ORDINARY_RATE};
use ast_server::{Addresses, AstServer, EventSender, Service, Trouble, alerts};
use common::program::{ast_server, failure, receive, utf8};
use serde_json::{Value, json};
use tachograph_alert::{Condition, Rule, State};
use tachograph_serve::{Alerts, Endpoint};
use tempfile::TempDir;

#[test]
fn the_default_rules_are_those_of_the_page_over_30_s() {
    let rules = alerts::defaults();
    let told: Vec<_> = rules.iter().map(|rule| (&*rule.name, rule.condition.to_string())).collect();
    let told: Vec<_> = told.iter().map(|(name, condition)| (*name, &**condition)).collect();
    assert_eq!(
        told,
        [
            ("HighLatency", "p95(event.processing.duration, last 30 s) > 100 ms"),
            (
                "PacketLoss",
                "increase(udp.packet.dropped \u{2212} udp.packet.recovered, last 30 s) > 100"
            ),
            ("ProcessingErrors", "increase(errors.event_processing, last 30 s) > 10"),
        ]
    );
    assert!(rules.iter().all(|rule| rule.hold == Duration::from_secs(5)));
    // Held against the server's own metrics.
    assert_eq!(alerts::rules(alerts::DEFAULTS).expect("they fit"), rules);
}

#[test]
fn a_rule_of_a_default_name_replaces_it_or_silences_it() {
    let silenced = "[[rule]]\nname = \"PacketLoss\"\nenabled = false\nstatistic = \"heartbeat\"\n";
    let names = |text: &str| {
        let rules = alerts::rules(text).expect("right rules");
        let evaluated = rules.into_iter().filter(|rule| rule.enabled);
        evaluated.map(|rule| (rule.name, rule.condition == Condition::Heartbeat)).collect()
    };
    let named = |name: &str, is_new| (name.to_owned(), is_new);
    let told: Vec<_> = names(silenced);
    assert_eq!(told, [named("HighLatency", false), named("ProcessingErrors", false)]);
    let told: Vec<_> = names(&silenced.replace("enabled = false\n", ""));
    let others = [named("HighLatency", false), named("ProcessingErrors", false)];
    assert_eq!(told, [&[named("PacketLoss", true)][..], &others].concat());
}

/// The default rules over 2 s instead of 30.
fn quick_rules() -> Vec<Rule> {
    let mut rules = alerts::defaults();
    for rule in &mut rules {
        rule.hold = Duration::from_millis(200);
        let Condition::Compare(comparison) = &mut rule.condition else { panic!("{rule:?}") };
        comparison.last = Some(Duration::from_secs(2));
        if rule.name == "ProcessingErrors" {
            comparison.threshold.value /= 30.0;
        }
    }
    rules
}

/// A server of a small set, in the folder, with ten frames a second.
async fn serve(alerts: Alerts) -> (TempDir, AstServer, Service) {
    let server = AstServer::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    server.load_project(&set).expect("it loads");
    let step = Duration::from_millis(100);
    let history = tachograph_history::Settings { step, ..Default::default() };
    let endpoint = Endpoint::new(server.metrics().clone()).history(history).alerts(alerts);
    let service = Service::start_with(&server, Addresses::free(), endpoint).await;
    (folder, server, service.expect("it starts"))
}

/// The engine is that of a server that serves; windows, times and the number of errors are smaller.
/// Everything happened, so the summary agrees with the alert.
#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_fires_its_alert_once_and_no_other_and_it_is_resolved() {
    for (trouble, name) in [
        (Trouble::Loss, "PacketLoss"),
        (Trouble::Latency, "HighLatency"),
        (Trouble::Errors, "ProcessingErrors"),
    ] {
        let mut rules = quick_rules();
        // On a busy machine any event may take long.
        rules.retain(|rule| rule.name != "HighLatency" || trouble == Trouble::Latency);
        let (tell, told) = sync_channel(100);
        let (_folder, server, service) = serve(Alerts::new(rules).channel(tell)).await;
        let (to, troubled) = (service.addresses().udp, server.clone());
        let make = move || trouble.make(to, &troubled, Duration::from_secs(4));
        tokio::task::spawn_blocking(make).await.expect("no panic").expect("a socket");
        let mut changes = Vec::new();
        let ended = loop {
            // Longer than any window: nothing more comes.
            match told.recv_timeout(Duration::from_secs(6)) {
                Ok(change) => changes.push((change.rule.clone(), change.alert.state)),
                Err(ended) => break ended,
            }
        };
        assert_eq!(ended, RecvTimeoutError::Timeout);
        let expected = [State::Pending, State::Firing, State::Inactive];
        assert_eq!(changes, expected.map(|state| (name.to_owned(), state)), "{trouble:?}");
        let summary = server.get_metrics_summary();
        let events = &summary.event_processing;
        let failed = summary.errors["errors.event_processing"];
        assert_eq!(events.received, events.total_processed + failed, "{trouble:?}");
        assert_eq!(failed > 0, trouble == Trouble::Errors);
        assert_eq!(summary.udp_listener.packets_dropped > 0, trouble == Trouble::Loss);
        service.stop().await;
    }
}

/// As in the demo: 4 slow events a second are enough among those of an ordinary session.
#[tokio::test(flavor = "multi_thread")]
async fn the_latency_of_a_session_that_goes_on_fires_and_is_resolved() {
    let mut rules = quick_rules();
    rules.retain(|rule| rule.name == "HighLatency");
    let (tell, told) = sync_channel(100);
    let (folder, server, service) = serve(Alerts::new(rules).channel(tell)).await;
    let mix = Mix::new(&ast_server::read(&folder.path().join("set.als")).expect("it reads"), 1);
    let to = service.addresses().udp;
    let mut live = EventSender::connect(to).expect("a socket");
    let playing = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / ORDINARY_RATE);
        for event in mix {
            ticks.tick().await;
            live.send(event.event_type.path(), &event.args).expect("sent");
        }
    });
    let make = move || Trouble::Latency.make(to, &server, Duration::from_secs(6));
    let states = tokio::task::spawn_blocking(move || {
        let mut states = Vec::new();
        while states.last() != Some(&State::Firing) {
            states.push(told.recv_timeout(Duration::from_secs(12)).expect("it fires").alert.state);
        }
        while states.last() != Some(&State::Inactive) {
            states.push(told.recv_timeout(Duration::from_secs(12)).expect("it ends").alert.state);
        }
        states
    });
    tokio::task::spawn_blocking(make).await.expect("no panic").expect("a socket");
    let states = states.await.expect("it fires and is resolved");
    assert_eq!(states.first(), Some(&State::Pending));
    playing.abort();
    service.stop().await;
}

#[test]
fn receivers_of_the_command_line_are_told_each_alert() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let rules = folder.path().join("rules.toml");
    let alive = "[[rule]]\nname = \"Alive\"\nstatistic = \"heartbeat\"\nmessage = \"it runs\"\n";
    fs::write(&rules, alive).expect("written");
    let receivers = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [manager, hook] =
        receivers.each_ref().map(|it| format!("http://{}", it.local_addr().expect("an address")));
    let hook = hook + "/a/hook";
    let free = "127.0.0.1:0";
    let args = ["serve", utf8(&set), "--udp", free, "--ws", free, "--http", free];
    let sinks = ["--alertmanager", &manager, "--alert-webhook", &hook];
    let mut server = ast_server()
        .args(args)
        .args(["--alerts", utf8(&rules)])
        .args(sinks)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let [manager, hook] = receivers.map(|it| {
        let (head, body) = receive(&it);
        (head, serde_json::from_slice::<Value>(&body).expect("JSON"))
    });
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    assert!(manager.0.starts_with("post /api/v2/alerts http/1.1\r\n"), "{}", manager.0);
    let alert = &manager.1[0];
    assert_eq!(alert["labels"], json!({ "alertname": "Alive", "severity": "warning" }));
    assert_eq!(alert["annotations"]["summary"], "it runs");
    assert!(hook.0.starts_with("post /a/hook http/1.1\r\n"), "{}", hook.0);
    assert_eq!((&hook.1["status"], &hook.1["rule"]), (&json!("firing"), &json!("Alive")));
    assert!(hook.1["page"].as_str().is_some_and(|page| page.starts_with("http://127.0.0.1:")));

    for (flag, url, way) in [
        ("--alertmanager", "nowhere", "\"nowhere\": it has to start with http://"),
        ("--alert-webhook", "ftp://a", "http:// or https://"),
        ("--alertmanager", "http://:1", "it needs a host"),
    ] {
        let message = failure(&[&args[..], &[flag, url]].concat(), 2);
        assert!(message.contains(url) && message.contains(way), "{flag} {url}: {message}");
    }
}

#[test]
fn a_wrong_file_of_rules_changes_nothing_and_the_log_says_where_it_is_wrong() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = common::write(folder.path(), "set.als", &common::small());
    let rules = folder.path().join("rules.toml");
    let right = "[[rule]]\nname = \"Alive\"\nstatistic = \"heartbeat\"\n";
    fs::write(&rules, right).expect("written");
    let free = "127.0.0.1:0";
    let mut server = ast_server()
        .args(["serve", utf8(&set), "--alerts", utf8(&rules)])
        .args(["--udp", free, "--ws", free, "--http", free])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut out = BufReader::new(server.stdout.take().expect("piped")).lines();
    assert!(out.any(|line| line.expect("UTF-8").starts_with("metrics")));
    let mut log = BufReader::new(server.stderr.take().expect("piped")).lines();
    let mut logged = |what: &str| log.find(|line| line.as_ref().is_ok_and(|it| it.contains(what)));
    let id = server.id().to_string();
    let kill = |signal: &str| {
        assert!(Command::new("kill").args([signal, &*id]).status().expect("kill runs").success());
    };
    assert!(logged("Alive fires").is_some(), "the rule is in place");
    for (wrong, place) in [
        ("[[rule]]\nname = \"A\"\nstatistic = \"p96\"\n", "rules.toml:3:13: "),
        ("[[rule]]\nname = \"A\"\nstatistics = \"p95\"\n", "rules.toml:3:1: "),
        (
            "[[rule]]\nname = \"A\"\nstatistic = \"heartbeat\"\nfor = \"5 parsecs\"\n",
            "rules.toml:4:7: ",
        ),
        ("[[rule]\n", "rules.toml:1:"),
        (
            "[[rule]]\nname = \"A\"\nmetric = \"events.received\"\nstatistic = \"p95\"\n\
             last = \"30s\"\nop = \">\"\nthreshold = 1\n",
            "rules.toml:4:13: ",
        ),
    ] {
        fs::write(&rules, wrong).expect("written");
        kill("-HUP");
        let line = logged("nothing is changed").expect("a line").expect("UTF-8");
        assert!(line.contains(place), "{place}: {line}");
    }
    // Its alert goes on; a right file that has no such rule ends it.
    fs::write(&rules, "").expect("written");
    kill("-HUP");
    assert!(logged("Alive is resolved").is_some());
    kill("-TERM");
    assert_eq!(server.wait().expect("it ends").code(), Some(0));
}
