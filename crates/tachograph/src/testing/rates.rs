//! The rates of a window while drains come between passes, as the background thread makes them.

use std::time::{Duration, Instant};

use crate::run::collector::MetricsCollector;
use crate::time::clock::Clock;

const SECOND: Duration = Duration::from_secs(1);

/// The rates of a counter, a timing and a gauge at every pass, over 15 s at a constant rate with a
/// window of six seconds, with passes at this interval and drains at the collector's pace. Also
/// returns the number of drains.
fn rates(per_second: u64, publish_every: Duration) -> (Vec<(Duration, [f64; 3])>, u32) {
    let (clock, hand) = Clock::mock();
    let builder = MetricsCollector::builder().manual().clock(clock.clone());
    let metrics = builder.window(6 * SECOND, 6).build();
    let (counter, timing) = (metrics.register_counter("c"), metrics.register_timing("t"));
    let gauge = metrics.register_gauge("g");
    let start = clock.now();
    let (mut sent, mut drains, mut told) = (0, 0, Vec::new());
    let (mut wait, mut publish_at) = (SECOND / 10, start + publish_every);
    while clock.now() < start + 15 * SECOND {
        let until_publish = publish_at.saturating_duration_since(clock.now());
        hand.advance(wait.min(until_publish));
        let due = since(start, &clock).as_nanos() * u128::from(per_second) / 1_000_000_000;
        (sent..due as u64).for_each(|n| {
            counter.increment();
            timing.record_ns(n);
            gauge.set(1.0);
        });
        sent = due as u64;
        if clock.now() < publish_at {
            drains += 1;
            wait = metrics.drain(crate::Budget::UNLIMITED).expect("nobody else reads").wait;
            continue;
        }
        publish_at += publish_every;
        wait = metrics.run_pass(clock.now(), clock.wall());
        let snapshot = metrics.snapshot();
        let find = |name| snapshot.find(name, &[]).expect("registered");
        let elapsed = |name| snapshot.window_elapsed_of(find(name));
        let window = |name| find(name).value.as_timing().and_then(|views| views.window.clone());
        let timing = window("t").expect("there are windows").rate(elapsed("t"));
        let counter = find("c").value.as_counter().and_then(|views| views.window);
        let counter = counter.expect("there are windows").rate(elapsed("c"));
        let gauge = find("g").value.as_gauge().and_then(|views| views.window);
        let gauge = gauge.expect("there are windows").count as f64 / elapsed("g").as_secs_f64();
        told.push((since(start, &clock), [counter, timing, gauge]));
    }
    (told, drains)
}

fn since(start: Instant, clock: &Clock) -> Duration {
    clock.now().saturating_duration_since(start)
}

#[test]
fn a_constant_rate_reads_as_it_is_while_drains_come_between_passes() {
    // Passes coincide with the ends of steps, and with any time between them.
    for publish_every in [100, 97, 333].map(Duration::from_millis) {
        for per_second in [3_000, 10_000] {
            let (told, drains) = rates(per_second, publish_every);
            assert!(
                drains > told.len() as u32 / 2,
                "{drains} drains between {} passes",
                told.len()
            );
            for (at, rates) in told.into_iter().filter(|(at, _)| *at >= SECOND) {
                for rate in rates {
                    let error = (rate / per_second as f64 - 1.0).abs();
                    assert!(error <= 0.01, "{rates:?} of {per_second}/s at {at:?}");
                }
            }
        }
    }
}
