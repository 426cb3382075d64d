//! On executors: they end as without, and the counts are right.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tachograph::MetricsCollector;
use tachograph_loop::{FutureMetrics, Instrument};
use tokio::runtime::{Builder, Runtime};

use crate::{of_task, outcomes};

/// Of each kind.
const TASKS: u64 = 200;

/// Yields some times; each time a thread of its own or the task itself wakes it.
async fn yields(times: u64) -> u64 {
    for i in 0..times {
        let mut is_woken = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut is_woken, true) {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            if i % 16 == 0 {
                thread::spawn(move || waker.wake());
            } else {
                waker.wake();
            }
            Poll::Pending
        })
        .await;
    }
    times
}

fn series() -> (MetricsCollector, FutureMetrics) {
    let metrics = MetricsCollector::new();
    let series = FutureMetrics::new(&metrics, "t");
    (metrics, series)
}

/// Every poll but the first follows one wake of its own.
fn assert_all_ok(metrics: &MetricsCollector, tasks: u64, yields: u64) {
    assert_eq!(outcomes(metrics), [tasks, 0, 0, 0]);
    assert_eq!(of_task(metrics, "task.poll.duration").count, tasks + yields);
    assert_eq!(of_task(metrics, "task.wake_to_poll.delay").count, tasks + yields);
}

fn on_tokio(runtime: &Runtime) {
    let (metrics, series) = series();
    let sum = runtime.block_on(async {
        let spawn = |i| tokio::spawn(yields(i % 40).instrument(&series));
        let tasks: Vec<_> = (0..TASKS).map(spawn).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("no panic");
        }
        sum
    });
    assert_eq!(sum, (0..TASKS).map(|i| i % 40).sum());
    assert_all_ok(&metrics, TASKS, sum);
}

#[test]
fn on_tokio_with_one_thread_and_with_many() {
    on_tokio(&Builder::new_current_thread().build().expect("a runtime"));
    on_tokio(&Builder::new_multi_thread().worker_threads(4).build().expect("a runtime"));
}

/// Wakes a thread that is parked.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The least that an executor can be.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

#[test]
fn on_a_parked_thread_and_inside_futures_unordered() {
    let (metrics, series) = series();
    let (sum, all) = block_on(async {
        let sum = yields(40).instrument(&series).await;
        // An executor within a future: it gives each of them a waker of its own.
        let all: FuturesUnordered<_> =
            (0..TASKS).map(|i| yields(i % 40).instrument(&series)).collect();
        (sum, all.fold(0, |sum, times| async move { sum + times }).await)
    });
    assert_eq!((sum, all), (40, (0..TASKS).map(|i| i % 40).sum()));
    // The first is polled again whenever its thread is unparked, also without a wake of its own.
    assert_eq!(outcomes(&metrics), [TASKS + 1, 0, 0, 0]);
    assert_eq!(of_task(&metrics, "task.wake_to_poll.delay").count, TASKS + 1 + sum + all);
}

#[test]
fn cancelled_failed_and_panicked_tasks_of_tokio_are_told_apart() {
    let (metrics, series) = series();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.expect("a runtime").block_on(async {
        for i in 0..TASKS {
            let aborted = tokio::spawn(std::future::pending::<()>().instrument(&series));
            if i % 2 == 0 {
                tokio::task::yield_now().await;
            }
            aborted.abort();
            assert!(aborted.await.is_err_and(|error| error.is_cancelled()));

            let fails = async { Err::<(), _>("no") }.instrument_result(&series);
            assert_eq!(tokio::spawn(fails).await.expect("no panic"), Err("no"));

            let panics = async { std::panic::resume_unwind(Box::new("a task")) };
            let panicked = tokio::spawn(panics.instrument(&series)).await;
            assert!(panicked.is_err_and(|error: tokio::task::JoinError| error.is_panic()));

            let late = tokio::time::sleep(Duration::from_secs(3_600)).instrument(&series);
            let timeout = tokio::time::timeout(Duration::from_nanos(1), late);
            assert!(timeout.await.is_err());
        }
    });
    assert_eq!(outcomes(&metrics), [0, TASKS, 2 * TASKS, TASKS]);
}
