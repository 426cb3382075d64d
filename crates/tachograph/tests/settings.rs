//! Every setter of the builder, at its least, at one and at its greatest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tachograph::{Builder, Clock, MetricsCollector, ShutdownReport};

type Setting = Box<dyn Fn(Builder) -> Builder>;

/// A setter's name and what it is given, one after the other.
fn settings() -> Vec<(&'static str, Vec<Setting>)> {
    fn sizes(set: fn(Builder, usize) -> Builder) -> Vec<Setting> {
        [0, 1, usize::MAX].map(|n| Box::new(move |b: Builder| set(b, n)) as Setting).into()
    }
    fn times(set: fn(Builder, Duration) -> Builder) -> Vec<Setting> {
        let times = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];
        times.map(|time| Box::new(move |b: Builder| set(b, time)) as Setting).into()
    }
    fn plain(set: impl Fn(Builder) -> Builder + 'static) -> Vec<Setting> {
        vec![Box::new(set)]
    }
    fn texts(set: fn(Builder, &str) -> Builder) -> Vec<Setting> {
        let texts = [String::new(), ".".to_owned(), "é".repeat(100_000)];
        texts.map(|text| Box::new(move |b: Builder| set(b, &text)) as Setting).into()
    }
    let mut windows: Vec<Setting> = Vec::new();
    for span in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        for steps in [0, 1, u32::MAX] {
            windows.push(Box::new(move |builder: Builder| builder.window(span, steps)));
        }
    }
    let mut blocks: Vec<Setting> = Vec::new();
    for initial in [0, 1, usize::MAX] {
        for max in [0, 1, usize::MAX] {
            blocks.push(Box::new(move |builder: Builder| builder.lane_blocks(initial, max)));
        }
    }
    vec![
        ("enabled", plain(|builder| builder.enabled(true))),
        ("manual", plain(Builder::manual)),
        ("publish_every", times(Builder::publish_every)),
        ("window", windows),
        ("no_window", plain(Builder::no_window)),
        ("idle_timeout", times(Builder::idle_timeout)),
        ("lane_blocks", blocks),
        ("max_lanes", sizes(Builder::max_lanes)),
        ("series_per_metric", sizes(Builder::series_per_metric)),
        ("max_series", sizes(Builder::max_series)),
        ("max_metrics", sizes(Builder::max_metrics)),
        ("max_distribution_bytes", sizes(Builder::max_distribution_bytes)),
        ("clock", plain(|builder| builder.clock(Clock::mock().0))),
        ("on_warning", plain(|builder| builder.on_warning(|_| panic!("a user's mistake")))),
        ("calibrate_tsc", plain(Builder::calibrate_tsc)),
        ("on_thread_start", plain(|builder| builder.on_thread_start(|| panic!("a mistake")))),
        ("current_trace", plain(|builder| builder.current_trace(|| None))),
        ("export_prefix", texts(|builder, text| builder.export_prefix(text))),
        ("export_label", texts(|builder, text| builder.export_label(text, text))),
    ]
}

#[test]
fn no_setter_is_left_out() {
    let source = include_str!("../src/run/builder.rs");
    let setters = source.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub fn ")?.split_once("(mut self")?;
        Some(name)
    });
    let mut setters: Vec<_> = setters.collect();
    let mut known: Vec<_> = settings().into_iter().map(|(name, _)| name).collect();
    setters.sort_unstable();
    known.sort_unstable();
    assert_eq!(setters, known, "a setter without its extremes");
}

/// Uses a collector in every way; everything must be accounted for, whatever the limits are.
fn exercise(metrics: &MetricsCollector, setter: &str) {
    let counter = metrics.register_counter("c");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..100).for_each(|_| counter.increment()));
    });
    for i in 0..100u64 {
        let tag = i.to_string();
        metrics.with_tags(&[("i", &tag)]).timing("t", Duration::from_nanos(i));
        metrics.gauge("g", i as f64);
        counter.increment();
    }
    metrics.run_pass(Instant::now(), SystemTime::now());
    let told = |name: &str| metrics.total(name).and_then(|v| Some(v.as_counter()?.lifetime.value));
    let [recorded, aggregated, dropped] =
        ["recorded", "aggregated", "dropped"].map(|name| told(&format!("telemetry.{name}")));
    assert_eq!(recorded, Some(400), "{setter}");
    assert_eq!(aggregated.zip(dropped).map(|(a, d)| a + d), recorded, "{setter}");
    assert_eq!(told("telemetry.panics"), Some(0), "{setter}");
    let report: ShutdownReport = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped, "{setter}");
    assert!(!report.timed_out, "{setter}");
}

#[test]
fn every_setter_works_at_its_extremes() {
    for (setter, values) in settings() {
        for (number, set) in values.into_iter().enumerate() {
            let setter = format!("{setter}, value {number}");
            exercise(&set(MetricsCollector::builder().manual()).build(), &setter);
            exercise(&set(MetricsCollector::builder()).build(), &setter);
        }
    }
}

#[test]
fn no_interval_ends_the_background_thread() {
    // It would end with a panic, which nobody else hears of.
    let panics = Arc::new(Mutex::new(Vec::new()));
    let (heard, before) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        heard.lock().expect("no panic in here").push(info.to_string());
        before(info);
    }));
    for every in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let started = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&started);
        let metrics = MetricsCollector::builder()
            .publish_every(every)
            .on_thread_start(move || counted.store(1, Ordering::SeqCst))
            .build();
        metrics.increment("c");
        let deadline = Instant::now() + Duration::from_secs(30);
        while started.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < deadline, "not started");
            std::thread::yield_now();
        }
        // Waits for its end.
        let report = metrics.shutdown(Duration::from_secs(30));
        assert_eq!((report.recorded, report.aggregated, report.timed_out), (1, 1, false));
    }
    let panics = panics.lock().expect("no panic in the hook");
    assert!(!panics.iter().any(|told| told.contains("overflow")), "{panics:?}");
}

#[test]
fn any_timeout_of_a_shutdown_is_enough_while_nobody_is_in_the_way() {
    for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let metrics = MetricsCollector::builder().manual().build();
        metrics.increment("c");
        let report = metrics.shutdown(timeout);
        assert_eq!((report.recorded, report.aggregated, report.timed_out), (1, 1, false));
    }
}
