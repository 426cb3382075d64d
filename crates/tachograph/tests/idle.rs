//! Series that nobody records any more leave the snapshots, and start at 0 when they return.

use std::sync::Arc;
use std::time::Duration;

use tachograph::{Clock, MetricsCollector, MockClock, Snapshot, Value};

const SECOND: Duration = Duration::from_secs(1);
const NAMES: [&str; 4] = ["count", "gauge", "size", "time"];

struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
}

/// A collector driven by hand whose series are idle after 10 s.
fn driven() -> Driven {
    let (clock, mock) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone());
    Driven { metrics: builder.idle_timeout(10 * SECOND).build(), clock, mock }
}

impl Driven {
    fn pass_after(&self, by: Duration) -> Arc<Snapshot> {
        self.mock.advance(by);
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
        self.metrics.snapshot()
    }

    fn record_all(&self) {
        self.metrics.increment("count");
        self.metrics.gauge("gauge", 2.0);
        self.metrics.histogram("size", 3);
        self.metrics.timing("time", SECOND);
    }
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    let names = snapshot.series().iter().map(|series| &*series.metric.name);
    names.filter(|name| !name.starts_with("telemetry.")).collect()
}

fn count(snapshot: &Snapshot, name: &str) -> Option<i128> {
    Some(snapshot.find(name, &[])?.value.as_counter()?.lifetime.value)
}

fn samples(value: &Value) -> u64 {
    let counter = value.as_counter().map(|views| views.lifetime.value as u64);
    let gauge = value.as_gauge().map(|views| views.lifetime.count);
    let timing = value.as_timing().map(|views| views.lifetime.count);
    counter.or(gauge).or(timing).unwrap_or_default()
}

#[test]
fn an_idle_series_leaves_and_starts_at_0_when_it_returns() {
    let driven = driven();
    driven.record_all();
    let first = driven.pass_after(SECOND);
    assert_eq!(names(&first), NAMES);
    assert_eq!(names(&driven.pass_after(10 * SECOND)), NAMES, "not longer than the timeout");
    assert_eq!(names(&driven.pass_after(SECOND)), [""; 0]);
    assert!(driven.metrics.get_all_metrics().find("count", &[]).is_none());
    assert!(driven.metrics.get_counter("count").is_none(), "nor is it there by name");
    assert!(!driven.metrics.remove("count", &[]));
    let left = driven.clock.wall();
    driven.pass_after(50 * SECOND);
    driven.record_all();
    let returned = driven.clock.wall();
    let back = driven.pass_after(50 * SECOND);
    assert_eq!(names(&back), NAMES);
    for name in NAMES {
        let [before, now] = [&first, &back].map(|snapshot| snapshot.find(name, &[]));
        let (before, now) = before.zip(now).expect("shown in both");
        assert_eq!(samples(&now.value), 1, "{name}");
        assert!(before.created < now.created && left <= now.created, "{name}");
        assert!(now.created <= returned, "{name} began before its first record");
        assert_ne!(before.generation, now.generation);
    }
    let gauge = driven.metrics.get_gauge("gauge").expect("set");
    assert_eq!((gauge.current, gauge.count), (Some(2.0), 1));
}

#[test]
fn a_gauge_that_returns_adds_to_0() {
    let driven = driven();
    let gauge = driven.metrics.register_gauge("gauge");
    gauge.set(40.0);
    driven.pass_after(SECOND);
    assert_eq!(names(&driven.pass_after(11 * SECOND)), [""; 0]);
    gauge.add(2.0);
    let stats = driven.metrics.get_gauge("gauge").expect("it has returned");
    assert_eq!((stats.current, stats.min, stats.count), (Some(2.0), Some(2.0), 1));
}

/// What a shard shows of a series that has left is in no window of a sum.
#[test]
fn a_series_that_has_left_is_in_no_window() {
    let (left, other) = (driven(), driven());
    [&left, &other].iter().for_each(|driven| driven.record_all());
    left.pass_after(SECOND);
    let left = left.pass_after(11 * SECOND);
    let sum = Snapshot::merge([&*left, &*other.pass_after(SECOND)]);
    let series = sum.find("time", &[]).and_then(|series| series.value.as_timing());
    let counts = series.map(|views| (views.lifetime.count, views.window.as_ref().map(|w| w.count)));
    assert_eq!(counts, Some((2, Some(1))));
}

#[test]
fn a_series_with_a_handle_is_idle_too_and_the_handle_stays_valid() {
    let driven = driven();
    let counter = driven.metrics.register_counter("count");
    assert_eq!(count(&driven.pass_after(SECOND), "count"), Some(0));
    assert_eq!(names(&driven.pass_after(11 * SECOND)), [""; 0], "never recorded");
    counter.increment();
    assert_eq!(count(&driven.pass_after(SECOND), "count"), Some(1));
    assert_eq!(names(&driven.pass_after(11 * SECOND)), [""; 0]);
    let again = driven.metrics.register_counter("count");
    again.increment();
    counter.increment();
    assert_eq!(count(&driven.pass_after(SECOND), "count"), Some(2), "one series for both handles");
    driven.pass_after(11 * SECOND);
    let registered = driven.metrics.register_counter("count");
    assert_eq!(count(&driven.pass_after(SECOND), "count"), Some(0), "it is there once registered");
    registered.increment();
    assert_eq!(driven.metrics.get_counter("count").map(|stats| stats.value), Some(1));
}

#[test]
fn calls_that_leave_the_value_alone_keep_a_series_alive() {
    let driven = driven();
    driven.metrics.increment("net.zero");
    driven.metrics.gauge("refused", 1.0);
    driven.pass_after(SECOND);
    for _ in 0..5 {
        driven.metrics.increment_by("net.zero", 0);
        driven.metrics.gauge("refused", f64::NAN);
        assert_eq!(names(&driven.pass_after(9 * SECOND)), ["net.zero", "refused"]);
    }
}

#[test]
fn the_collectors_own_series_never_leave_and_conservation_holds_while_others_are_hidden() {
    let driven = driven();
    driven.record_all();
    let first = driven.pass_after(SECOND);
    let idle = driven.pass_after(1_000 * SECOND);
    let own = |snapshot: &Snapshot| snapshot.series().len() - names(snapshot).len();
    assert_eq!((own(&first), names(&idle).len()), (own(&idle), 0));
    let [recorded, aggregated] =
        ["telemetry.recorded", "telemetry.aggregated"].map(|name| count(&idle, name));
    assert_eq!((recorded, aggregated), (Some(4), Some(4)));
    let report = driven.metrics.shutdown(SECOND);
    assert_eq!((report.recorded, report.aggregated, report.dropped), (4, 4, 0));
}

/// What `count` gained, among the series that recorded something.
fn gained(later: &Snapshot, earlier: &Snapshot) -> Option<i128> {
    let mut gains = later.gains_since(earlier).map(|(_, gained)| gained);
    let count = gains.find(|series| &*series.key == "count")?;
    Some(count.value.as_counter()?.lifetime.value)
}

#[test]
fn differences_and_sums_know_a_series_that_has_left() {
    let driven = driven();
    driven.metrics.increment_by("count", 1_000);
    let visible = driven.pass_after(SECOND);
    let hidden = driven.pass_after(100 * SECOND);
    assert_eq!(count(&hidden, "count"), None);
    let sent = serde_json::to_string(&*hidden).expect("serializable");
    let hidden: Snapshot = serde_json::from_str(&sent).expect("what was written");
    driven.metrics.increment("count");
    let back = driven.pass_after(SECOND);
    assert_eq!(count(&back.since(&hidden), "count"), Some(1));
    assert_eq!(count(&back.since(&visible), "count"), Some(1));
    assert_eq!([&hidden, &visible].map(|earlier| gained(&back, earlier)), [Some(1); 2]);
    assert_eq!(count(&Snapshot::merge([&*visible, &hidden]), "count"), Some(2_000));
    assert_eq!(count(&Snapshot::merge([&hidden, &hidden]), "count"), None);
}

#[test]
fn what_was_recorded_before_a_series_left_is_in_one_of_the_differences() {
    let driven = driven();
    driven.metrics.increment_by("count", 1_000);
    let mut last = driven.pass_after(SECOND);
    let mut seen = 1_000;
    for _ in 0..3 {
        driven.metrics.increment("count");
        driven.pass_after(SECOND);
        let hidden = driven.pass_after(100 * SECOND);
        assert_eq!(count(&hidden, "count"), None, "it has left");
        let gain = hidden.since(&last);
        assert_eq!(count(&gain, "count"), Some(1));
        assert_eq!(gained(&hidden, &last), Some(1));
        assert!(gain.series().is_sorted_by(|a, b| a.key < b.key));
        seen += count(&gain, "count").unwrap_or(0);
        let quiet = driven.pass_after(SECOND);
        assert_eq!(count(&quiet.since(&hidden), "count"), None, "nothing new, still hidden");
        assert_eq!(gained(&quiet, &hidden), None);
        last = quiet;
    }
    assert_eq!(seen, 1_003, "none was missing");
}

#[test]
fn without_the_setting_nothing_ever_leaves() {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    metrics.increment("count");
    mock.advance(1_000_000 * SECOND);
    metrics.run_pass(clock.now(), clock.wall());
    assert_eq!(count(&metrics.snapshot(), "count"), Some(1));
    mock.advance(1_000_000 * SECOND);
    metrics.run_pass(clock.now(), clock.wall());
    assert_eq!(count(&metrics.snapshot(), "count"), Some(1));
}

#[test]
fn a_record_after_a_reset_is_news_even_if_the_count_is_what_it_was() {
    let driven = driven();
    let registered = driven.metrics.register_counter("registered");
    driven.metrics.increment("count");
    registered.increment();
    driven.pass_after(SECOND);
    driven.metrics.reset();
    assert!(driven.pass_after(100 * SECOND).series().iter().all(|s| &*s.metric.name != "count"));
    driven.metrics.increment("count");
    assert_eq!(count(&driven.pass_after(SECOND), "count"), Some(1), "it was just recorded");

    driven.pass_after(100 * SECOND);
    registered.increment();
    driven.metrics.reset_counters();
    assert_eq!(count(&driven.metrics.snapshot(), "registered"), Some(0), "so was this");
}
