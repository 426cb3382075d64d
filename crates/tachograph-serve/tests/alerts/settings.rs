//! Every setting of alerts and of receivers, at its least, at one and at its most: alerts are told,
//! or it is refused with the reason.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tachograph_alert::parse;
use tachograph_serve::{Alerts, Error, Receiver};
use tokio::net::TcpStream;

use crate::{World, receiver};

const ALIVE: &str = "[[rule]]\nname = \"Alive\"\nstatistic = \"heartbeat\"\n";

const TIMES: [Duration; 3] = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];

/// Names of public functions that take a value and give it back.
fn setters(source: &str) -> Vec<&str> {
    let heads = source.split("    pub fn ").skip(1);
    let setters =
        heads.filter(|head| head.split('{').next().is_some_and(|it| it.contains("mut self")));
    setters.filter_map(|head| head.split(['(', '<']).next()).collect()
}

fn texts() -> [String; 3] {
    [String::new(), "a".to_owned(), "a".repeat(10_000)]
}

/// The sink whose deliveries show that a setting works.
fn alerts() -> Vec<(&'static str, &'static str, Alerts)> {
    let new = || Alerts::new(parse(ALIVE).expect("a rule"));
    let mut all = vec![
        ("log", "log", new().log()),
        ("callback", "callback", new().callback(|_| {})),
        ("callback", "log", new().callback(|_| panic!("a user's mistake")).log()),
    ];
    for room in [0, 1, 1_000] {
        // Nobody reads it: what does not fit is dropped, and the log is told all the same.
        let (sender, kept) = sync_channel(room);
        std::mem::forget(kept);
        all.push(("channel", "log", new().channel(sender).log()));
    }
    all.extend(texts().map(|text| ("page", "log", new().page(&text).log())));
    all
}

fn receivers(url: &str) -> Vec<(&'static str, Result<Receiver, Error>)> {
    let new = || Receiver::webhook(url).expect("a URL");
    let addr = url.trim_start_matches("http://").trim_end_matches("/hook").to_owned();
    let mut all = vec![
        ("connect_with", Ok(new().connect_with(move || TcpStream::connect(addr.clone())))),
        ("authorities", new().authorities(b"")),
    ];
    for text in texts() {
        all.push(("header", new().header(&text, "a")));
        all.push(("header", new().header("a", &text)));
    }
    // 10 ms may be too short for this machine: it is tried again until it is not.
    all.extend(TIMES.map(|time| ("timeout", Ok(new().timeout(time)))));
    all
}

#[test]
fn alerts_are_told_with_every_setting_or_it_is_refused_with_the_reason() {
    let (url, hooked) = receiver();
    std::thread::spawn(move || hooked.iter().for_each(drop));
    let tried: Vec<_> = alerts();
    for setter in setters(include_str!("../../src/alerts/builder.rs")) {
        // Receivers follow.
        let is_tried = tried.iter().any(|(name, ..)| *name == setter) || setter == "receiver";
        assert!(is_tried, "{setter} is not tried");
    }
    for (name, sink, alerts) in tried {
        let told = World::new(alerts).until(sink, 1);
        assert_eq!(told["rules"][0]["alerts"][0]["state"], "firing", "{name}");
    }
    let tried = receivers(&url);
    for setter in setters(include_str!("../../src/alerts/receiver.rs")) {
        assert!(tried.iter().any(|(name, _)| *name == setter), "{setter} is not tried");
    }
    for (name, receiver) in tried {
        match receiver {
            Ok(receiver) => {
                let alerts = Alerts::new(parse(ALIVE).expect("a rule")).receiver(receiver);
                World::new(alerts).until("webhook", 1);
            }
            Err(refused) => assert!(refused.to_string().len() > 20, "{name}: {refused}"),
        }
    }
}

#[test]
fn a_url_that_cannot_be_posted_to_is_told_as_it_was_given() {
    for url in ["x", "", "x/", "ftp://h", "http://", "http://h:0", "http://a:b@c/"] {
        for refused in [Receiver::alertmanager(url), Receiver::webhook(url)] {
            let told = refused.expect_err(url).to_string();
            assert!(told.contains(&format!("{url:?}: ")), "{told}");
        }
    }
}
