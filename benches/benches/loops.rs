//! What do a loop's instruments cost a turn, and a future's a poll?
//!
//! Each is measured beside the same without, in turns. A real turn reads a byte from a socket and
//! writes one, as the shortest turn of a server does.

use std::cell::RefCell;
use std::future::pending;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime};

use benches::{
    Budgets, Case, Figures, Plan, SharedClock, Table, empty, every_record, measure, two_stamps,
};
use tachograph::MetricsCollector;
use tachograph_loop::{FutureMetrics, Instrument, LoopMonitor, StallDetector};

/// At most, for a poll; its wake reads the clock once more.
const POLL_NS: f64 = 50.0;

/// A turn reads the clock twice, records three samples and compares with its budget.
const TURN_OF_STAMPS: f64 = 3.0;

const SOCKET_TURN: f64 = 1.1;

/// A turn of a loop on a socket.
struct Sockets(RefCell<(UnixStream, UnixStream)>);

impl Sockets {
    fn new() -> Self {
        Self(RefCell::new(UnixStream::pair().expect("a pair of sockets")))
    }

    fn turn(&self) {
        let (here, there) = &mut *self.0.borrow_mut();
        there.write_all(b"x").expect("a byte is written");
        here.read_exact(&mut [0]).expect("and read");
    }
}

/// What happens between the start and the end of a monitored turn.
type Within = fn(&Sockets, &mut tachograph_loop::Turn<'_>);

struct Bed {
    metrics: MetricsCollector,
    detector: StallDetector,
}

impl Bed {
    fn new(clock: &SharedClock) -> Self {
        let metrics = MetricsCollector::builder().clock(clock.clock()).manual().build();
        let detector = StallDetector::builder().no_backtrace().start(&metrics);
        Self { metrics, detector: detector.expect("a thread starts") }
    }

    fn pass(&self) {
        self.metrics.run_pass(Instant::now(), SystemTime::now());
    }

    /// Monitored turns.
    fn turns(&self, name: &'static str, is_watched: bool, within: Within) -> Case<'_> {
        let monitor = move || {
            let monitor = LoopMonitor::new(&self.metrics, name);
            let monitor = monitor.budget(Duration::from_millis(1));
            RefCell::new(if is_watched { monitor.watched_by(&self.detector) } else { monitor })
        };
        let subject = move || (monitor(), Sockets::new());
        let case = Case::new(name, subject, move |(monitor, sockets), _| {
            let mut monitor = monitor.borrow_mut();
            let mut turn = monitor.turn();
            within(sockets, &mut turn);
        });
        case.between(|| self.pass()).check(move |done| {
            let tags = [("loop", name)];
            let turns = self.metrics.with_tags(&tags).get_timing("loop.turn.duration");
            every_record(turns.map(|turns| turns.count), done.operations);
        })
    }

    /// Polls of a future that is pending, made by `future`.
    fn polls<F: Future + 'static>(&self, name: &'static str, future: fn() -> F) -> Case<'_> {
        let series = FutureMetrics::new(&self.metrics, name);
        let subject = move || Task::new(future().instrument(&series));
        let case = Case::new(name, subject, |task, _| task.poll());
        case.between(|| self.pass()).check(move |done| {
            let tags = [("task", name)];
            let polls = self.metrics.with_tags(&tags).get_timing("task.poll.duration");
            every_record(polls.map(|polls| polls.count), done.operations);
        })
    }
}

/// An executor's task: a future, and its waker.
struct Task<F>(RefCell<Pin<Box<F>>>, Waker);

/// A waker that costs what one of an executor does at least: a count of its clones.
struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

impl<F: Future> Task<F> {
    fn new(future: F) -> Self {
        Self(RefCell::new(Box::pin(future)), Waker::from(Arc::new(Idle)))
    }

    fn poll(&self) {
        let mut context = Context::from_waker(&self.1);
        let is_pending = self.0.borrow_mut().as_mut().poll(&mut context).is_pending();
        assert!(is_pending, "it never ends");
    }
}

/// Wakes itself in each poll.
fn yields() -> impl Future<Output = ()> {
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// The measured cases: each after the one without.
fn cases(bed: &Bed) -> [Case<'_>; 11] {
    let socket: Within = |sockets, turn| {
        sockets.turn();
        turn.events(1);
    };
    [
        empty(),
        two_stamps(),
        bed.turns("an empty turn", false, |_, turn| turn.events(1)),
        bed.turns("an empty turn, watched for stalls", true, |_, turn| turn.events(1)),
        bed.turns("an empty turn with a handler's delay", false, |_, turn| {
            turn.handler_starts();
            turn.events(1);
        }),
        Case::new("a turn on a socket, bare", Sockets::new, |sockets, _| sockets.turn()),
        bed.turns("a turn on a socket", true, socket),
        Case::new("a poll and its wake, bare", || Task::new(yields()), |task, _| task.poll()),
        bed.polls("a poll and its wake", yields),
        Case::new("a poll, bare", || Task::new(pending::<()>()), |task, _| task.poll()),
        bed.polls("a poll", pending::<()>),
    ]
}

fn main() {
    let bed = Bed::new(&SharedClock::new());
    let cases = cases(&bed);
    let plan = Plan::of_bursts();
    let figures = measure(&cases, plan);
    let [alone, stamps, turn, _, _, bare_socket, socket, _, _, bare_poll, poll] = figures[..]
    else {
        unreachable!("a figure for each case")
    };
    let rounds = plan.rounds;
    let header = ["over the loop alone", "min ns", "median ns", "of two rdtsc"];
    let mut table = Table::new("loops", format!("Instruments of loops: {rounds} rounds"), &header);
    for (case, &figures) in cases.iter().zip(&figures).skip(1) {
        let Figures { min, median } = figures.over(alone);
        let ratio = figures.over(alone).times(stamps.over(alone));
        table.row([case.name().into(), min.into(), median.into(), ratio.into()]);
    }
    table.print();
    let mut budgets = Budgets::new("budget-loops");
    let of_stamps = turn.over(alone).times(stamps.over(alone));
    budgets.at_most("a turn, of its two rdtsc", of_stamps, TURN_OF_STAMPS, "times");
    let of_bare = socket.over(alone).times(bare_socket.over(alone));
    budgets.at_most("a turn on a socket, of the same bare", of_bare, SOCKET_TURN, "times");
    budgets.at_most("a poll, over the same bare", poll.over(bare_poll).median, POLL_NS, "ns");
    budgets.print();
}
