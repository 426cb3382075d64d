//! Polls that block their thread, on tokio.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_loop::{FutureMetrics, Instrument, Stall, StallDetector};
use tokio::runtime::Builder;

use crate::outcomes;

/// Longer than a busy machine takes a core from a thread.
const THRESHOLD: Duration = Duration::from_millis(300);

fn bed() -> (MetricsCollector, FutureMetrics, StallDetector, Receiver<Stall>) {
    let metrics = MetricsCollector::new();
    let (sender, reports) = channel();
    let sender = Mutex::new(sender);
    let detector = StallDetector::builder()
        .threshold(THRESHOLD)
        .reports_per_minute(1_000)
        // Err: the test has seen enough.
        .on_stall(move |stall| _ = sender.lock().expect("no panic").send(stall.clone()))
        .start(&metrics)
        .expect("a thread and a free signal");
    let series = FutureMetrics::new(&metrics, "t").watched_by(&detector);
    (metrics, series, detector, reports)
}

/// Keeps the thread until a report has come.
fn block(reports: &Receiver<Stall>) -> Stall {
    reports.recv_timeout(Duration::from_secs(60)).expect("a report of the poll that waits here")
}

#[test]
fn a_poll_that_blocks_is_told_while_it_does_and_a_wait_is_no_stall() {
    let (metrics, series, detector, reports) = bed();
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (told, reports) = runtime.block_on(async {
        // A task that waits for long does not keep its thread.
        let waits = tokio::time::sleep(2 * THRESHOLD).instrument(&series);
        waits.await;
        assert_eq!(detector.stalls(), 0);
        let blocks = async move {
            tokio::task::yield_now().await;
            let told = block(&reports);
            (told, reports)
        };
        tokio::spawn(blocks.instrument(&series)).await.expect("no panic")
    });
    assert_eq!((&*told.name, told.report, detector.stalls()), ("t", 1, 1));
    let stalls = metrics.with_tags(&[("loop", "t")]).get_timing("loop.stall.duration");
    let stalls = stalls.expect("the first poll registers it");
    assert_eq!(stalls.count, 1);
    assert!(stalls.max >= Some(0.99 * THRESHOLD.as_secs_f64()));
    assert_eq!(outcomes(&metrics), [2, 0, 0, 0]);
    drop(reports);
}

#[test]
fn a_future_within_another_is_part_of_its_poll_and_a_panic_ends_both() {
    let (metrics, series, detector, reports) = bed();
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let inner = series.clone();
    let blocks = async move {
        async {}.instrument(&inner).await;
        // The outer poll goes on after the inner one's end, and is still watched.
        block(&reports);
        std::panic::resume_unwind(Box::new("a task"))
    };
    let task: tokio::task::JoinHandle<()> = runtime.spawn(blocks.instrument(&series));
    let panicked = runtime.block_on(task);
    assert!(panicked.is_err_and(|error| error.is_panic()));
    assert_eq!(detector.stalls(), 1);
    assert_eq!(outcomes(&metrics), [1, 0, 0, 1]);
    // Nothing is polled any more: however long it waits, the watcher sees no stall.
    drop(runtime);
    std::thread::sleep(2 * THRESHOLD);
    assert_eq!(detector.stalls(), 1);
}
