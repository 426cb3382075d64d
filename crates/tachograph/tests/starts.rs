//! When series began, whatever the clocks do.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use tachograph::{Clock, MetricsCollector, MockClock, Snapshot};

const SECOND: Duration = Duration::from_secs(1);

struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
}

fn driven() -> Driven {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    Driven { metrics, clock, mock }
}

impl Driven {
    fn pass(&self) -> Arc<Snapshot> {
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
        self.metrics.snapshot()
    }

    fn pass_after(&self, by: Duration) -> Arc<Snapshot> {
        self.mock.advance(by);
        self.pass()
    }
}

fn created(snapshot: &Snapshot, name: &str) -> SystemTime {
    snapshot.find(name, &[]).unwrap_or_else(|| panic!("no {name}")).created
}

fn value(snapshot: &Snapshot, name: &str) -> Option<i128> {
    Some(snapshot.find(name, &[])?.value.as_counter()?.lifetime.value)
}

#[test]
fn a_series_begins_at_the_pass_before_its_first_record() {
    let driven = driven();
    let before = driven.pass_after(10 * SECOND).timestamp();
    driven.mock.advance(SECOND);
    driven.metrics.increment("counted");
    driven.metrics.timing("timed", SECOND);
    driven.metrics.register_gauge("registered");
    let first = driven.pass_after(SECOND);
    for name in ["counted", "timed", "registered"] {
        assert_eq!(created(&first, name), before, "{name}");
        assert_eq!(created(&driven.pass_after(SECOND), name), before, "{name}, later");
    }
}

#[test]
fn resets_are_told_apart_while_no_clock_moves() {
    let driven = driven();
    let counter = driven.metrics.register_counter("c");
    counter.increment();
    let mut last = driven.pass();
    for reset in [MetricsCollector::reset, MetricsCollector::reset_counters].repeat(3) {
        // The value of before the reset is reached again.
        reset(&driven.metrics);
        counter.increment();
        let next = driven.pass();
        assert_eq!(value(&next.since(&last), "c"), Some(1), "a gain of the new beginning");
        last = next;
    }
    assert_eq!(value(&driven.pass().since(&last), "c"), Some(0), "the same beginning");
}

#[test]
fn starts_stay_while_the_wall_clock_wanders_and_move_once_it_is_set() {
    let driven = driven();
    driven.metrics.increment("c");
    let first = driven.pass_after(SECOND);
    // A tenth of a second fast in each: slewed, not set.
    for _ in 0..100 {
        driven.mock.advance_wall(SECOND / 10);
        let next = driven.pass_after(SECOND);
        assert_eq!(created(&next, "c"), created(&first, "c"));
        assert_eq!(next.started(), first.started());
    }
    // The clock of a machine without a battery is set: every start is so long ago as it was.
    let years = 55 * 365 * 24 * 3_600 * SECOND;
    driven.mock.advance_wall(years);
    driven.metrics.increment("new");
    let set = driven.pass_after(SECOND);
    let age = |name: &str| set.timestamp().duration_since(created(&set, name)).expect("before");
    assert_eq!((age("c"), age("new")), (102 * SECOND, SECOND));
    assert_eq!(set.timestamp().duration_since(set.started()).expect("before"), 102 * SECOND);
    assert_eq!(value(&set.since(&first), "c"), Some(0), "no reset");
    let gain = set.since(&first);
    assert_eq!(gain.uptime(), 101 * SECOND);
    assert_eq!(gain.started(), set.timestamp() - 101 * SECOND);
}

#[test]
fn a_wall_clock_that_steps_by_more_than_a_second_was_set() {
    let driven = driven();
    driven.metrics.increment("c");
    let first = driven.pass_after(SECOND);
    driven.mock.advance_wall(SECOND);
    assert_eq!(created(&driven.pass_after(SECOND), "c"), created(&first, "c"));
    driven.mock.advance_wall(SECOND + Duration::from_millis(1));
    let set = driven.pass_after(SECOND);
    assert_eq!(set.timestamp().duration_since(created(&set, "c")).expect("before"), 3 * SECOND);
}

#[test]
fn a_wall_clock_that_is_set_to_the_epoch_or_to_the_end_of_time_is_harmless() {
    let driven = driven();
    driven.metrics.increment("c");
    let now = Instant::now() + 1_000_000 * SECOND;
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64 / 2);
    for wall in [SystemTime::UNIX_EPOCH, end, SystemTime::UNIX_EPOCH - SECOND, SystemTime::now()] {
        driven.metrics.run_pass(now, wall);
        let snapshot = driven.metrics.snapshot();
        assert!(created(&snapshot, "c") <= wall.max(SystemTime::UNIX_EPOCH));
        assert_eq!(value(&snapshot, "c"), Some(1));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Record(usize),
    Register(usize),
    Advance(u64),
    Pass,
    Read,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..NAMES.len()).prop_map(Step::Record),
        1 => (0..NAMES.len()).prop_map(Step::Register),
        4 => (1u64..20_000).prop_map(Step::Advance),
        4 => Just(Step::Pass),
        1 => Just(Step::Read),
        1 => Just(Step::Reset),
    ]
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

proptest! {
    #[test]
    fn no_series_begins_after_its_first_record_nor_when_it_is_first_shown(
        steps in prop::collection::vec(step(), 1..100),
    ) {
        let driven = driven();
        let mut first: [Option<SystemTime>; NAMES.len()] = [None; NAMES.len()];
        // So that every pass is later than the one before.
        let tick = Duration::from_millis(1);
        for step in steps {
            driven.mock.advance(tick);
            let now = driven.clock.wall();
            match step {
                Step::Record(name) => {
                    driven.metrics.increment(NAMES[name]);
                    first[name].get_or_insert(now);
                }
                Step::Register(name) => drop(driven.metrics.register_counter(NAMES[name])),
                Step::Advance(ms) => driven.mock.advance(Duration::from_millis(ms)),
                Step::Read => drop(driven.metrics.get_counter("a")),
                Step::Reset => {
                    driven.pass();
                    driven.metrics.reset();
                    first = [None; NAMES.len()];
                }
                Step::Pass => {
                    let snapshot = driven.pass();
                    for (name, first) in NAMES.iter().zip(first) {
                        let Some(first) = first else { continue };
                        let created = created(&snapshot, name);
                        prop_assert!(created <= first, "{name}");
                        prop_assert!(created < snapshot.timestamp(), "{name}");
                    }
                }
            }
        }
    }
}
