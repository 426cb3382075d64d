//! The wrapped waker does what the executor's does.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use tachograph::MetricsCollector;
use tachograph_loop::{FutureMetrics, Instrument, Instrumented};

use crate::{Counting, of_task, outcomes};

type Kept = Arc<Mutex<Vec<Waker>>>;

/// A future that keeps the waker of each poll, and is ready at the last of them.
fn keeping(polls: usize, series: &FutureMetrics) -> (Kept, Instrumented<impl Future<Output = ()>>) {
    let kept = Kept::default();
    let inside = Arc::clone(&kept);
    let future = std::future::poll_fn(move |context: &mut Context<'_>| {
        let mut kept = inside.lock().expect("no panic");
        kept.push(context.waker().clone());
        if kept.len() < polls { Poll::Pending } else { Poll::Ready(()) }
    });
    (kept, future.instrument(series))
}

fn series() -> (MetricsCollector, FutureMetrics) {
    let metrics = MetricsCollector::new();
    let series = FutureMetrics::new(&metrics, "t");
    (metrics, series)
}

#[test]
fn every_wake_reaches_the_executor_also_from_clones_and_after_the_end() {
    let (_metrics, series) = series();
    let (kept, future) = keeping(2, &series);
    let mut future = pin!(future);
    let (counting, waker) = Counting::new();
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(counting.wakes(), 0);

    let first = kept.lock().expect("no panic")[0].clone();
    first.wake_by_ref();
    first.wake_by_ref();
    let clone = first.clone();
    clone.wake();
    assert_eq!(counting.wakes(), 3, "no wake is swallowed, though one would do");
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    first.wake_by_ref();
    assert_eq!(counting.wakes(), 4, "after its end");
    kept.lock().expect("no panic").clear();
    first.wake();
    assert_eq!(counting.wakes(), 5);
    drop(waker);
    assert_eq!(Arc::strong_count(&counting), 1, "nothing keeps the executor's waker");
}

#[test]
fn polls_of_one_task_see_one_waker_and_another_task_sees_another() {
    let (_metrics, series) = series();
    let (kept, future) = keeping(4, &series);
    let mut future = pin!(future);
    let (one, one_waker) = Counting::new();
    let (two, two_waker) = Counting::new();
    for waker in [&one_waker, &one_waker, &two_waker, &one_waker] {
        let _ = future.as_mut().poll(&mut Context::from_waker(waker));
    }
    let kept = kept.lock().expect("no panic");
    assert!(kept[0].will_wake(&kept[1]), "a future may keep what it has");
    assert!(!kept[1].will_wake(&kept[2]), "a future has to take the new one");
    assert!(!kept[2].will_wake(&kept[3]));
    // Those of each task still wake that one, as without instruments.
    kept.iter().for_each(Waker::wake_by_ref);
    assert_eq!((one.wakes(), two.wakes()), (3, 1));
}

#[test]
fn eight_threads_wake_at_once_and_none_is_lost() {
    const ROUNDS: usize = 500;
    const THREADS: usize = 8;
    let (metrics, series) = series();
    let (counting, waker) = Counting::new();
    let woken = AtomicUsize::new(0);
    for _ in 0..ROUNDS {
        let (kept, future) = keeping(2, &series);
        let mut future = pin!(future);
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let inside = kept.lock().expect("no panic")[0].clone();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (inside, woken) = (inside.clone(), &woken);
                scope.spawn(move || {
                    inside.wake();
                    woken.fetch_add(1, Ordering::Relaxed);
                });
            }
            // Polls while they wake: it is ready whatever they have done by then.
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        });
    }
    assert_eq!(counting.wakes() as usize, ROUNDS * THREADS);
    assert_eq!(outcomes(&metrics), [ROUNDS as u64, 0, 0, 0]);
    assert!(of_task(&metrics, "task.wake_to_poll.delay").count <= 2 * ROUNDS as u64);
}
