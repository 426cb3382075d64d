//! Polled by hand, with a mock clock: exact to the nanosecond.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tachograph::{Clock, MetricsCollector, MockClock, TimingStats};
use tachograph_loop::{FutureMetrics, Instrument, Instrumented};

use crate::{Counting, by_outcome, of_task, outcomes};

/// What a poll does after it has taken some nanoseconds.
#[derive(Clone, Copy)]
enum End {
    Pending,
    Ready(Result<(), ()>),
    Panic,
}

/// A future by its script; leaves its waker with the test.
struct Script {
    polls: VecDeque<(u64, End)>,
    clock: MockClock,
    waker: Rc<RefCell<Waker>>,
}

impl Future for Script {
    type Output = Result<(), ()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.waker.borrow_mut().clone_from(context.waker());
        let (nanos, end) = self.polls.pop_front().expect("it is not polled after its end");
        self.clock.advance(Duration::from_nanos(nanos));
        match end {
            End::Pending => Poll::Pending,
            End::Ready(result) => Poll::Ready(result),
            End::Panic => std::panic::resume_unwind(Box::new("a script")),
        }
    }
}

struct Bed {
    metrics: MetricsCollector,
    clock: MockClock,
    series: FutureMetrics,
    /// The executor's.
    own: Waker,
    /// The waker of the last poll.
    waker: Rc<RefCell<Waker>>,
}

impl Bed {
    fn new() -> Self {
        let (clock, mock) = Clock::mock();
        let metrics = MetricsCollector::builder().clock(clock).build();
        let series = FutureMetrics::new(&metrics, "t");
        let own = Counting::new().1;
        let waker = Rc::new(RefCell::new(own.clone()));
        Self { metrics, clock: mock, series, own, waker }
    }

    fn pass(&self, nanos: u64) {
        self.clock.advance(Duration::from_nanos(nanos));
    }

    fn wake(&self) {
        self.waker.borrow().wake_by_ref();
    }

    fn future(&self, polls: &[(u64, End)]) -> Pin<Box<Instrumented<Script>>> {
        let (clock, waker) = (self.clock.clone(), Rc::clone(&self.waker));
        let script = Script { polls: polls.iter().copied().collect(), clock, waker };
        Box::pin(script.instrument_result(&self.series))
    }

    fn poll(&self, future: &mut Pin<Box<Instrumented<Script>>>) {
        let mut context = Context::from_waker(&self.own);
        // Err: a script's panic.
        let _ = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
    }
}

/// The sum in nanoseconds, or in polls.
fn sum(stats: &TimingStats) -> u128 {
    stats.buckets().sum()
}

#[test]
fn each_outcome_has_its_busy_and_waiting_time_and_polls() {
    let ends = [
        ("ok", Some(End::Ready(Ok(())))),
        ("error", Some(End::Ready(Err(())))),
        ("cancelled", None),
        ("panicked", Some(End::Panic)),
    ];
    for (i, (outcome, end)) in ends.into_iter().enumerate() {
        let bed = Bed::new();
        let script = [(10, End::Pending), (20, end.unwrap_or(End::Pending))];
        let mut future = bed.future(&script);
        bed.pass(1);
        bed.poll(&mut future);
        bed.pass(100);
        bed.wake();
        bed.pass(1_000);
        bed.poll(&mut future);
        // A future that has ended is not waiting; a cancelled one waits until then.
        bed.pass(if end.is_none() { 10_000 } else { 0 });
        drop(future);

        let mut expected = [0; 4];
        expected[i] = 1;
        assert_eq!(outcomes(&bed.metrics), expected, "{outcome}");
        let of = |name| sum(&by_outcome(&bed.metrics, name, outcome));
        assert_eq!(of("task.busy.duration"), 30, "{outcome}");
        let waited = if end.is_none() { 11_101 } else { 1_101 };
        assert_eq!(of("task.waiting.duration"), waited, "{outcome}");
        // A poll that panics is no poll that ended, but its time is busy.
        assert_eq!(of("task.polls"), if i == 3 { 1 } else { 2 }, "{outcome}");
        let delay = of_task(&bed.metrics, "task.wake_to_poll.delay");
        assert_eq!((sum(&delay), delay.count), (1_001, 2), "{outcome}");
    }
}

#[test]
fn the_first_of_many_wakes_counts_and_a_poll_without_one_has_no_delay() {
    let bed = Bed::new();
    let mut future = bed.future(&[(0, End::Pending); 3]);
    bed.poll(&mut future);
    for _ in 0..5 {
        bed.wake();
        bed.pass(7);
    }
    bed.poll(&mut future);
    bed.pass(1_000);
    bed.poll(&mut future);
    let delay = of_task(&bed.metrics, "task.wake_to_poll.delay");
    assert_eq!((sum(&delay), delay.count), (35, 2), "the spawn, and one wake");
    assert_eq!(of_task(&bed.metrics, "task.poll.duration").count, 3);
}

#[test]
fn a_wake_during_a_poll_belongs_to_the_next_one() {
    let bed = Bed::new();
    let waker = Rc::clone(&bed.waker);
    let mut polls = 0;
    let yields = std::future::poll_fn(|context| {
        polls += 1;
        waker.borrow_mut().clone_from(context.waker());
        bed.pass(3);
        context.waker().wake_by_ref();
        bed.pass(4);
        if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
    });
    let mut future = Box::pin(yields.instrument(&bed.series));
    for _ in 0..2 {
        let _ = future.as_mut().poll(&mut Context::from_waker(&bed.own));
        bed.pass(50);
    }
    drop(future);
    let delay = of_task(&bed.metrics, "task.wake_to_poll.delay");
    assert_eq!((sum(&delay), delay.count), (54, 2));
    assert_eq!(outcomes(&bed.metrics), [1, 0, 0, 0]);
}

#[test]
fn a_future_that_is_never_polled_was_cancelled() {
    let bed = Bed::new();
    let future = bed.future(&[]);
    bed.pass(9);
    drop(future);
    assert_eq!(outcomes(&bed.metrics), [0, 0, 1, 0]);
    assert_eq!(sum(&by_outcome(&bed.metrics, "task.waiting.duration", "cancelled")), 9);
}

#[test]
fn switched_off_nothing_is_recorded_and_the_waker_is_the_executors_own() {
    let bed = Bed::new();
    bed.metrics.set_enabled(false);
    let mut future = bed.future(&[(5, End::Pending), (5, End::Ready(Ok(())))]);
    bed.poll(&mut future);
    assert!(bed.waker.borrow().will_wake(&bed.own));
    bed.metrics.set_enabled(true);
    bed.poll(&mut future);
    drop(future);
    assert_eq!(outcomes(&bed.metrics), [0; 4]);
    assert_eq!(of_task(&bed.metrics, "task.poll.duration").count, 0);

    let mut future = bed.future(&[(5, End::Pending), (5, End::Ready(Ok(())))]);
    bed.poll(&mut future);
    bed.metrics.set_enabled(false);
    bed.poll(&mut future);
    bed.metrics.set_enabled(true);
    drop(future);
    assert_eq!(outcomes(&bed.metrics), [0; 4], "its end was not seen");
    assert_eq!(of_task(&bed.metrics, "task.poll.duration").count, 1);
}
