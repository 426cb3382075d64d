//! Alert behaviour, with values and states worked out by hand or by a naive model.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{EPOCH_MS, World};
use proptest::prelude::*;
use tachograph::Tags;
use tachograph_alert::{Condition, Engine, Rule, State, Status, parse};
use tachograph_history::{Definition, Frame, Mark};

const LATENCY: &str = r#"
    [[rule]]
    name = "HighLatency"
    metric = "turn"
    statistic = "p95"
    last = "30s"
    op = ">"
    threshold = "100ms"
    until = "80ms"
    for = "5s"
    message = "p95 is {value}, above {threshold}"
"#;

#[test]
fn latency_is_pending_then_firing_then_resolved_when_the_window_has_forgotten_it() {
    let mut world = World::new(LATENCY);
    let mut changes = Vec::new();
    for second in 1..=100u64 {
        let slow = (11..=20).contains(&second);
        let turn = Duration::from_millis(if slow { 250 } else { 2 });
        (0..10).for_each(|_| world.metrics.timing("turn", turn));
        for change in world.second() {
            changes.push((second, change.alert.state, change.alert.message.clone()));
        }
    }
    let told: Vec<_> = changes.iter().map(|(second, state, _)| (*second, *state)).collect();
    // At second 11, 10 of 110 samples are slow. From 31 on the window holds 300 samples: at 48, 20
    // of them are slow (6.7 %), at 49 ten (3.3 %).
    let expected = [(11, State::Pending), (16, State::Firing), (49, State::Inactive)];
    assert_eq!(told, expected);
    assert!(changes[1].2.starts_with("p95 is 2"), "{changes:?}");
    assert!(changes[1].2.ends_with(" ms, above 100 ms"), "{changes:?}");
    // It ends below 80 ms, and tells the last value that was above 100 ms.
    let (_, told) = changes[2].2.split_once("p95 is ").expect("a message");
    let (value, told) = told.split_once(" ms").expect("a value");
    assert!(value.parse::<f64>().expect("a number") > 100.0 && told == ", above 100 ms");
}

#[test]
fn a_counters_increase_is_exact_and_what_was_recovered_is_taken_off() {
    let mut world = World::new(
        r#"
        [[rule]]
        name = "Loss"
        metric = "udp.dropped"
        minus = ["udp.recovered"]
        statistic = "increase"
        last = "10s"
        op = ">"
        threshold = 100
        "#,
    );
    // All recorded before the engine started, so not an increase in its time.
    world.seconds = 100;
    world.metrics.increment_by("udp.dropped", 5_000);
    assert_eq!(world.second(), []);
    world.metrics.increment_by("udp.dropped", 130);
    world.metrics.increment_by("udp.recovered", 30);
    assert_eq!(world.second(), []);
    assert_eq!(world.alert(), (State::Inactive, Some(100.0)));
    world.metrics.increment("udp.dropped");
    assert_eq!(world.second().len(), 1);
    assert_eq!(world.alert(), (State::Firing, Some(101.0)));
    for _ in 0..8 {
        assert_eq!(world.second(), []);
    }
    assert_eq!(world.second()[0].alert.state, State::Inactive);
    assert_eq!(world.alert(), (State::Inactive, Some(1.0)));
}

#[test]
fn a_share_of_nothing_is_none_and_an_early_loss_is_a_share_of_all() {
    let mut world = World::new(
        r#"
        [[rule]]
        name = "Loss"
        metric = "dropped"
        over = ["dropped", "received"]
        statistic = "ratio"
        last = "60s"
        op = ">"
        threshold = "1%"
        "#,
    );
    world.second();
    assert_eq!(world.alert(), (State::Inactive, Some(0.0)));
    world.metrics.increment_by("received", 9_999);
    world.second();
    world.metrics.increment("dropped");
    world.second();
    assert_eq!(world.alert(), (State::Inactive, Some(1e-4)));
    world.metrics.increment_by("dropped", 999);
    world.second();
    assert_eq!(world.alert().0, State::Firing);
}

#[test]
fn each_value_of_a_tag_has_an_alert_and_no_tag_means_the_untagged_series_or_all() {
    let rule = |tags: &str| {
        format!(
            "[[rule]]\nname = \"Errors\"\nmetric = \"errors\"\n{tags}\nstatistic = \"increase\"\n\
             last = \"60s\"\nop = \">=\"\nthreshold = 10\n"
        )
    };
    let run = |tags: &str, untagged: bool| {
        let mut world = World::new(&rule(tags));
        for (kind, count) in [("io", 12), ("parse", 3)] {
            world.metrics.with_tags(&[("kind", kind)]).increment_by("errors", count);
        }
        if untagged {
            world.metrics.increment_by("errors", 4);
        }
        world.second();
        let status = world.engine.statuses().next().expect("a rule");
        let of = |status: &Status<'_>| -> Vec<_> {
            let values = status.alerts.iter().map(|alert| {
                let kind = alert.labels.get("kind").cloned().unwrap_or_default();
                (kind, alert.value, alert.state)
            });
            values.collect()
        };
        of(&status)
    };
    let alert = |kind: &str, value: f64, state| (kind.to_owned(), Some(value), state);
    let io = || alert("io", 12.0, State::Firing);
    let parse = alert("parse", 3.0, State::Inactive);
    assert_eq!(run("tags = { kind = \"*\" }", true), [io(), parse]);
    assert_eq!(run("tags = { kind = [\"io\", \"x\"] }", true), [io()]);
    assert_eq!(run("", true), [alert("", 4.0, State::Inactive)]);
    assert_eq!(run("", false), [alert("", 15.0, State::Firing)]);
}

#[test]
fn gauges_keep_their_value_and_absence_staleness_and_the_heartbeat_are_told() {
    let rules = r#"
        [[rule]]
        name = "Deep"
        metric = "depth"
        statistic = "current"
        op = ">="
        threshold = 5

        [[rule]]
        name = "Absent"
        metric = "never"
        statistic = "absent"

        [[rule]]
        name = "Quiet"
        metric = "turn"
        statistic = "stale"
        last = "3s"

        [[rule]]
        name = "Alive"
        statistic = "heartbeat"

        [[rule]]
        name = "Late"
        statistic = "stale"
        last = "3s"
    "#;
    let mut world = World::new(rules);
    world.metrics.gauge("depth", 7.0);
    world.metrics.timing("turn", Duration::from_millis(1));
    let firing = |world: &World| -> Vec<String> {
        let is_firing =
            |status: &Status<'_>| status.alerts.iter().any(|it| it.state == State::Firing);
        let firing = world.engine.statuses().filter(is_firing);
        firing.map(|status| status.name.to_owned()).collect()
    };
    world.second();
    assert_eq!(firing(&world), ["Deep", "Absent", "Alive"]);
    for _ in 0..4 {
        world.second();
    }
    assert_eq!(firing(&world), ["Deep", "Absent", "Quiet", "Alive"]);
    world.engine.tick(EPOCH_MS + 9_001);
    assert_eq!(firing(&world), ["Deep", "Absent", "Quiet", "Alive", "Late"]);
    world.metrics.gauge("depth", 4.0);
    world.metrics.increment("never");
    world.metrics.timing("turn", Duration::from_millis(1));
    world.seconds = 10;
    world.second();
    assert_eq!(firing(&world), ["Alive"]);
}

#[test]
fn a_rule_that_fits_no_such_metric_says_so_and_others_go_on() {
    let mut world = World::new(
        "[[rule]]\nname = \"Wrong\"\nmetric = \"events\"\nstatistic = \"p95\"\nop = \">\"\n\
         threshold = \"1ms\"\n[[rule]]\nname = \"Right\"\nmetric = \"events\"\n\
         statistic = \"increase\"\nop = \">\"\nthreshold = 0\n",
    );
    world.metrics.increment("events");
    world.second();
    let statuses: Vec<_> = world.engine.statuses().collect();
    assert!(statuses[0].problem.is_some_and(|it| it.contains("is a counter")), "{statuses:?}");
    assert_eq!(statuses[1].alerts[0].state, State::Firing);
}

#[test]
fn a_rule_that_stays_keeps_its_state_when_others_are_put_in_place() {
    let mut world = World::new(LATENCY);
    for _ in 0..8 {
        world.metrics.timing("turn", Duration::from_millis(250));
        world.second();
    }
    assert_eq!(world.alert().0, State::Firing);
    let off = "[[rule]]\nname = \"Off\"\nstatistic = \"heartbeat\"\nenabled = false\n";
    let more = format!("{off}[[rule]]\nname = \"Alive\"\nstatistic = \"heartbeat\"\n{LATENCY}");
    world.engine.replace(parse(&more).expect("right"));
    let states = |world: &World| -> Vec<_> {
        world.engine.statuses().map(|status| status.alerts[0].state).collect()
    };
    assert_eq!(states(&world), [State::Inactive, State::Firing]);
    world.metrics.timing("turn", Duration::from_millis(250));
    world.second();
    assert_eq!(states(&world), [State::Firing, State::Firing], "and its values go on");
}

#[test]
fn memory_is_bounded_and_the_rule_that_takes_it_says_so() {
    let rule = |name: &str, metric: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\nmetric = \"{metric}\"\ntags = {{ n = \"*\" }}\n\
             statistic = \"p95\"\nlast = \"1h\"\nop = \">\"\nthreshold = \"1s\"\n"
        )
    };
    let rules = parse(&(rule("Small", "small") + &rule("Large", "large"))).expect("right");
    let mut engine = Engine::new(rules, Duration::from_secs(1));
    let define = |number: u32, name: &str| {
        Arc::new(Definition {
            number,
            key: format!("{name}[n={number}]").into(),
            name: name.into(),
            tags: Tags::new(&[("n", number.to_string())]),
            kind: tachograph::Kind::Timing,
            unit: tachograph::Unit::Seconds,
            description: "".into(),
            exported_name: name.to_owned(),
            labels: Tags::default(),
        })
    };
    let mut definitions: Vec<_> = (1..4_000).map(|number| define(number, "large")).collect();
    definitions.push(define(0, "small"));
    // Far apart and with large counts, so that they take many bytes.
    let buckets: Vec<_> = (0..200).map(|bucket| (bucket * 100, 1u64 << 50)).collect();
    let buckets = format!("{buckets:?}").replace('(', "[").replace(')', "]");
    let timings: Vec<_> = (0..4_000)
        .map(|number| format!("[{number},{{\"count\":{},\"buckets\":{buckets}}}]", 200u64 << 50))
        .collect();
    let json = format!("{{\"frame\":{{\"span_ms\":1000,\"timings\":[{}]}}}}", timings.join(","));
    let lines = "{\"meta\":{\"format\":1,\"program\":\"\",\"version\":\"\",\"started_ms\":0,\
                 \"step_ms\":1000}}\n"
        .to_owned();
    let defined: String = definitions.iter().map(|it| it.to_line()).collect();
    let text = lines + &defined + &json + "\n";
    let mut reader = tachograph_history::file::Reader::new(text.as_bytes());
    let frame = reader.find_map(|line| match line.expect("right") {
        tachograph_history::Line::Frame(frame) => Some(frame),
        _ => None,
    });
    let mut frame: Frame = frame.expect("one");
    definitions.sort_by_key(|it| it.number);
    for minute in 0..9u64 {
        frame.end_ms = EPOCH_MS + minute * 60_000;
        engine.frame(&frame, if minute == 0 { &definitions } else { &[] });
    }
    let problems: Vec<_> = engine.statuses().map(|it| it.problem.is_some()).collect();
    assert_eq!(problems, [false, true]);
}

#[test]
fn what_a_restarted_process_counted_before_its_first_frame_is_counted() {
    let rule = "[[rule]]\nname = \"A\"\nmetric = \"x\"\nstatistic = \"increase\"\n\
                last = \"60s\"\nop = \">\"\nthreshold = 0\n";
    let x = Arc::new(Definition {
        number: 0,
        key: "x".into(),
        name: "x".into(),
        tags: Tags::default(),
        kind: tachograph::Kind::Counter,
        unit: tachograph::Unit::None,
        description: "".into(),
        exported_name: String::new(),
        labels: Tags::default(),
    });
    // Seconds at which a process began and its frame ended, and what it had counted by then.
    let sum = |frames: &[(u64, u64, i128)]| {
        let mut engine = Engine::new(parse(rule).expect("right"), Duration::from_secs(1));
        for (place, &(began, end, count)) in frames.iter().enumerate() {
            let frame = Frame {
                end_ms: EPOCH_MS + end * 1_000,
                span_ms: (end - began) * 1_000,
                marks: vec![Mark::Start],
                counters: vec![(0, count)],
                ..Frame::default()
            };
            engine.frame(&frame, if place == 0 { std::slice::from_ref(&x) } else { &[] });
        }
        engine.statuses().next().expect("a rule").alerts[0].value
    };
    assert_eq!(sum(&[(0, 100, 7)]), Some(0.0), "from before the engine started");
    assert_eq!(sum(&[(0, 100, 7), (103, 110, 5)]), Some(5.0), "all of it is new");
    assert_eq!(sum(&[(0, 100, 7), (103, 110, 5), (110, 120, 2)]), Some(7.0));
    // Another process, which was there before.
    assert_eq!(sum(&[(0, 100, 7), (50, 110, 5)]), Some(0.0));
}

/// The states of a condition over time, as Prometheus documents them, computed at each step from
/// the whole past.
fn model(holds: &[bool], hold: usize, keep: usize) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    for now in 0..holds.len() {
        let was_firing = now > 0 && states[now - 1] == State::Firing;
        let true_for = holds[..=now].iter().rev().take_while(|it| **it).count();
        let false_for = holds[..=now].iter().rev().take_while(|it| !**it).count();
        states.push(if true_for > hold || (was_firing && true_for > 0) {
            State::Firing
        } else if true_for > 0 {
            State::Pending
        } else if was_firing && false_for - 1 < keep {
            State::Firing
        } else {
            State::Inactive
        });
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn states_are_those_of_prometheus(
        holds in proptest::collection::vec(any::<bool>(), 1..60), hold in 0usize..4, keep in 0usize..4,
    ) {
        let rules = "[[rule]]\nname = \"A\"\nmetric = \"g\"\nstatistic = \"current\"\nop = \">\"\n\
                     threshold = 0\n";
        let mut world = World::new(rules);
        let mut rule: Rule = parse(rules).expect("right").remove(0);
        rule.hold = Duration::from_secs(hold as u64);
        rule.keep_firing = Duration::from_secs(keep as u64);
        world.engine.replace(vec![rule]);
        let mut states = Vec::new();
        for &holds in &holds {
            world.metrics.gauge("g", f64::from(u8::from(holds)));
            world.second();
            states.push(world.alert().0);
        }
        prop_assert_eq!(states, model(&holds, hold, keep));
    }
}

#[test]
fn a_heartbeat_needs_no_metric() {
    let mut engine =
        Engine::new(vec![Rule::new("Alive", Condition::Heartbeat)], Duration::from_secs(1));
    assert_eq!(engine.tick(5)[0].alert.state, State::Firing);
    assert_eq!(engine.tick(6), []);
}
