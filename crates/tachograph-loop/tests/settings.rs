//! Every setter at its least, at one and at its greatest: it works, or is refused with the reason.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_loop::{LoopMonitor, StallBuilder, StallDetector};

type Setting = Box<dyn Fn(StallBuilder) -> StallBuilder>;

const TIMES: [Duration; 3] = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];

fn settings() -> Vec<(&'static str, Vec<Setting>)> {
    let numbers = [0, 1, u32::MAX];
    let signals = [i32::MIN, 0, libc::SIGKILL, i32::MAX];
    vec![
        ("threshold", TIMES.map(|it| Box::new(move |b: StallBuilder| b.threshold(it)) as _).into()),
        (
            "reports_per_minute",
            numbers.map(|it| Box::new(move |b: StallBuilder| b.reports_per_minute(it)) as _).into(),
        ),
        ("signal", signals.map(|it| Box::new(move |b: StallBuilder| b.signal(it)) as _).into()),
        ("on_stall", vec![Box::new(|b| b.on_stall(|_| panic!("a user's mistake")))]),
        ("no_backtrace", vec![Box::new(StallBuilder::no_backtrace)]),
    ]
}

/// Public functions that take a value and give it back, or end it.
fn setters(source: &str) -> Vec<&str> {
    let heads = source.split("    pub fn ").skip(1).filter_map(|rest| rest.split_once("(mut self"));
    heads.map(|(name, _)| name).collect()
}

#[test]
fn no_setter_is_left_out() {
    let known: Vec<_> = settings().into_iter().map(|(name, _)| name).collect();
    let detector = setters(include_str!("../src/stall/detector.rs"));
    assert_eq!(detector.len(), known.len(), "{detector:?}");
    assert!(detector.iter().all(|setter| known.contains(setter)), "{detector:?}");
    assert_eq!(setters(include_str!("../src/monitor.rs")), ["budget", "watched_by", "idle"]);
    assert_eq!(setters(include_str!("../src/future/metrics.rs")), ["watched_by"]);
}

#[test]
fn a_detector_watches_with_every_setting_or_refuses_it_with_the_reason() {
    for (setter, values) in settings() {
        for (number, set) in values.into_iter().enumerate() {
            let metrics = MetricsCollector::builder().manual().build();
            let short = StallDetector::builder().threshold(Duration::from_millis(1));
            let detector = match set(short).start(&metrics) {
                Ok(detector) => detector,
                Err(refused) => {
                    assert_eq!(setter, "signal");
                    assert!(refused.to_string().contains("signal"), "{refused}");
                    continue;
                }
            };
            assert_ne!(setter, "signal", "value {number} is no signal that can be had");
            let never = setter == "threshold" && number == 2;
            let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
            let turn = monitor.turn();
            while !never && detector.stalls() == 0 {
                std::hint::spin_loop();
            }
            drop(turn);
            drop(monitor.turn());
            let told = metrics.with_tags(&[("loop", "main")]).get_timing("loop.stall.duration");
            let told = told.map(|stats| stats.count);
            assert_eq!(told.is_some_and(|count| count > 0), !never, "{setter} {number}: {told:?}");
        }
    }
}

#[test]
fn a_budget_of_any_length_is_one() {
    for budget in TIMES {
        let metrics = MetricsCollector::builder().manual().build();
        let mut monitor = LoopMonitor::new(&metrics, "main").budget(budget);
        for _ in 0..10 {
            let _turn = monitor.turn();
            std::thread::sleep(Duration::from_micros(10));
        }
        let over = metrics.with_tags(&[("loop", "main")]).get_timing("loop.turn.over_budget");
        let wanted = if budget == Duration::MAX { 0 } else { 10 };
        assert_eq!(over.map(|stats| stats.count), Some(wanted), "{budget:?}");
    }
}
