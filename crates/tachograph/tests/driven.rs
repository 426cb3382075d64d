//! Loops that drive a collector themselves, values that are asked for, totals of other sources.
#![cfg(feature = "record")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tachograph::{Budget, Clock, MetricsCollector, Recorder, Value, Warning};

fn manual() -> MetricsCollector {
    MetricsCollector::builder().manual().build()
}

/// The published value of a gauge or counter.
fn published(metrics: &MetricsCollector, name: &str) -> Option<f64> {
    match &metrics.snapshot().find(name, &[])?.value {
        Value::Gauge(views) => views.lifetime.current,
        Value::Counter(views) => Some(views.lifetime.value as f64),
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn a_drain_stops_at_its_budget_and_says_what_is_left() {
    let (clock, time) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock).build();
    let timing = metrics.register_timing("t");
    (0..2_000).for_each(|nanos| timing.record_ns(nanos));
    let drain = |budget: Budget| {
        let drained = metrics.drain(budget).expect("nobody else reads");
        (drained.samples, drained.left, drained.wait.is_zero())
    };
    assert_eq!(drain(Budget::samples(0)), (0, 2_000, true));
    assert_eq!(drain(Budget::time(Duration::ZERO)), (0, 2_000, true));
    // A block has 512 samples.
    assert_eq!(drain(Budget::samples(1)), (512, 1_488, true));
    assert_eq!(drain(Budget::UNLIMITED.and_samples(513)), (1_024, 464, true));
    time.advance(Duration::from_millis(5));
    // The mock's time stands still meanwhile.
    assert_eq!(drain(Duration::from_nanos(1).into()), (464, 0, false));
    assert_eq!(drain(Budget::UNLIMITED), (0, 0, false));
    assert_eq!(metrics.snapshot().version(), 1, "nothing was published");
    assert_eq!(metrics.get_timing("t").map(|timing| timing.count), Some(2_000));
}

#[test]
fn a_busy_thread_does_not_keep_the_samples_of_another_waiting() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    let (busy, quiet) = (metrics.recorder(), metrics.recorder());
    (0..1_536).for_each(|nanos| busy.record_ns(&timing, nanos));
    (0..100).for_each(|nanos| quiet.record_ns(&timing, nanos));
    let drained = [(); 4].map(|()| {
        let drained = metrics.drain(Budget::samples(1)).expect("nobody else reads");
        (drained.samples, drained.left)
    });
    assert_eq!(drained, [(512, 1_124), (100, 1_024), (512, 512), (512, 0)]);
}

#[test]
fn threads_take_turns_where_a_budget_ends_with_a_lane() {
    let metrics = manual();
    let timing = metrics.register_timing("t");
    let (busy, quiet) = (metrics.recorder(), metrics.recorder());
    let record = |recorder: &Recorder, samples| {
        (0..samples).for_each(|nanos| recorder.record_ns(&timing, nanos));
    };
    let drain = || {
        let drained = metrics.drain(Budget::samples(512)).expect("nobody else reads");
        (drained.samples, drained.left)
    };
    record(&busy, 512);
    record(&quiet, 100);
    assert_eq!(drain(), (512, 100));
    record(&busy, 512);
    assert_eq!(drain(), (612, 0), "first of the quiet one");
}

#[test]
fn publish_tells_everything_at_the_time_of_the_clock() {
    let (clock, time) = Clock::mock();
    let metrics = MetricsCollector::builder().manual().clock(clock).build();
    metrics.increment("c");
    metrics.gauge("g", 4.5);
    metrics.timing("t", Duration::from_millis(3));
    assert_eq!(published(&metrics, "c"), None);
    time.advance(Duration::from_secs(7));
    assert!(metrics.publish() <= Duration::from_millis(100));
    assert_eq!((published(&metrics, "c"), published(&metrics, "g")), (Some(1.0), Some(4.5)));
    let snapshot = metrics.snapshot();
    assert_eq!((snapshot.version(), snapshot.uptime()), (2, Duration::from_secs(7)));
    let timing = snapshot.find("t", &[]).and_then(|series| series.value.as_timing());
    assert_eq!(timing.map(|views| (views.lifetime.count, views.lifetime.sum)), Some((1, 0.003)));
}

#[test]
fn what_a_callback_records_is_in_the_snapshot_that_follows() {
    let metrics = manual();
    let depth = Arc::new(AtomicU64::new(3));
    let asked = Arc::clone(&depth);
    metrics.on_publish(move |metrics| {
        let depth = asked.load(Ordering::Relaxed);
        metrics.gauge("depth", depth as f64);
        // All of these take locks of the collector, and the last one makes a pass.
        metrics.register_counter("asked").increment();
        metrics.with_tags(&[("n", "1")]).timing("t", Duration::from_nanos(depth));
        metrics.get_all_metrics();
        metrics.publish();
    });
    metrics.publish();
    assert_eq!(
        (published(&metrics, "depth"), published(&metrics, "asked")),
        (Some(3.0), Some(1.0))
    );
    depth.store(8, Ordering::Relaxed);
    metrics.publish();
    assert_eq!(
        (published(&metrics, "depth"), published(&metrics, "asked")),
        (Some(8.0), Some(2.0))
    );
    // Off, nothing is asked for; and at the end once more.
    metrics.set_enabled(false);
    metrics.publish();
    assert_eq!(published(&metrics, "asked"), Some(2.0));
    metrics.set_enabled(true);
    depth.store(9, Ordering::Relaxed);
    metrics.shutdown(Duration::from_secs(1));
    assert_eq!(
        (published(&metrics, "depth"), published(&metrics, "asked")),
        (Some(9.0), Some(3.0))
    );
}

#[test]
fn a_panic_of_a_callback_is_counted_and_told_once() {
    let (told, warnings) = mpsc::channel();
    let metrics = MetricsCollector::builder()
        .manual()
        .on_warning(move |warning| {
            told.send(warning.clone()).expect("the test listens");
            panic!("in the warning's callback");
        })
        .build();
    metrics.on_publish(|_| panic!("in the first callback"));
    metrics.on_publish(|metrics| metrics.increment("second"));
    for _ in 0..3 {
        metrics.publish();
    }
    assert_eq!(published(&metrics, "second"), Some(3.0));
    assert_eq!(warnings.try_iter().collect::<Vec<_>>(), [Warning::CallbackPanicked]);
    metrics.publish();
    // Four of one callback, and one of the other.
    assert_eq!(published(&metrics, "telemetry.callback_panics"), Some(5.0));
    assert_eq!(published(&metrics, "telemetry.panics"), Some(0.0));
}

#[test]
fn a_callback_that_publishes_another_collector_has_its_callbacks_called() {
    let [outer, inner] = [manual(), manual()];
    let publishes = |of: &MetricsCollector, other: &MetricsCollector| {
        let other = other.clone();
        of.on_publish(move |metrics| {
            metrics.increment("asked");
            other.publish();
        });
    };
    // Each inside the other's: it ends with the one that is under way.
    publishes(&outer, &inner);
    publishes(&inner, &outer);
    outer.publish();
    let asked = |metrics| published(metrics, "asked");
    assert_eq!((asked(&outer), asked(&inner)), (Some(1.0), Some(1.0)));
    inner.publish();
    assert_eq!((asked(&outer), asked(&inner)), (Some(2.0), Some(2.0)));
}

#[test]
fn the_background_thread_asks_too_and_a_callback_keeps_no_collector_alive() {
    let (called, calls) = mpsc::channel();
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(1)).build();
    metrics.on_publish(move |metrics| {
        metrics.increment("asked");
        let _ = called.send(thread::current().id());
    });
    assert_ne!(calls.recv(), Ok(thread::current().id()));
    drop(metrics);
    // The callback, and the sender in it, is gone with the collector.
    let next = || calls.recv_timeout(Duration::from_secs(60));
    let ended = std::iter::repeat_with(next).find_map(Result::err);
    assert_eq!(ended, Some(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_pass_takes_no_longer_because_of_a_callback() {
    let (told, took) = mpsc::channel();
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(1)).build();
    metrics.on_publish(move |_| {
        let started = Instant::now();
        thread::sleep(Duration::from_millis(20));
        let _ = told.send(started.elapsed());
    });
    let shortest = took.iter().take(8).min().expect("eight of them");
    // Each of these passes came after one of those callbacks; of some the machine was busy.
    let passes = metrics.get_timing("telemetry.pass.duration").expect("the collector's own");
    assert!(passes.count >= 5 && passes.min < Some(shortest.as_secs_f64()), "{passes:?}");
}

#[test]
fn a_total_counts_as_its_gain_whoever_tells_it() {
    const THREADS: u64 = 8;
    let metrics = manual();
    let counter = metrics.register_counter("nic.packets");
    let start = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (metrics, start) = (&metrics, &start);
            scope.spawn(move || {
                // A handle of its own, registered again.
                let counter = metrics.register_counter("nic.packets");
                let recorder = metrics.recorder();
                start.wait();
                for step in 0..10_000 {
                    let total = step * THREADS + thread;
                    match thread % 2 {
                        0 => counter.advance_to(total),
                        _ => recorder.advance_to(&counter, total),
                    }
                }
            });
        }
    });
    let value = || metrics.get_counter("nic.packets").map(|counter| counter.value);
    assert_eq!(value(), Some(79_999));
    counter.advance_to(5);
    assert_eq!(value(), Some(79_999));
    // Off, the total stays where it was, and what comes then catches up.
    metrics.set_enabled(false);
    counter.advance_to(80_010);
    metrics.set_enabled(true);
    assert_eq!(value(), Some(79_999));
    counter.advance_to(80_020);
    assert_eq!(value(), Some(80_020));
    metrics.reset_counters();
    counter.advance_to(80_023);
    assert_eq!(value(), Some(3));
    let report = metrics.shutdown(Duration::from_secs(1));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
}
