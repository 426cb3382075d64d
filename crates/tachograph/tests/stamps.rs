//! Starts and ends that are no guards: which clock they were read on, and what is recorded.
#![cfg(feature = "record")]

use std::time::{Duration, Instant};

use tachograph::{Clock, MetricsCollector, MockClock, Stamp, Timing};

const NS: Duration = Duration::from_nanos(1);
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

struct Driven {
    metrics: MetricsCollector,
    timing: Timing,
    clock: Clock,
    mock: MockClock,
}

/// A collector driven by hand, on a mock clock.
fn driven() -> Driven {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let timing = metrics.register_timing("t");
    Driven { metrics, timing, clock, mock }
}

impl Driven {
    /// With a counter that timers read.
    fn with_counter() -> Self {
        let driven = driven();
        driven.trust();
        driven
    }

    fn trust(&self) {
        self.mock.add_tsc();
        (0..2).for_each(|_| self.pass_after(SECOND));
        let uses = self.metrics.get_gauge("telemetry.clock.tsc").and_then(|gauge| gauge.current);
        assert_eq!(uses, Some(1.0));
    }

    fn pass_after(&self, by: Duration) {
        self.mock.advance(by);
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }

    /// How many were recorded, and their sum in nanoseconds.
    fn recorded(&self) -> (u64, u64) {
        let stats = self.metrics.get_timing("t").expect("registered");
        (stats.count, (stats.sum * 1e9).round() as u64)
    }

    fn anomalies(&self) -> Option<i128> {
        self.metrics.get_counter("telemetry.clock.anomalies").map(|stats| stats.value)
    }
}

#[test]
fn a_timing_is_what_the_clock_has_moved_and_its_end_is_the_next_ones_start() {
    for driven in [driven(), Driven::with_counter()] {
        let Driven { metrics, timing, mock, .. } = &driven;
        let start = metrics.now();
        mock.advance(5 * NS);
        let second = timing.record_since(start);
        assert_eq!(driven.recorded(), (1, 5));
        mock.advance(3 * MS);
        let third = timing.record_since(second);
        assert_eq!(driven.recorded(), (2, 3_000_005));
        timing.record_between(start, third);
        assert_eq!(driven.recorded(), (3, 6_000_010));
        assert_eq!(metrics.duration_between(second, third), Some(3 * MS));
        assert_eq!(third, metrics.now());
        assert_eq!(driven.anomalies(), Some(0));
    }
}

#[test]
fn a_recorder_records_the_same() {
    let driven = Driven::with_counter();
    let recorder = driven.metrics.recorder();
    let start = recorder.now();
    assert_eq!(start, driven.metrics.now());
    driven.mock.advance(7 * NS);
    let end = recorder.record_since(&driven.timing, start);
    recorder.record_between(&driven.timing, start, end);
    assert_eq!(driven.recorded(), (2, 14));
    let intended = driven.clock.now();
    assert_eq!(recorder.stamp_at(intended), driven.metrics.stamp_at(intended));
}

#[test]
fn a_moment_is_8_bytes_that_borrow_nothing() {
    fn is_plain<T: Copy + Send + Sync + 'static>() -> usize {
        size_of::<T>()
    }
    assert_eq!(is_plain::<Stamp>(), 8);
}

#[test]
fn no_moment_records_nothing() {
    let driven = driven();
    let (none, now) = (Stamp::default(), driven.metrics.now());
    assert!(none.is_none() && !now.is_none());
    driven.mock.advance(MS);
    let end = driven.timing.record_since(none);
    assert_eq!(driven.metrics.duration_between(now, end), Some(MS), "but tells the time");
    driven.timing.record_between(now, none);
    driven.timing.record_between(none, now);
    assert_eq!(driven.metrics.duration_between(none, now), None);
    assert_eq!((driven.recorded(), driven.anomalies()), ((0, 0), Some(0)));
}

#[test]
fn switched_off_between_start_and_end_nothing_is_recorded() {
    let driven = driven();
    let Driven { metrics, timing, mock, .. } = &driven;
    let recorder = metrics.recorder();
    let start = metrics.now();
    mock.advance(MS);
    let end = metrics.now();
    metrics.set_enabled(false);
    assert!(metrics.now().is_none() && recorder.now().is_none());
    assert!(metrics.stamp_at(driven.clock.now()).is_none());
    assert!(timing.record_since(start).is_none());
    assert!(recorder.record_since(timing, start).is_none());
    timing.record_between(start, end);
    recorder.record_between(timing, end, start);
    assert_eq!(metrics.duration_between(start, end), None);
    let timer = metrics.timer("t");
    assert_eq!((timer.elapsed(), timer.stop()), (None, Duration::ZERO));
    metrics.set_enabled(true);
    assert_eq!((driven.recorded(), driven.anomalies()), ((0, 0), Some(0)));
    // On again at the end: the time is what has passed, as for a timer.
    mock.advance(MS);
    timing.record_since(start);
    assert_eq!(driven.recorded(), (1, 2_000_000));
}

#[test]
fn after_a_shutdown_each_is_a_counted_drop() {
    let driven = driven();
    let start = driven.metrics.now();
    driven.mock.advance(MS);
    let report = driven.metrics.shutdown(SECOND);
    assert_eq!((report.recorded, report.dropped), (0, 0));
    let end = driven.timing.record_since(start);
    driven.timing.record_between(start, end);
    driven.timing.start().stop();
    let report = driven.metrics.shutdown(SECOND);
    assert_eq!((report.recorded, report.aggregated, report.dropped), (3, 0, 3));
}

#[test]
fn time_that_runs_backwards_counts_as_zero_and_as_an_anomaly() {
    let driven = Driven::with_counter();
    let (counter, instant) = (driven.metrics.now(), driven.clock.now());
    driven.mock.rewind_tsc(NS);
    driven.timing.record_since(counter);
    assert_eq!((driven.recorded(), driven.anomalies()), ((1, 0), Some(1)));
    driven.mock.rewind(NS);
    driven.timing.record_since(driven.metrics.stamp_at(instant));
    assert_eq!((driven.recorded(), driven.anomalies()), ((2, 0), Some(2)));
    assert_eq!(driven.metrics.duration_between(counter, counter), Some(Duration::ZERO));
    assert_eq!(driven.anomalies(), Some(2));
}

/// The model keeps what both clocks showed at each stamp; every pair of stamps is compared with it.
#[test]
fn between_any_two_stamps_of_either_clock_is_what_these_have_moved() {
    let driven = driven();
    // The moment on both clocks and which of them was read.
    let (mut monotonic, mut counter, mut uses_counter) = (0, 0, false);
    let mut taken: Vec<(Stamp, bool, i64)> = Vec::new();
    let mut random = fastrand::Rng::with_seed(20);
    let origin = driven.clock.now();
    for step in 0..60 {
        let by = random.i64(1..1_000);
        driven.mock.advance(NS * by as u32);
        (monotonic, counter) = (monotonic + by, counter + by);
        if random.bool() {
            driven.mock.advance_tsc(3 * NS);
            counter += 3;
        }
        if step == 20 {
            driven.trust();
            (monotonic, counter) = (monotonic + 2_000_000_000, counter + 2_000_000_000);
            uses_counter = true;
        }
        let now = if uses_counter { counter } else { monotonic };
        taken.push((driven.metrics.now(), uses_counter, now));
        let intended = random.i64(0..=monotonic);
        let at = origin + Duration::from_nanos(intended as u64);
        taken.push((driven.metrics.stamp_at(at), false, intended));
    }
    let (mut sum, mut backwards) = (0, 0);
    for &(start, start_on_counter, started) in &taken {
        for &(end, end_on_counter, ended) in &taken {
            let now = |on_counter| if on_counter { counter } else { monotonic };
            let between = if start_on_counter == end_on_counter {
                ended - started
            } else {
                (now(start_on_counter) - started) - (now(end_on_counter) - ended)
            };
            sum += between.max(0);
            backwards += i128::from(between < 0);
            let expected = Duration::from_nanos(between.max(0) as u64);
            assert_eq!(driven.metrics.duration_between(start, end), Some(expected));
            driven.timing.record_between(start, end);
        }
    }
    assert_eq!(driven.recorded(), (14_400, sum as u64));
    assert_eq!(driven.anomalies(), Some(2 * backwards));
    assert!(backwards > 1_000);
}

#[test]
fn another_collectors_stamp_is_read_where_its_clock_can_be_and_never_wild() {
    let real = || MetricsCollector::builder().manual().build();
    let (one, other) = (real(), real());
    let before = Instant::now();
    let start = one.now();
    std::thread::sleep(MS);
    let seen = other.duration_between(start, other.now()).expect("on");
    assert!((MS..=before.elapsed()).contains(&seen), "{seen:?}");

    let [mock, foreign] = [Driven::with_counter(), Driven::with_counter()];
    let shares = MetricsCollector::builder().manual().clock(mock.clock.clone()).build();
    let start = mock.metrics.now();
    mock.mock.advance(MS);
    assert_eq!(shares.duration_between(start, shares.now()), Some(MS), "the same mock clock");

    // The machine's clock cannot read a mock clock's counter.
    let anomalies = |metrics: &MetricsCollector| {
        metrics.get_counter("telemetry.clock.anomalies").map(|stats| stats.value)
    };
    assert_eq!(one.duration_between(start, one.now()), Some(Duration::ZERO));
    assert_eq!(anomalies(&one), Some(1));
    // Two mock clocks: no more than the later one has moved.
    let seen = foreign.metrics.duration_between(start, foreign.metrics.now()).expect("on");
    assert!(seen <= 2 * SECOND, "{seen:?}");
    // Instants are one clock for all: a mock's are what it says they are.
    let at = one.stamp_at(mock.clock.now());
    assert_eq!(at, mock.metrics.stamp_at(mock.clock.now()));
}

#[test]
fn an_instant_before_the_process_is_a_moment_too() {
    let driven = driven();
    let Some(early) = driven.clock.now().checked_sub(60 * SECOND) else { return };
    driven.timing.record_since(driven.metrics.stamp_at(early));
    assert_eq!(driven.recorded(), (1, 60_000_000_000));
}

/// Ticks are due every 10 ms, and the loop stalls at times. Measured from the time at which they
/// were due, all the ticks that waited are slow, as in the sorted list of the delays.
#[test]
fn a_stall_shows_in_every_tick_that_waited_for_it() {
    const TICKS: u32 = 1_000;
    let mut random = fastrand::Rng::with_seed(7);
    for driven in [driven(), Driven::with_counter()] {
        let Driven { metrics, clock, mock, .. } = &driven;
        let by_turn = metrics.register_timing("by.turn");
        let begin = clock.now();
        let mut delays = Vec::new();
        for tick in 0..TICKS {
            let due = begin + tick * 10 * MS;
            // Asleep until it is due, if it is not late already.
            mock.advance(due.saturating_duration_since(clock.now()));
            let start = metrics.now();
            let stall = if tick % 250 == 100 { 400 } else { 1 };
            mock.advance(stall * MS + NS * random.u32(0..500_000));
            by_turn.record_since(start);
            driven.timing.record_since(metrics.stamp_at(due));
            delays.push(clock.now() - due);
        }
        delays.sort();
        let stats = metrics.get_timing("t").expect("registered");
        assert_eq!(stats.count, u64::from(TICKS));
        for (q, told) in
            [(0.5, stats.p50), (0.9, stats.p90), (0.99, stats.p99), (0.999, stats.p999)]
        {
            let rank = (q * f64::from(TICKS)).ceil() as usize;
            let exact = delays[rank - 1].as_secs_f64();
            let told = told.expect("recorded");
            assert!((told - exact).abs() <= exact / 1_000.0, "{q}: {told}, not {exact}");
        }
        assert_eq!(stats.max, delays.last().map(Duration::as_secs_f64));
        // Measured from when they were handled, nearly none is slow.
        let turns = metrics.get_timing("by.turn").and_then(|stats| stats.p99).expect("recorded");
        assert!(turns < 0.002 && stats.p90 > Some(0.05), "{turns}, {:?}", stats.p90);
    }
}
