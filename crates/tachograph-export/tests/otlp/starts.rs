//! Start times of points.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use tachograph::MetricsCollector;

use crate::decode::{distributions, metric, numbers, protobuf, whole};
use crate::{SECOND, delta, nanos, settings};

/// A collector whose passes are given both times.
struct Driven {
    metrics: MetricsCollector,
    now: Instant,
    wall: SystemTime,
}

impl Driven {
    fn new() -> Self {
        let metrics = MetricsCollector::builder().manual().build();
        Self { metrics, now: Instant::now() + SECOND, wall: SystemTime::now() }
    }

    fn pass_after(&mut self, by: Duration) {
        (self.now, self.wall) = (self.now + by, self.wall + by);
        self.metrics.run_pass(self.now, self.wall);
    }
}

#[test]
fn the_first_point_of_a_series_starts_at_the_pass_before_it() {
    for settings in [settings(), delta()] {
        let mut driven = Driven::new();
        let mut encoder = settings.encoder();
        driven.pass_after(SECOND);
        protobuf(&mut encoder, &driven.metrics.snapshot());
        driven.pass_after(3 * SECOND);
        let before = nanos(driven.wall);
        driven.metrics.increment("events");
        driven.metrics.timing("turn", SECOND);
        driven.pass_after(2 * SECOND);
        let request = protobuf(&mut encoder, &driven.metrics.snapshot());
        let events = &numbers(metric(&request, "events"))[0];
        let turn = &distributions(metric(&request, "turn"))[0];
        let times = (before, nanos(driven.wall));
        assert_eq!((events.start_time_unix_nano, events.time_unix_nano), times);
        assert_eq!((turn.start_time_unix_nano, turn.time_unix_nano), times);
    }
}

#[test]
fn deltas_follow_each_other_and_the_start_of_totals_stays_while_the_wall_clock_wanders() {
    let mut driven = Driven::new();
    let mut deltas = delta().encoder();
    let (mut ends, mut starts) = (HashMap::<&str, u64>::new(), HashMap::<&str, u64>::new());
    for round in 0..50u32 {
        driven.metrics.increment("events");
        driven.metrics.timing("turn", SECOND);
        // A clock that runs slow, then fast.
        driven.wall += Duration::from_millis(if round < 25 { 0 } else { 300 });
        driven.pass_after(Duration::from_millis(if round < 25 { 700 } else { 900 }));
        driven.now += Duration::from_millis(100);
        let snapshot = driven.metrics.snapshot();
        let request = protobuf(&mut deltas, &snapshot);
        let events = &numbers(metric(&request, "events"))[0];
        let turn = &distributions(metric(&request, "turn"))[0];
        for (name, start, end) in [
            ("events", events.start_time_unix_nano, events.time_unix_nano),
            ("turn", turn.start_time_unix_nano, turn.time_unix_nano),
        ] {
            assert!(start < end, "{name}");
            assert_eq!(*ends.get(name).unwrap_or(&start), start, "{name} follows");
            ends.insert(name, end);
        }
        let request = whole(&settings(), &snapshot);
        let start = numbers(metric(&request, "events"))[0].start_time_unix_nano;
        assert_eq!(*starts.entry("events").or_insert(start), start, "the start stays");
    }
}

#[test]
fn a_delta_of_ten_seconds_spans_ten_seconds_when_the_clock_is_set_after_boot() {
    let mut driven = Driven::new();
    driven.wall = SystemTime::UNIX_EPOCH + 20 * SECOND;
    let mut deltas = delta().encoder();
    driven.metrics.increment("events");
    driven.pass_after(5 * SECOND);
    protobuf(&mut deltas, &driven.metrics.snapshot());
    driven.pass_after(4 * SECOND);
    driven.wall += 55 * 365 * 24 * 3_600 * SECOND;
    driven.metrics.increment("events");
    driven.pass_after(6 * SECOND);
    let snapshot = driven.metrics.snapshot();
    let span = |request| {
        let point = numbers(metric(&request, "events"))[0].clone();
        assert_eq!(point.time_unix_nano, nanos(driven.wall));
        Duration::from_nanos(point.time_unix_nano - point.start_time_unix_nano)
    };
    assert_eq!(span(protobuf(&mut deltas, &snapshot)), 10 * SECOND);
    // The collector was created a moment before the first pass's time.
    let age = span(whole(&settings(), &snapshot));
    assert!((15 * SECOND..17 * SECOND).contains(&age), "{age:?}");
}

#[test]
fn a_reset_begins_a_point_where_it_was_made() {
    let mut driven = Driven::new();
    let mut deltas = delta().encoder();
    driven.metrics.increment_by("events", 7);
    driven.pass_after(5 * SECOND);
    protobuf(&mut deltas, &driven.metrics.snapshot());
    driven.pass_after(5 * SECOND);
    driven.metrics.reset();
    let reset = nanos(driven.wall);
    driven.metrics.increment_by("events", 9);
    driven.pass_after(5 * SECOND);
    let snapshot = driven.metrics.snapshot();
    for request in [protobuf(&mut deltas, &snapshot), whole(&settings(), &snapshot)] {
        let events = &numbers(metric(&request, "events"))[0];
        assert_eq!(events.start_time_unix_nano, reset);
        assert_eq!(crate::integer(events), 9);
    }
}
