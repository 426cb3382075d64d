//! Loops with a mock clock, against a naive model: exact to the nanosecond.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tachograph::{Clock, MetricsCollector, MockClock, TimingStats};
use tachograph_loop::LoopMonitor;

fn mocked() -> (MetricsCollector, MockClock) {
    let (clock, mock) = Clock::mock();
    (MetricsCollector::builder().clock(clock).build(), mock)
}

fn stats(metrics: &MetricsCollector, name: &str) -> TimingStats {
    let stats = metrics.with_tags(&[("loop", "main")]).get_timing(name);
    stats.unwrap_or_else(|| panic!("{name} is missing"))
}

/// Count, sum, least and greatest of durations in nanoseconds, from the collector.
fn recorded(metrics: &MetricsCollector, name: &str) -> (u64, u128, Option<u64>, Option<u64>) {
    let stats = stats(metrics, name);
    let buckets = stats.buckets();
    (stats.count, buckets.sum(), buckets.min(), buckets.max())
}

/// The same of a list.
fn listed(list: &[u64]) -> (u64, u128, Option<u64>, Option<u64>) {
    let sum = list.iter().map(|&nanos| u128::from(nanos)).sum();
    (list.len() as u64, sum, list.iter().min().copied(), list.iter().max().copied())
}

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % most
    }
}

#[test]
fn ten_thousand_turns_are_what_a_list_of_them_says() {
    const BUDGET: u64 = 900_000;
    let (metrics, clock) = mocked();
    let pass = |nanos| clock.advance(Duration::from_nanos(nanos));
    let mut monitor = LoopMonitor::new(&metrics, "main").budget(Duration::from_nanos(BUDGET));
    let mut numbers = Numbers(7);
    let [mut turns, mut sleeps, mut delays, mut events, mut over] = [const { Vec::new() }; 5];
    for i in 0..10_000 {
        let asleep = numbers.below(5_000_000);
        pass(asleep);
        if i > 0 {
            sleeps.push(asleep);
        }
        let mut turn = monitor.turn();
        let mut took = 0;
        let handled = numbers.below(6);
        for _ in 0..handled {
            delays.push(took);
            turn.handler_starts();
            let handler = numbers.below(300_000);
            pass(handler);
            took += handler;
        }
        turn.events(handled);
        drop(turn);
        turns.push(took);
        events.push(handled);
        over.extend(took.checked_sub(BUDGET).filter(|over| *over > 0));
        if i % 1_000 == 0 {
            // A pass between turns, so that no lane overflows on a busy machine.
            assert_eq!(stats(&metrics, "loop.turn.duration").count, i + 1);
        }
    }
    assert!(over.len() > 100, "the budget is one that turns exceed");
    let all = [
        ("loop.turn.duration", &turns),
        ("loop.sleep.duration", &sleeps),
        ("loop.handler.delay", &delays),
        ("loop.turn.events", &events),
        ("loop.turn.over_budget", &over),
    ];
    for (name, list) in all {
        assert_eq!(recorded(&metrics, name), listed(list), "{name}");
    }
    turns.sort_unstable();
    let turn = stats(&metrics, "loop.turn.duration");
    for q in [0.5, 0.9, 0.99, 0.999] {
        let rank = (q * turns.len() as f64).ceil() as usize;
        let (exact, told) = (turns[rank - 1] as f64 / 1e9, turn.quantile(q).expect("not empty"));
        let error = turn.error_at(q).expect("not empty");
        assert!((told - exact).abs() <= exact * error.max(0.001), "{q}: {told} instead of {exact}");
    }
}

#[test]
fn lag_is_from_a_deadline_to_the_start_of_its_turn() {
    // The deadline is an instant of the mock's monotonic clock.
    let (clock, mock) = Clock::mock();
    let metrics = MetricsCollector::builder().clock(clock.clone()).build();
    let mut monitor = LoopMonitor::new(&metrics, "main");
    let deadline = clock.now() + Duration::from_millis(10);
    mock.advance(Duration::from_millis(13));
    let turn = monitor.turn();
    mock.advance(Duration::from_millis(50));
    turn.lag(deadline);
    drop(turn);
    assert_eq!(recorded(&metrics, "loop.lag"), listed(&[3_000_000]));
}

#[test]
fn an_idle_busy_poll_is_sleep() {
    let (metrics, clock) = mocked();
    let mut monitor = LoopMonitor::new(&metrics, "main");
    drop(monitor.turn());
    for _ in 0..5 {
        clock.advance(Duration::from_nanos(10));
        let turn = monitor.turn();
        clock.advance(Duration::from_nanos(20));
        turn.idle();
    }
    let mut turn = monitor.turn();
    turn.events(1);
    clock.advance(Duration::from_nanos(7));
    drop(turn);
    assert_eq!(recorded(&metrics, "loop.turn.duration"), listed(&[0, 7]));
    assert_eq!(recorded(&metrics, "loop.sleep.duration"), listed(&[150]));
}

#[test]
fn a_panic_ends_the_turn_and_a_leaked_turn_is_left_out() {
    let (metrics, clock) = mocked();
    let mut monitor = LoopMonitor::new(&metrics, "main");
    let panics = catch_unwind(AssertUnwindSafe(|| {
        let _turn = monitor.turn();
        clock.advance(Duration::from_nanos(5));
        std::panic::resume_unwind(Box::new("a handler"));
    }));
    assert!(panics.is_err());
    std::mem::forget(monitor.turn());
    clock.advance(Duration::from_nanos(9));
    drop(monitor.turn());
    assert_eq!(recorded(&metrics, "loop.turn.duration"), listed(&[5, 0]));
}

#[test]
fn off_for_a_while_leaves_out_what_it_cannot_know() {
    let (metrics, clock) = mocked();
    let mut monitor = LoopMonitor::new(&metrics, "main").budget(Duration::ZERO);
    let mut turn = |at_start: bool, at_end: bool| {
        clock.advance(Duration::from_nanos(100));
        metrics.set_enabled(at_start);
        let mut turn = monitor.turn();
        clock.advance(Duration::from_nanos(3));
        turn.handler_starts();
        turn.events(1);
        metrics.set_enabled(at_end);
        drop(turn);
    };
    for (at_start, at_end) in [(true, true), (true, false), (false, true), (true, true)] {
        turn(at_start, at_end);
    }
    metrics.set_enabled(true);
    assert_eq!(recorded(&metrics, "loop.turn.duration"), listed(&[3, 3]));
    assert_eq!(recorded(&metrics, "loop.turn.events"), listed(&[1, 1]));
    assert_eq!(recorded(&metrics, "loop.turn.over_budget"), listed(&[3, 3]));
    // Before the last turn; the end of the one before is known, that of the second is not.
    assert_eq!(recorded(&metrics, "loop.sleep.duration"), listed(&[100]));
    assert_eq!(recorded(&metrics, "loop.handler.delay"), listed(&[3, 3, 3]));
}

#[cfg(unix)]
mod real {
    use std::io::{Read, Write};

    use mio::net::UnixStream;
    use mio::{Events, Interest, Poll, Token};

    use super::*;

    const MESSAGES: usize = 2_000;

    /// Around each turn the loop takes its own times: before and after the monitor's reads, and
    /// between them. So the lists bound each order statistic of the turns from both sides.
    #[test]
    fn a_loop_of_mio_is_between_its_own_two_lists() -> std::io::Result<()> {
        let metrics = MetricsCollector::new();
        let mut monitor = LoopMonitor::new(&metrics, "main");
        let (mut here, there) = UnixStream::pair()?;
        let mut poll = Poll::new()?;
        poll.registry().register(&mut here, Token(0), Interest::READABLE)?;
        let sender = std::thread::spawn(move || send(there));

        let mut events = Events::with_capacity(16);
        let (mut outer, mut inner, mut read) = (Vec::new(), Vec::new(), 0);
        let mut buffer = [0; 16];
        while read < MESSAGES {
            poll.poll(&mut events, None)?;
            let before = Instant::now();
            let mut turn = monitor.turn();
            let begin = Instant::now();
            for event in &events {
                turn.handler_starts();
                turn.events(u64::from(event.is_readable()));
                // Zero bytes: the sender has sent them all and closed.
                while let Ok(bytes @ 1..) = here.read(&mut buffer) {
                    read += bytes;
                    std::hint::black_box((0..bytes as u64 * 1_000).sum::<u64>());
                }
            }
            inner.push(begin.elapsed().as_secs_f64());
            drop(turn);
            outer.push(before.elapsed().as_secs_f64());
        }
        sender.join().expect("it does not panic")?;

        let turn = stats(&metrics, "loop.turn.duration");
        assert_eq!(turn.count, outer.len() as u64);
        assert_eq!(stats(&metrics, "loop.turn.events").sum, outer.len() as f64);
        assert_eq!(stats(&metrics, "loop.sleep.duration").count, outer.len() as u64 - 1);
        for list in [&mut inner, &mut outer] {
            list.sort_by(f64::total_cmp);
        }
        for q in [0.1, 0.5, 0.9, 0.99, 1.0] {
            let rank = (q * outer.len() as f64).ceil() as usize;
            let told = turn.quantile(q).expect("not empty");
            // The time-stamp counter may differ from the monotonic clock by 1 %, a quantile by what
            // it says itself.
            let error = 0.01 + turn.error_at(q).expect("not empty");
            let (least, most) = (inner[rank - 1], outer[rank - 1]);
            assert!(told >= least * (1.0 - error), "{q}: {told} is below {least}");
            assert!(told <= most * (1.0 + error), "{q}: {told} is above {most}");
        }
        Ok(())
    }

    /// Sends bytes one by one, for as many turns of the loop as it can.
    fn send(mut there: UnixStream) -> std::io::Result<()> {
        for _ in 0..MESSAGES {
            while let Err(error) = there.write_all(b"x") {
                if error.kind() != std::io::ErrorKind::WouldBlock {
                    return Err(error);
                }
                std::thread::yield_now();
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}
