//! What allocates: a future's first poll, once. A test of its own process, for its allocator.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use tachograph::MetricsCollector;
use tachograph_loop::{FutureMetrics, Instrument, LoopMonitor, StallDetector};

/// The allocations that this thread makes meanwhile.
fn allocations(act: impl FnOnce()) -> u64 {
    measure(act).count_total
}

/// Ready at the last of some polls; wakes itself before.
fn yields(polls: u32) -> impl Future<Output = ()> {
    let mut left = polls;
    std::future::poll_fn(move |context| {
        left -= 1;
        context.waker().wake_by_ref();
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Does nothing; like an executor's, it is counted by its clones.
struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

fn run(waker: &Waker, future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    while future.as_mut().poll(&mut Context::from_waker(waker)).is_pending() {}
}

#[test]
fn a_future_allocates_once_and_a_poll_never() {
    let metrics = MetricsCollector::new();
    let series = FutureMetrics::new(&metrics, "t");
    let waker = &Waker::from(Arc::new(Idle));
    run(waker, yields(3).instrument(&series));
    for polls in [1, 2, 1_000] {
        assert_eq!(
            allocations(|| run(waker, yields(polls).instrument(&series))),
            1,
            "{polls} polls"
        );
    }
    let never_polled = allocations(|| drop(yields(1).instrument(&series)));
    assert_eq!(never_polled, 0);
    metrics.set_enabled(false);
    assert_eq!(allocations(|| run(waker, yields(9).instrument(&series))), 0, "switched off");
}

#[test]
fn a_turn_never_allocates() {
    let metrics = MetricsCollector::new();
    let detector = StallDetector::builder().threshold(Duration::from_secs(60)).start(&metrics);
    let detector = detector.expect("a thread and a free signal");
    let monitor = LoopMonitor::new(&metrics, "main").budget(Duration::ZERO);
    let mut monitor = monitor.watched_by(&detector);
    let deadline = Instant::now();
    let mut turns = |number| {
        for i in 0..number {
            let mut turn = monitor.turn();
            turn.events(i);
            turn.handler_starts();
            turn.lag(deadline);
            drop(turn);
            monitor.turn().idle();
        }
    };
    turns(1);
    assert_eq!(allocations(|| turns(10_000)), 0);
}
