//! Timers of every sort and ending, on the monotonic clock, the time-stamp counter and a mock.

use std::time::{Duration, Instant};

use tachograph::{Clock, MetricsCollector, Recorder, Timing};

use crate::{count, exact, manual, nonblocking};

/// Samples that one call of [`every_timer`] records.
const RECORDS: u64 = 11;

/// Starts each sort of timer three times: to drop, to stop, to discard after a look at it.
/// `by.name` gets 3 of the records, the handle's series the rest.
fn every_timer(metrics: &MetricsCollector, recorder: &Recorder, timing: &Timing) {
    drop((timing.start(), recorder.start(timing)));
    drop(metrics.timer("by.name"));
    timing.start().stop();
    recorder.start(timing).stop();
    metrics.timer("by.name").stop();
    drop(metrics.with_tags(&[("a", "b")]).timer("by.name"));
    let (borrowed, of_recorder) = (timing.start(), recorder.start(timing));
    let by_name = metrics.timer("by.name");
    assert!(borrowed.elapsed().is_some() && of_recorder.elapsed().is_some());
    assert!(by_name.elapsed().is_some());
    borrowed.discard();
    of_recorder.discard();
    by_name.discard();
    let start = metrics.now();
    let second = timing.record_since(start);
    timing.record_between(start, recorder.record_since(timing, second));
    recorder.record_between(timing, metrics.stamp_at(Instant::now()), recorder.now());
}

fn check_counts(metrics: &MetricsCollector, rounds: u64) {
    let tagged = metrics.with_tags(&[("a", "b")]).get_timing("by.name");
    let counts = [metrics.get_timing("t"), metrics.get_timing("by.name"), tagged];
    assert_eq!(counts.map(|stats| exact(stats).0), [8 * rounds, 2 * rounds, rounds]);
    assert_eq!(count(metrics, "telemetry.recorded"), i128::from(RECORDS * rounds));
    assert_eq!(count(metrics, "telemetry.clock.anomalies"), 0);
}

#[test]
fn on_the_monotonic_clock() {
    // Only a background thread calibrates the time-stamp counter.
    let metrics = manual();
    let (timing, recorder) = (metrics.register_timing("t"), metrics.recorder());
    every_timer(&metrics, &recorder, &timing);
    nonblocking(|| (0..100).for_each(|_| every_timer(&metrics, &recorder, &timing)));
    check_counts(&metrics, 101);
}

#[test]
fn while_the_time_stamp_counter_is_calibrated_and_after_it() {
    let metrics = MetricsCollector::new();
    let (timing, recorder) = (metrics.register_timing("t"), metrics.recorder());
    every_timer(&metrics, &recorder, &timing);
    let (begun, mut rounds) = (Instant::now(), 1);
    // Calibration takes up to 200 ms, once a process.
    nonblocking(|| {
        while begun.elapsed() < Duration::from_millis(500) {
            every_timer(&metrics, &recorder, &timing);
            rounds += 1;
        }
    });
    check_counts(&metrics, rounds);
}

#[test]
fn on_a_time_stamp_counter_that_is_trusted_and_then_is_not() {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock.clone()).build();
    let (timing, recorder) = (metrics.register_timing("t"), metrics.recorder());
    mock.add_tsc();
    every_timer(&metrics, &recorder, &timing);
    let turn = |tsc: Duration| {
        // Passes compare the clocks, which decides the one that timers read.
        mock.advance(Duration::from_secs(1));
        mock.advance_tsc(tsc);
        metrics.run_pass(clock.now(), clock.wall());
        nonblocking(|| (0..100).for_each(|_| every_timer(&metrics, &recorder, &timing)));
    };
    (0..5).for_each(|_| turn(Duration::ZERO));
    turn(Duration::from_secs(60));
    (0..5).for_each(|_| turn(Duration::ZERO));
    assert_eq!(count(&metrics, "telemetry.recorded"), i128::from(RECORDS) * 1_101);
}

#[test]
fn when_time_runs_backwards() {
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock).build();
    let timing = metrics.register_timing("t");
    timing.record_ns(1);
    mock.advance(Duration::from_secs(60));
    nonblocking(|| {
        let timer = timing.start();
        mock.rewind(Duration::from_secs(5));
        assert_eq!(timer.stop(), Duration::ZERO);
    });
    assert_eq!(exact(metrics.get_timing("t")), (2, 1));
    assert_eq!(count(&metrics, "telemetry.clock.anomalies"), 1);
}

#[test]
fn a_timer_that_ends_on_another_thread() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    let timer = timing.start();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            timing.record_ns(0);
            nonblocking(|| drop(timer));
        });
    });
    assert_eq!(exact(metrics.get_timing("t")).0, 2);
}

#[test]
fn a_timer_across_the_switch() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    drop((timing.start(), metrics.timer("t")));
    let on = (timing.start(), metrics.timer("t"));
    metrics.set_enabled(false);
    nonblocking(|| drop(on));
    let off = (timing.start(), metrics.timer("t"));
    metrics.set_enabled(true);
    nonblocking(|| drop(off));
    assert_eq!(exact(metrics.get_timing("t")).0, 2);
}
