//! Limits count the series that are there: those that leave give their places back.

use std::time::Duration;

use tachograph::{Clock, MetricsCollector, MockClock, Snapshot, Trace, Value};

const SECOND: Duration = Duration::from_secs(1);

struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
}

impl Driven {
    fn pass_after(&self, by: Duration) {
        self.mock.advance(by);
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }

    /// Adds 1 to the counter `x` of each player.
    fn play(&self, players: std::ops::Range<u32>) {
        for player in players {
            self.metrics.with_tags(&[("player", &player.to_string())]).increment("x");
        }
    }

    fn of(&self, player: u32) -> Option<i128> {
        let player = player.to_string();
        let tags = [("player", player.as_str())];
        self.metrics.with_tags(&tags).get_counter("x").map(|stats| stats.value)
    }

    fn beyond(&self) -> Option<i128> {
        let overflow = self.metrics.with_tags(&[("overflow", "true")]);
        overflow.get_counter("x").map(|stats| stats.value)
    }

    /// Everything that was recorded is somewhere.
    fn end(&self, recorded: u64) {
        let report = self.metrics.shutdown(SECOND);
        let told = (report.recorded, report.aggregated, report.dropped);
        assert_eq!(told, (recorded, recorded, 0));
    }
}

/// A collector of ten series, by either limit, which are idle after 10 s.
fn of_ten(per_metric: bool) -> Driven {
    let (clock, mock) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone());
    let builder = builder.idle_timeout(10 * SECOND);
    let builder = if per_metric { builder.series_per_metric(10) } else { builder.max_series(10) };
    Driven { metrics: builder.build(), clock, mock }
}

#[test]
fn a_reset_gives_the_places_of_series_recorded_by_name_back() {
    for per_metric in [true, false] {
        let driven = of_ten(per_metric);
        driven.play(0..12);
        assert_eq!((driven.of(9), driven.of(11), driven.beyond()), (Some(1), None, Some(2)));
        driven.metrics.reset();
        driven.play(20..32);
        assert_eq!((driven.of(29), driven.of(31), driven.beyond()), (Some(1), None, Some(2)));
        driven.metrics.reset();
        // This thread knows the first ones, and they are its own again.
        driven.play(0..10);
        assert_eq!((driven.of(0), driven.of(9), driven.beyond()), (Some(1), Some(1), None));
        driven.end(34);
    }
}

#[test]
fn a_series_with_a_handle_keeps_its_place_over_a_reset() {
    let driven = of_ten(true);
    let handle = driven.metrics.with_tags(&[("player", "0")]).register_counter("x");
    driven.play(0..12);
    driven.metrics.reset();
    driven.play(20..30);
    assert_eq!((driven.of(0), driven.of(28), driven.of(29)), (Some(0), Some(1), None));
    handle.increment();
    assert_eq!((driven.of(0), driven.beyond()), (Some(1), Some(1)));
    driven.end(23);
}

#[test]
fn idle_series_give_their_places_back() {
    for per_metric in [true, false] {
        let driven = of_ten(per_metric);
        driven.play(0..12);
        driven.pass_after(SECOND);
        driven.play(20..21);
        assert_eq!((driven.of(20), driven.beyond()), (None, Some(3)), "it is full");
        driven.pass_after(100 * SECOND);
        driven.pass_after(100 * SECOND);
        driven.play(30..40);
        assert_eq!((driven.of(30), driven.of(39)), (Some(1), Some(1)));
        driven.end(23);
    }
}

/// What the series of a metric count together, and how many there are.
fn all_of(snapshot: &Snapshot, name: &str) -> (u64, usize) {
    let samples = snapshot.metric(name).map(|series| match &series.value {
        Value::Counter(views) | Value::UpDownCounter(views) => views.lifetime.value as u64,
        Value::Timing(views) | Value::Histogram(views) => views.lifetime.count,
        Value::Gauge(views) => views.lifetime.count,
    });
    (samples.sum(), snapshot.metric(name).count())
}

#[test]
fn a_series_that_returns_to_a_full_limit_counts_in_the_overflow_series_until_there_is_a_place() {
    for (per_metric, away) in [(true, 0), (false, 0), (true, 1), (false, 1), (true, 2), (false, 2)]
    {
        let driven = of_ten(per_metric);
        let tags = [("player", "3")];
        let handle = driven.metrics.with_tags(&tags).register_counter("x");
        driven.play(0..10);
        driven.pass_after(SECOND);
        match away {
            0 => driven.pass_after(11 * SECOND),
            1 => (0..10).for_each(|player| {
                assert!(driven.metrics.remove("x", &[("player", &player.to_string())]));
            }),
            _ => {
                assert!(driven.metrics.remove("x", &tags));
                driven.metrics.reset();
            }
        }
        assert_eq!(driven.of(3), None);
        driven.play(20..30);
        driven.pass_after(SECOND);
        // Ten others have the places.
        handle.increment();
        driven.play(3..4);
        assert_eq!((driven.of(3), driven.beyond()), (None, Some(2)));
        driven.pass_after(SECOND);
        handle.increment();
        assert_eq!((driven.of(3), driven.beyond()), (None, Some(3)));
        assert_eq!(all_of(&driven.metrics.get_all_metrics(), "x"), (13, 11));
        // One leaves.
        assert!(driven.metrics.remove("x", &[("player", "20")]));
        handle.increment();
        driven.pass_after(SECOND);
        assert_eq!((driven.of(3), driven.beyond()), (Some(1), Some(3)));
        driven.end(24);
    }
}

/// Of every kind, by handle and in place of its block, with its trace.
#[test]
fn samples_of_any_kind_that_find_no_place_are_in_the_overflow_series() {
    let (clock, mock) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone()).lane_blocks(2, 2);
    let metrics = builder.series_per_metric(1).build();
    let driven = Driven { metrics, clock, mock };
    let tagged = driven.metrics.with_tags(&[("id", "1")]);
    let timing = tagged.register_timing("t");
    let gauge = tagged.register_gauge("g");
    let level = tagged.register_up_down_counter("u");
    let trace = Trace::new([7; 16], [9; 8]).expect("not zero");
    driven.pass_after(SECOND);
    for name in ["t", "g", "u"] {
        assert!(driven.metrics.remove(name, &[("id", "1")]));
        let other = driven.metrics.with_tags(&[("id", "2")]);
        match name {
            "t" => other.timing(name, SECOND),
            "g" => other.gauge(name, 1.0),
            _ => other.decrement(name),
        }
    }
    driven.pass_after(SECOND);
    timing.record_ns_traced(5_000_000_000, trace);
    // Beyond what two blocks hold.
    (1..=3_000).for_each(|nanos| timing.record_ns(nanos));
    (0..2_000).for_each(|value| gauge.set(f64::from(value)));
    level.decrement_by(3);
    driven.pass_after(SECOND);
    let overflow = driven.metrics.with_tags(&[("overflow", "true")]);
    let of_timing = overflow.get_timing("t").expect("it has them");
    assert_eq!((of_timing.count, of_timing.min, of_timing.max), (3_001, Some(1e-9), Some(5.0)));
    let sum: u64 = 5_000_000_000 + (1..=3_000).sum::<u64>();
    assert_eq!(of_timing.buckets().sum(), u128::from(sum));
    let of_gauge = overflow.get_gauge("g").expect("it has them");
    assert_eq!((of_gauge.count, of_gauge.current), (2_000, Some(1_999.0)));
    assert_eq!(
        (of_gauge.min, of_gauge.max, of_gauge.mean),
        (Some(0.0), Some(1_999.0), Some(999.5))
    );
    assert_eq!(overflow.get_counter("u").map(|stats| stats.value), Some(-3));
    let snapshot = driven.metrics.snapshot();
    let series = snapshot.find("t", &[("overflow", "true")]).expect("shown");
    assert_eq!(series.exemplar.as_ref().map(|exemplar| exemplar.trace), Some(trace));
    assert!(snapshot.find("t", &[("id", "1")]).is_none());
    driven.end(3 + 3_001 + 2_000 + 1);
}

#[test]
fn a_removed_series_starts_at_0_when_it_returns_and_its_handles_work_on() {
    let driven = of_ten(true);
    let tags = [("player", "3")];
    let handle = driven.metrics.with_tags(&tags).register_counter("x");
    driven.play(0..10);
    handle.increment_by(5);
    driven.pass_after(SECOND);
    let before = driven.metrics.snapshot();
    let before = before.find("x", &tags).expect("recorded");
    assert!(driven.metrics.remove("x", &tags));
    assert_eq!((driven.of(3), driven.of(4)), (None, Some(1)));
    assert!(driven.metrics.snapshot().find("x", &tags).is_none(), "published at once");
    assert!(!driven.metrics.remove("x", &tags), "it is gone");
    driven.play(50..51);
    assert_eq!(driven.of(50), Some(1), "it has the place");
    assert!(driven.metrics.remove("x", &[("player", "50")]));

    driven.pass_after(SECOND);
    handle.increment();
    driven.pass_after(SECOND);
    let now = driven.metrics.snapshot();
    let returned = now.find("x", &tags).expect("it was recorded again");
    assert_eq!(driven.of(3), Some(1));
    assert!(returned.created > before.created && returned.generation != before.generation);
    driven.play(3..4);
    assert_eq!(driven.of(3), Some(2), "by name as well");
    driven.metrics.reset();
    assert_eq!(driven.of(3), Some(0), "it has a handle still");
    driven.end(14);
}

#[test]
fn what_is_not_there_cannot_be_removed_nor_what_the_collector_says_of_itself() {
    let driven = of_ten(true);
    driven.play(0..1);
    assert!(!driven.metrics.remove("y", &[]));
    assert!(!driven.metrics.remove("x", &[]));
    assert!(!driven.metrics.remove("telemetry.recorded", &[]));
    assert!(driven.metrics.get_counter("telemetry.recorded").is_some());
    assert!(driven.metrics.remove("x", &[("player", "0")]));
    driven.end(1);
}

#[test]
fn series_that_come_and_go_without_end_are_bounded_and_exact_in_total() {
    let driven = of_ten(false);
    let mut total = 0;
    for round in 0..100 {
        driven.play(10 * round..10 * round + 10);
        let snapshot = driven.metrics.get_all_metrics();
        let values = snapshot.metric("x").filter_map(|series| series.value.as_counter());
        total += values.map(|views| views.lifetime.value).sum::<i128>();
        driven.metrics.reset();
    }
    assert_eq!(total, 1_000);
    // Those beyond the ones that it remembers are added up.
    driven.play(2_000..2_010);
    assert_eq!((driven.of(2_000), driven.beyond()), (None, Some(10)));
    driven.play(0..10);
    assert_eq!(driven.of(9), Some(1), "a known one has its own series");
    driven.end(1_020);
}

/// A pass may come between a thread's look-up of a name and its record: a timer, here.
#[test]
fn a_series_that_is_known_and_not_recorded_yet_keeps_its_place() {
    let driven = of_ten(true);
    let first = [("player", "0")];
    let timer = driven.metrics.with_tags(&first).timer("t");
    driven.pass_after(SECOND);
    for player in 1..12 {
        let player = player.to_string();
        driven.metrics.with_tags(&[("player", &*player)]).timing("t", SECOND);
    }
    drop(timer);
    driven.pass_after(SECOND);
    let snapshot = driven.metrics.snapshot();
    assert_eq!(snapshot.metric("t").count(), 11, "ten, and what takes the rest");
    driven.end(12);
}
