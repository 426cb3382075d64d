//! Rates of a window, at every pass, against how much was recorded in how long.

use std::time::Duration;

use proptest::prelude::*;
use tachograph::{Clock, Counter, MetricsCollector, MockClock, Series, Snapshot, Timing};

const SECOND: Duration = Duration::from_secs(1);
/// One record.
const TICK: Duration = Duration::from_millis(10);
const RATE: f64 = 100.0;

struct Driven {
    metrics: MetricsCollector,
    clock: Clock,
    mock: MockClock,
    counter: Counter,
    timing: Timing,
}

fn driven(window: Duration, steps: u32) -> Driven {
    let (clock, mock) = Clock::mock();
    let metrics =
        MetricsCollector::builder().manual().clock(clock.clone()).window(window, steps).build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    Driven { metrics, clock, mock, counter, timing }
}

impl Driven {
    /// Records at a constant rate for so long, without a pass.
    fn record_for(&self, time: Duration) {
        for _ in 0..time.as_millis() / TICK.as_millis() {
            self.mock.advance(TICK);
            self.counter.increment();
            self.timing.record(TICK);
        }
    }

    fn pass(&self) {
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }

    /// The rates of counter and timing, each over its own time.
    fn rates(&self) -> [f64; 2] {
        let snapshot = self.metrics.snapshot();
        let series = |name| snapshot.find(name, &[]).expect("registered");
        let (counter, timing) = (series("c"), series("t"));
        [counter_rate(&snapshot, counter), timing_rate(&snapshot, timing)]
    }
}

fn counter_rate(snapshot: &Snapshot, series: &Series) -> f64 {
    let window = series.value.as_counter().expect("a counter").window.expect("there are windows");
    window.rate(snapshot.window_elapsed_of(series))
}

fn timing_rate(snapshot: &Snapshot, series: &Series) -> f64 {
    let window = &series.value.as_timing().expect("a timing").window;
    window.as_ref().expect("there are windows").rate(snapshot.window_elapsed_of(series))
}

#[test]
fn a_constant_rate_reads_as_it_is_at_every_pass() {
    let driven = driven(60 * SECOND, 6);
    for pass in 0..2_000 {
        // 100 ms, as passes are made by default, and the steps' ends lie between two of them.
        driven.record_for(if pass % 7 == 0 { 130 } else { 95 } * Duration::from_millis(1));
        driven.pass();
        let elapsed = driven.metrics.snapshot().window_elapsed();
        assert!(elapsed <= 61 * SECOND, "{elapsed:?}");
        if pass > 20 {
            let close = |rate: f64| (rate - RATE).abs() < 1e-9;
            assert!(driven.rates().into_iter().all(close), "pass {pass}: {:?}", driven.rates());
        }
    }
}

#[test]
fn a_rate_five_seconds_after_switching_on_is_of_five_seconds() {
    let driven = driven(60 * SECOND, 6);
    driven.pass();
    driven.metrics.set_enabled(false);
    for _ in 0..60 {
        driven.record_for(SECOND);
        driven.pass();
    }
    driven.metrics.set_enabled(true);
    driven.record_for(5 * SECOND);
    driven.pass();
    assert_eq!(driven.metrics.snapshot().window_elapsed(), 5 * SECOND);
    assert_eq!(driven.rates(), [RATE; 2]);
}

#[test]
fn a_snapshot_without_windows_has_elapsed_what_recording_was_on_for() {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).no_window().build();
    let pass = |by: Duration| {
        mock.advance(by);
        metrics.run_pass(clock.now(), clock.wall());
        metrics.snapshot()
    };
    let first = pass(3 * SECOND);
    metrics.set_enabled(false);
    pass(10 * SECOND);
    metrics.set_enabled(true);
    let second = pass(4 * SECOND);
    assert_eq!((first.window_elapsed(), second.window_elapsed()), (3 * SECOND, 7 * SECOND));
    assert_eq!(second.since(&first).window_elapsed(), 4 * SECOND);
    assert_eq!(second.since(&first).uptime(), 14 * SECOND);
    metrics.reset();
    assert_eq!(metrics.snapshot().window_elapsed(), Duration::ZERO);
    assert_eq!(pass(2 * SECOND).window_elapsed(), 2 * SECOND);
    assert_eq!(Snapshot::merge([&*first, &*second]).window_elapsed(), 7 * SECOND);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// Records for so many ticks, with a pass at the end.
    Pass(u64),
    /// Time without a pass while the program goes on.
    Stall(u64),
    /// The program stops recording; passes go on.
    Off(u64),
    /// Nothing runs at all while it is off.
    OffWithoutPasses(u64),
    Reset,
    ResetCounters,
    Read,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (1u64..200).prop_map(Event::Pass),
        1 => (200u64..9_000).prop_map(Event::Stall),
        1 => (1u64..5_000).prop_map(Event::Off),
        1 => (1u64..5_000).prop_map(Event::OffWithoutPasses),
        1 => Just(Event::Reset),
        1 => Just(Event::ResetCounters),
        2 => Just(Event::Read),
    ]
}

proptest! {
    // Each is some minutes, a record at a time.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_constant_rate_reads_as_it_is_whatever_happens_between(
        events in prop::collection::vec(event(), 1..80),
        window in 2u32..90,
        steps in 1u32..8,
    ) {
        let driven = driven(window * SECOND, steps);
        for event in events {
            match event {
                Event::Pass(ticks) => driven.record_for(TICK * ticks as u32),
                Event::Stall(ticks) => driven.record_for(TICK * ticks as u32),
                Event::Off(ticks) => {
                    driven.metrics.set_enabled(false);
                    for _ in 0..ticks / 10 {
                        driven.record_for(TICK * 10);
                        driven.pass();
                    }
                    driven.metrics.set_enabled(true);
                }
                Event::OffWithoutPasses(ticks) => {
                    driven.metrics.set_enabled(false);
                    driven.record_for(TICK * ticks as u32);
                    driven.metrics.set_enabled(true);
                }
                Event::Reset => {
                    driven.pass();
                    driven.metrics.reset();
                }
                Event::ResetCounters => {
                    driven.pass();
                    driven.metrics.reset_counters();
                }
                Event::Read => drop(driven.metrics.get_all_metrics()),
            }
            driven.pass();
            let snapshot = driven.metrics.snapshot();
            for (name, rate) in ["c", "t"].into_iter().zip(driven.rates()) {
                let elapsed = snapshot.window_elapsed_of(snapshot.find(name, &[]).expect("registered"));
                if !elapsed.is_zero() {
                    prop_assert!((rate - RATE).abs() <= RATE / 100.0, "{name}: {rate} over {elapsed:?}");
                }
            }
        }
    }
}
