//! Counting from a signal handler that may have interrupted anything. A test of its own process,
//! for its handler.
#![allow(unsafe_code, reason = "a signal handler")]
#![cfg(all(unix, feature = "record"))]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use tachograph::{Counter, Lazy, MetricsCollector};

static COUNTER: OnceLock<Counter> = OnceLock::new();
static UNUSED: Lazy<Counter> = Lazy::new("unused");
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Signals that the handler is to see at least.
const SIGNALS: u64 = 20_000;

extern "C" fn handle(_signal: i32) {
    if let Some(counter) = COUNTER.get() {
        counter.increment_from_signal();
        HANDLED.fetch_add(1, Ordering::Relaxed);
    }
}

fn install() {
    let action = SigAction::new(SigHandler::Handler(handle), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing but loads and atomic additions, all async-signal-safe.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("a valid action");
}

/// Everything that a handler may interrupt, limits and refusals included, by the number of the
/// round.
fn record(metrics: &MetricsCollector, counter: &Counter, round: u64) {
    let name = format!("new.{}", round % 5_000);
    metrics.increment(&name);
    metrics.with_tags(&[("round", &name)]).timing("tagged", Duration::from_nanos(round));
    counter.increment();
    metrics.register_timing(&name.replace("new", "timing")).record_ns(round);
    if round.is_multiple_of(64) {
        metrics.get_counter("signals");
        drop(metrics.recorder());
        thread::scope(|scope| scope.spawn(|| counter.increment()).join()).expect("no panic");
    }
}

/// Records until the handler has run often enough; says how often the counter was incremented
/// beside the handler.
fn work(metrics: &MetricsCollector, counter: &Counter) -> u64 {
    let mut round = 0;
    while HANDLED.load(Ordering::Relaxed) < SIGNALS {
        record(metrics, counter, round);
        round += 1;
    }
    round + round.div_ceil(64)
}

#[test]
fn a_handler_counts_exactly_whatever_it_has_interrupted() {
    let metrics = MetricsCollector::new();
    let counter = COUNTER.get_or_init(|| metrics.register_counter("signals"));
    install();
    let (results, done) = mpsc::channel();
    let worker_metrics = metrics.clone();
    let worker = thread::spawn(move || {
        results.send((Some(pthread_self()), 0)).expect("the test waits");
        let own = work(&worker_metrics, counter);
        results.send((None, own)).expect("the test waits");
        // Alive until the test has sent its last signal.
        thread::park();
    });
    let (target, _) = done.recv().expect("the worker runs");
    let target = target.expect("the first message");
    let mut rounds = 0;
    let own = loop {
        pthread_kill(target, Signal::SIGUSR1).expect("the worker is alive");
        if let Ok((_, own)) = done.recv_timeout(Duration::from_micros(20)) {
            break own;
        }
        rounds += 1;
        assert!(rounds < 1_000_000, "the worker hangs after {HANDLED:?} signals");
    };
    worker.thread().unpark();
    worker.join().expect("no panic");
    let handled = HANDLED.load(Ordering::Relaxed);
    let total = metrics.get_counter("signals").map(|stats| stats.value);
    assert_eq!(total, Some(i128::from(handled + own)));

    // As every record: nothing while it is off, counted drops after the end.
    metrics.set_enabled(false);
    counter.increment_from_signal();
    metrics.set_enabled(true);
    assert_eq!(metrics.get_counter("signals").map(|stats| stats.value), total);
    metrics.reset();
    assert_eq!(metrics.get_counter("signals").map(|stats| stats.value), Some(0));
    counter.increment_from_signal();
    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    counter.increment_from_signal();
    let again = metrics.shutdown(Duration::from_secs(10));
    assert_eq!((again.aggregated, again.dropped), (report.aggregated, report.dropped + 1));
    assert_eq!(metrics.get_counter("signals").map(|stats| stats.value), Some(1));
}

#[test]
fn a_static_counter_that_was_never_used_counts_the_signal_as_dropped() {
    UNUSED.increment_from_signal();
    let metrics = tachograph::global();
    assert_eq!(metrics.get_counter("telemetry.recorded").map(|stats| stats.value), Some(0));
    UNUSED.increment_from_signal();
    assert_eq!(metrics.shutdown(Duration::from_secs(10)).dropped, 1);
}

#[test]
fn a_refused_counter_drops_what_signals_count() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.timing("x", Duration::ZERO);
    let refused = metrics.register_counter("x");
    refused.increment_from_signal();
    let report = metrics.shutdown(Duration::from_secs(1));
    assert_eq!((report.recorded, report.aggregated, report.dropped), (2, 1, 1));
}
