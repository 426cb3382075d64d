//! Each finding: told where its reason is, with the right numbers, and not told without it.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::Recorded;
use tachograph_history::doctor::{Finding, Severity, findings};
use tachograph_history::{Definition, Frame, History, Mark, Settings};

/// A program that does its work each second.
fn busy(seconds: u32, each: impl Fn(&Recorded, u32)) -> Recorded {
    let mut world = Recorded::new(Settings::default());
    for second in 0..seconds {
        world.metrics.increment_by("events", 100);
        each(&world, second);
        world.second();
    }
    world
}

fn titled<'a>(findings: &'a [Finding], part: &str) -> Vec<&'a Finding> {
    findings.iter().filter(|finding| finding.title.contains(part)).collect()
}

#[test]
fn a_program_that_is_well_has_no_findings() {
    let world = busy(300, |world, _| {
        for sample in 0..50 {
            world.metrics.timing("turn", Duration::from_micros(100 + sample));
        }
    });
    assert_eq!(findings(&world.history), []);
}

#[test]
fn a_tail_that_grew_is_told_with_both_percentiles() {
    let turns = |now: u64| {
        busy(600, move |world, second| {
            for sample in 0..50 {
                let slow = if second >= 560 { now } else { 1_000 };
                // Two of fifty samples a second are in the tail.
                let micros = if sample < 48 { 100 } else { slow };
                let turn = Duration::from_micros(micros);
                world.metrics.timing("turn", turn);
                world.metrics.with_tags(&[("kind", "clip")]).timing("turn", turn);
            }
        })
    };
    for (now, severity) in [(4_000, Severity::Warning), (40_000, Severity::Bad)] {
        let world = turns(now);
        let all = findings(&world.history);
        let [finding] = all.as_slice() else { panic!("one finding: {all:#?}") };
        assert_eq!((finding.severity, finding.series.as_deref()), (severity, Some("turn")));
        assert!(finding.detail.contains("over 3000 samples of the last 1 min"), "{finding:#?}");
        assert!(finding.detail.contains("over 27000 samples"), "{finding:#?}");
        assert!(finding.detail.contains("most in `turn[kind=clip]`"), "{finding:#?}");
        let max = if now == 4_000 { "4 ms" } else { "40 ms" };
        assert!(finding.detail.contains(&format!("the maximum is {max}")), "{finding:#?}");
    }
    assert_eq!(findings(&turns(1_500).history), [], "less than twice");
}

#[test]
fn a_tail_that_grew_before_the_last_minute_is_told_also_with_few_samples() {
    // Slow from second `from` on, with so many samples a second; 50 fast ones before.
    let turns = |from: u32, slow: u32| {
        busy(100, move |world, second| {
            for _ in 0..if second < from { 50 } else { slow } {
                let ms = if second < from { 1 } else { 200 };
                world.metrics.timing("turn", Duration::from_millis(ms));
            }
        })
    };
    // More than a hundredth of the samples before the last minute are slow.
    for (slow, count) in [(50, "over 3000 samples of the last 1 min"), (2, "over 120 samples")] {
        let world = turns(24, slow);
        let all = findings(&world.history);
        let [finding] = all.as_slice() else { panic!("one finding: {all:#?}") };
        assert_eq!(finding.severity, Severity::Bad);
        assert!(finding.detail.contains(count), "{finding:#?}");
        assert!(finding.detail.contains("was 1"), "{finding:#?}");
    }
}

#[test]
fn a_metric_at_its_limit_is_told_with_what_is_added_up() {
    let metrics = tachograph::MetricsCollector::builder().manual().series_per_metric(12).build();
    let mut world = Recorded::of(metrics, Settings::default());
    for second in 0..20 {
        let user = second.to_string();
        world.metrics.with_tags(&[("user", &*user)]).increment("requests");
        world.second();
    }
    let all = findings(&world.history);
    let [finding] = titled(&all, "`requests` has reached its series limit")[..] else {
        panic!("{all:#?}")
    };
    let wanted = "8 records in 20 s went into the overflow series, beside 12 other series";
    assert!(finding.detail.starts_with(wanted), "{finding:#?}");
    assert_eq!(finding.series.as_deref(), Some("requests[overflow=true]"));
}

#[test]
fn samples_that_were_dropped_are_told_by_reason() {
    let world = busy(10, |world, _| {
        world.metrics.gauge("depth", f64::NAN);
        // A counter's name, recorded as a timing.
        world.metrics.timing("events", Duration::from_millis(1));
    });
    let all = findings(&world.history);
    let nan = titled(&all, "set to NaN");
    assert!(nan.len() == 1 && nan[0].detail.starts_with("10 in 10 s, compared with "), "{all:#?}");
    let kinds = titled(&all, "two kinds of metric");
    assert!(
        kinds.len() == 1 && kinds[0].detail.starts_with("10 in 10 s, compared with "),
        "{all:#?}"
    );
    assert_eq!(kinds[0].series.as_deref(), Some("telemetry.dropped[reason=kind_conflict]"));
    assert!(all.is_sorted_by_key(|finding| finding.severity), "the worst first: {all:#?}");
}

#[test]
fn samples_that_were_coalesced_are_told() {
    let metrics = tachograph::MetricsCollector::builder().manual().lane_blocks(2, 2).build();
    let mut world = Recorded::of(metrics, Settings::default());
    let turn = world.metrics.register_timing("turn");
    // A pass knows the series: from then on it has a row for what does not fit the blocks.
    turn.record(Duration::from_millis(1));
    world.second();
    (0..10_000).for_each(|_| turn.record(Duration::from_millis(1)));
    world.second();
    let all = findings(&world.history);
    let [finding] = titled(&all, "were coalesced")[..] else { panic!("{all:#?}") };
    let coalesced = world.metrics.get_counter("telemetry.coalesced").expect("counted").value;
    assert!(coalesced > 5_000);
    assert!(finding.detail.starts_with(&format!("{coalesced} in 2 s")), "{finding:#?}");
}

#[test]
fn pushes_that_fail_are_told_and_those_that_arrive_are_not() {
    let world = busy(30, |world, _| {
        for outcome in ["taken", "unanswered"] {
            world.metrics.with_tags(&[("outcome", outcome)]).increment("metrics.push.attempts");
        }
        world.metrics.increment_by("metrics.push.rejected", 2);
        world.metrics.with_tags(&[("reason", "queue_full")]).increment("metrics.push.dropped");
        world.metrics.with_tags(&[("sink", "pager")]).increment("metrics.alerts.failed");
        world.metrics.with_tags(&[("sink", "pager")]).increment_by("metrics.alerts.dropped", 3);
    });
    let all = findings(&world.history);
    assert_eq!(all.len(), 5, "{all:#?}");
    for (part, count) in [
        ("does not answer", 30),
        ("rejects some of their data points", 60),
        ("do not reach a sink", 30),
        ("alert changes were dropped", 90),
        ("the push queue is full", 30),
    ] {
        let found = titled(&all, part);
        assert!(found.len() == 1 && found[0].detail == format!("{count} in 30 s"), "{all:#?}");
    }
}

#[test]
fn gaps_resets_and_restarts_are_told_with_their_age() {
    let mut world = busy(10, |_, _| {});
    world.metrics.increment("events");
    world.after(Duration::from_secs(40));
    world.metrics.reset();
    world.metrics.increment("events");
    world.second();
    world.metrics.increment("events");
    world.second();
    let all = findings(&world.history);
    let found = |part: &str| titled(&all, part).first().map(|it| it.detail.clone());
    assert_eq!(
        found("frames were late").as_deref(),
        Some("once in 52 s, 2 s ago; the frame covers 40 s")
    );
    assert_eq!(found("values were reset").as_deref(), Some("once in 52 s, 1 s ago"));
    assert_eq!(found("restarted"), None);

    let mut history = History::new(Settings::default());
    history.define(definition());
    for second in 1..=30u64 {
        let marks = if second % 10 == 5 { vec![Mark::Restart] } else { Vec::new() };
        let (end_ms, counters) = (second * 1_000, vec![(0, 1)]);
        let frame = Frame { end_ms, span_ms: 1_000, marks, counters, ..Frame::default() };
        history.push(&Arc::new(frame));
    }
    let all = findings(&history);
    let [finding] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(finding.detail, "3 times in 30 s, last 5 s ago");
}

fn definition() -> Definition {
    let text = r#"{"number":0,"key":"events","name":"events","kind":"counter"}"#;
    serde_json::from_str(text).expect("a definition")
}

#[test]
fn nothing_recorded_is_told_and_the_collectors_own_series_do_not_count() {
    let empty = findings(&History::new(Settings::default()));
    assert!(empty.len() == 1 && empty[0].title == "there are no frames", "{empty:#?}");

    let mut idle = Recorded::new(Settings::default());
    let severity = |world: &Recorded| {
        titled(&findings(&world.history), "nothing is recorded").first().map(|it| it.severity)
    };
    idle.second();
    assert_eq!(severity(&idle), Some(Severity::Note), "it has just been started");
    (0..60).for_each(|_| drop(idle.second()));
    assert_eq!(severity(&idle), Some(Severity::Warning));

    let mut world = Recorded::new(Settings::default());
    world.metrics.increment("events");
    for second in 1..=90 {
        world.second();
        let all = findings(&world.history);
        let quiet = titled(&all, "nothing is recorded");
        // Recorded in the first frame: a minute has passed at the end of the 61st.
        assert_eq!(quiet.len(), usize::from(second >= 61), "{second}: {all:#?}");
    }
    world.metrics.increment("events");
    world.second();
    assert_eq!(findings(&world.history), []);
}

#[test]
fn findings_are_written_as_the_route_has_them() {
    let finding = &findings(&History::new(Settings::default()))[0];
    let value = serde_json::to_value(finding).expect("JSON");
    assert_eq!(value["severity"], "warning");
    assert!(value["series"].is_null() && value["advice"].is_string());
}
