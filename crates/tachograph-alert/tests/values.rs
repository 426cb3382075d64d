//! What an alert tells: its value, its series, its message.

mod common;

use std::time::Duration;

use common::World;
use proptest::prelude::*;

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
