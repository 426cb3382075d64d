//! What an alert tells: its value, its series, its message.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::World;
use proptest::prelude::*;
use tachograph_alert::{Engine, parse};
use tachograph_history::{Definition, Frame};

#[test]
fn an_alert_tells_its_series_if_there_is_just_one() {
    let keys = |tags: &str, series: &[&[(&str, &str)]]| -> Vec<_> {
        let mut world = World::new(&format!(
            "[[rule]]\nname = \"A\"\nmetric = \"errors\"\n{tags}\nstatistic = \"increase\"\n\
             last = \"60s\"\nop = \">\"\nthreshold = 0\n"
        ));
        for tags in series {
            world.metrics.with_tags(tags).increment("errors");
            world.second();
        }
        let status = world.engine.statuses().next().expect("a rule");
        status.alerts.iter().map(|it| it.series.as_deref().unwrap_or("none").to_owned()).collect()
    };
    let [io, parse]: [&[_]; 2] = [&[("kind", "io")], &[("kind", "parse")]];
    assert_eq!(keys("", &[]), ["none"]);
    assert_eq!(keys("", &[io]), ["errors[kind=io]"]);
    assert_eq!(keys("", &[io, io]), ["errors[kind=io]"]);
    assert_eq!(keys("", &[io, parse]), ["none"], "it is about their sum");
    assert_eq!(keys("", &[io, parse, &[]]), ["errors"], "which alone counts");
    assert_eq!(keys("", &[&[], io]), ["errors"]);
    let both = ["errors[kind=io]", "errors[kind=parse]"];
    assert_eq!(keys("tags = { kind = \"*\" }", &[parse, &[], io]), both);
}

#[test]
fn what_fills_a_placeholder_is_not_filled_in_again() {
    let mut world = World::new(
        r#"
        [[rule]]
        name = "A"
        metric = "errors"
        tags = { kind = "*" }
        statistic = "increase"
        op = ">"
        threshold = 0
        message = "{labels.kind}: {value} of {labels.severity}, above {threshold}"
        "#,
    );
    world.metrics.with_tags(&[("kind", "{value}{labels.kind}{")]).increment("errors");
    let changes = world.second();
    assert_eq!(changes[0].alert.message, "{value}{labels.kind}{: 1 of warning, above 0");
}

const STATISTICS: [&str; 6] = ["p50", "p99", "max", "min", "mean", "count"];

/// A statistic of a list of nanoseconds, in seconds.
fn naive(statistic: &str, samples: &mut [u64]) -> f64 {
    samples.sort_unstable();
    let seconds = |ns: u64| ns as f64 * 1e-9;
    let at = |q: f64| samples[(q * samples.len() as f64).ceil() as usize - 1];
    match statistic {
        "p50" => seconds(at(0.5)),
        "p99" => seconds(at(0.99)),
        "max" => seconds(at(1.0)),
        "min" => seconds(samples[0]),
        "mean" => seconds(samples.iter().sum()) / samples.len() as f64,
        _ => samples.len() as f64,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_window_is_that_of_the_samples_of_its_seconds(
        seconds in proptest::collection::vec(
            proptest::collection::vec(1_000u64..1_000_000_000, 0..6), 1..50,
        ),
    ) {
        let rule = |statistic: &str| {
            let threshold = if statistic == "count" { "1" } else { "\"1s\"" };
            format!(
                "[[rule]]\nname = \"{statistic}\"\nmetric = \"turn\"\nlast = \"10s\"\n\
                 statistic = \"{statistic}\"\nop = \">\"\nthreshold = {threshold}\n"
            )
        };
        let mut world = World::new(&STATISTICS.map(rule).concat());
        world.second();
        for (second, samples) in seconds.iter().enumerate() {
            samples.iter().for_each(|ns| world.metrics.timing("turn", Duration::from_nanos(*ns)));
            world.second();
            let mut recent = seconds[(second + 1).saturating_sub(10)..=second].concat();
            if recent.is_empty() {
                continue;
            }
            for status in world.engine.statuses() {
                let (value, right) = (status.alerts[0].value, naive(status.name, &mut recent));
                let value = value.expect("there are samples");
                let width = if status.name.starts_with('p') { 0.046 } else { 0.0006 };
                prop_assert!((value / right - 1.0).abs() < width, "{}: {value}, {right}", status.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_rate_is_of_the_time_that_was_covered_from_the_first_frame_on(
        quiet in 0usize..4,
        counts in proptest::collection::vec((0i128..500, 800u64..1_200), 1..40),
    ) {
        let rule = |name: &str, more: &str| {
            format!(
                "[[rule]]\nname = \"{name}\"\nmetric = \"events\"\n{more}\n\
                 statistic = \"rate\"\nop = \">\"\nthreshold = 1\n"
            )
        };
        let each = "tags = { kind = \"*\" }\nlast = \"10s\"";
        let rules = [rule("all", ""), rule("last", "last = \"10s\""), rule("each", each)].concat();
        let mut engine = Engine::new(parse(&rules).expect("right"), Duration::from_secs(1));
        let metrics = tachograph::MetricsCollector::builder().manual().build();
        metrics.with_tags(&[("kind", "a")]).increment("events");
        metrics.run_pass(std::time::Instant::now(), std::time::SystemTime::now());
        let all = Definition::all(&metrics.snapshot());
        let series = all.into_iter().find(|it| &*it.name == "events").expect("defined");
        let series = Arc::new(Definition { number: 0, ..series });
        let counts = [vec![(0, 1_000); quiet], counts].concat();
        let mut end_ms = 1_000_000;
        let mut passed = Vec::new();
        for (place, (count, span_ms)) in counts.into_iter().enumerate() {
            end_ms += span_ms;
            passed.push((end_ms, span_ms, count));
            // A series is defined by the first frame that it is in.
            let new: Vec<_> = (place == quiet).then(|| Arc::clone(&series)).into_iter().collect();
            let counters = if count == 0 { Vec::new() } else { vec![(0, count)] };
            engine.frame(&Frame { version: end_ms, end_ms, span_ms, counters, ..Frame::default() }, &new);
            for status in engine.statuses() {
                let is_in = |it: &&(u64, u64, i128)| status.name == "all" || it.0 + 10_000 > end_ms;
                let recent = || passed.iter().filter(is_in);
                let seconds = recent().map(|it| it.1).sum::<u64>() as f64 / 1e3;
                let right = recent().map(|it| it.2).sum::<i128>() as f64 / seconds;
                let Some(alert) = status.alerts.first() else { continue };
                let value = alert.value.expect("a rate");
                prop_assert!((value - right).abs() < 1e-9, "{}: {value}, {right}", status.name);
            }
        }
    }
}
