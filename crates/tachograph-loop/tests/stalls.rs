//! Real stalls: a turn that lasts until it has been reported, however slow the machine is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tachograph::MetricsCollector;
use tachograph_loop::{LoopMonitor, NoBacktrace, Stall, StallBuilder, StallDetector};

/// Short, so that tests are; a machine that is busy for longer does no harm here.
const THRESHOLD: Duration = Duration::from_millis(5);

/// A detector whose reports arrive in a queue.
fn detector(
    metrics: &MetricsCollector,
    settings: impl FnOnce(StallBuilder) -> StallBuilder,
) -> (StallDetector, Receiver<Stall>) {
    let (sender, reports) = channel();
    let sender = Mutex::new(sender);
    let builder = StallDetector::builder().threshold(THRESHOLD).reports_per_minute(1_000);
    let builder = builder.on_stall(move |stall| {
        // Err: the test has seen enough.
        let _ = sender.lock().expect("no panic").send(stall.clone());
    });
    (settings(builder).start(metrics).expect("a thread and a free signal"), reports)
}

/// A function with such a local has a frame pointer in any build, because its stack is aligned.
#[repr(align(64))]
struct Aligned(u8);

/// Keeps the CPU until a report has come that knows where. On a machine so busy that a thread gets
/// no CPU for 0.1 s, the first one may not.
#[inline(never)]
fn blocks_until_told(reports: &Receiver<Stall>) -> Stall {
    let aligned = std::hint::black_box(Aligned(7));
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < Duration::from_secs(60), "no report of the turn that waits here");
        let told = reports.try_recv().ok();
        let knows = |stall: &Stall| stall.backtrace.as_ref().err() != Some(&NoBacktrace::Silent);
        if let Some(stall) = told.filter(knows) {
            std::hint::black_box(&aligned.0);
            return stall;
        }
        std::hint::spin_loop();
    }
}

/// Something to look for between the loop and what blocks it.
#[inline(never)]
fn a_callee_that_blocks(reports: &Receiver<Stall>) -> Stall {
    let aligned = std::hint::black_box(Aligned(7));
    let stall = blocks_until_told(std::hint::black_box(reports));
    std::hint::black_box(&aligned.0);
    stall
}

#[inline(never)]
fn a_handler_that_blocks(reports: &Receiver<Stall>) -> Stall {
    let aligned = std::hint::black_box(Aligned(7));
    let stall = a_callee_that_blocks(std::hint::black_box(reports));
    std::hint::black_box(&aligned.0);
    stall
}

const HAS_BACKTRACES: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

fn assert_names_the_handler(stall: &Stall) {
    if !HAS_BACKTRACES {
        assert_eq!(stall.backtrace.as_ref().err(), Some(&NoBacktrace::Unsupported));
        return;
    }
    let backtrace = stall.backtrace.as_ref().expect("the thread answers");
    let frames = backtrace.frames();
    let place = |name: &str| {
        let is_it = |function: &Option<String>| {
            function.as_ref().is_some_and(|function| function.contains(name))
        };
        frames.iter().position(|frame| is_it(&frame.function))
    };
    let (callee, handler) = (place("a_callee_that_blocks"), place("a_handler_that_blocks"));
    assert!(callee.is_some() && callee < handler, "{stall}");
    assert!(stall.to_string().contains("a_handler_that_blocks"), "{stall}");
}

#[test]
fn a_stall_is_told_while_it_runs_with_the_functions_that_block() {
    let metrics = MetricsCollector::new();
    let (detector, reports) = detector(&metrics, |builder| builder);
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    let before = Instant::now();
    let turn = monitor.turn();
    let stall = a_handler_that_blocks(&reports);
    let lasted = before.elapsed();
    drop(turn);
    assert_eq!((&*stall.name, stall.suppressed), ("main", 0));
    assert!((THRESHOLD..=lasted).contains(&stall.lasted), "{stall}");
    assert_names_the_handler(&stall);
    assert!(stall.to_string().starts_with("loop `main` is stalled: its turn has taken "));

    // The histogram has it, by the loop's own clock.
    let stalls = metrics.with_tags(&[("loop", "main")]).get_timing("loop.stall.duration");
    let stalls = stalls.expect("it is registered");
    assert_eq!((detector.stalls(), stalls.count), (1, 1));
    assert!(stalls.min >= Some(0.99 * THRESHOLD.as_secs_f64()));
}

#[test]
fn a_longer_stall_is_told_again_at_twice_the_time_with_the_backtrace_of_the_first() {
    let metrics = MetricsCollector::new();
    let (detector, reports) = detector(&metrics, |builder| builder);
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    let turn = monitor.turn();
    let told: Vec<_> = reports.iter().take(4).collect();
    drop(turn);
    let numbers: Vec<_> = told.iter().map(|stall| stall.report).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    for (before, after) in told.iter().zip(&told[1..]) {
        assert!(after.lasted >= before.lasted);
        let twice = THRESHOLD * 2u32.pow(before.report);
        assert!(after.lasted >= twice, "{:?} is told before {twice:?}", after.lasted);
        assert!(before.backtrace.is_err() || before.backtrace == after.backtrace);
    }
    assert_eq!(detector.stalls(), 1);
    // Of the turn that has ended there may be more.
    let turn = monitor.turn();
    assert!(reports.iter().any(|stall| stall.report == 1), "another turn");
    drop(turn);
    assert_eq!(detector.stalls(), 2);
}

#[test]
fn sleep_between_turns_is_no_stall_and_a_loop_may_change_its_thread() {
    let metrics = MetricsCollector::new();
    // Longer than a busy machine takes the core from the turn that is over at once.
    let threshold = Duration::from_millis(300);
    let (detector, reports) = detector(&metrics, |builder| builder.threshold(threshold));
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    drop(monitor.turn());
    // Beyond the threshold; whatever the watcher sees in that time, no turn runs.
    thread::sleep(threshold * 2);
    assert_eq!(detector.stalls(), 0);
    let told = thread::spawn(move || {
        let turn = monitor.turn();
        let stall = a_handler_that_blocks(&reports);
        drop(turn);
        stall
    });
    assert_names_the_handler(&told.join().expect("no panic"));
}

#[test]
fn reports_are_limited_and_those_left_out_counted() {
    let metrics = MetricsCollector::new();
    let (detector, reports) = detector(&metrics, |builder| builder.reports_per_minute(5));
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    for i in 1..=8 {
        let turn = monitor.turn();
        while detector.stalls() < i {
            std::hint::spin_loop();
        }
        drop(turn);
    }
    // Seen by the watcher before it counts the next look; wait for the last one.
    let suppressed = || {
        let counter = metrics.get_counter("loop.stall.suppressed");
        counter.map_or(0, |counter| counter.value)
    };
    let told = std::iter::from_fn(|| reports.try_recv().ok()).count() as u64;
    assert!(told <= 5, "{told}");
    drop(detector);
    let told = told + std::iter::from_fn(|| reports.try_recv().ok()).count() as u64;
    assert_eq!(told, 5);
    assert!(suppressed() >= 3, "{}", suppressed());
}

#[test]
fn a_callback_that_panics_ends_neither_the_loop_nor_the_watching() {
    let metrics = MetricsCollector::new();
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let (detector, _) = detector(&metrics, |builder| {
        builder.on_stall(move |_| {
            *counted.lock().expect("it panics after that") += 1;
            std::panic::resume_unwind(Box::new("a callback"))
        })
    });
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    for i in 1..=3 {
        let _turn = monitor.turn();
        while detector.stalls() < i {}
    }
    drop(detector);
    assert!(*calls.lock().expect("no panic inside") >= 3);
}

#[test]
fn assert_no_stalls_panics_with_what_was_seen() {
    let metrics = MetricsCollector::new();
    let (quiet, _) = detector(&metrics, |builder| builder.threshold(Duration::from_secs(3_600)));
    let mut monitor = LoopMonitor::new(&metrics, "quiet").watched_by(&quiet);
    drop(monitor.turn());
    quiet.assert_no_stalls();

    let (detector, reports) = detector(&metrics, |builder| builder);
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    let turn = monitor.turn();
    a_handler_that_blocks(&reports);
    drop(turn);
    let panics = catch_unwind(AssertUnwindSafe(|| detector.assert_no_stalls()));
    let message = panics.expect_err("there was one").downcast::<String>().expect("a text");
    assert!(message.starts_with("1 turn took longer than 5ms; first seen:\nloop `main`"));
    assert_eq!(message.contains("a_handler_that_blocks"), HAS_BACKTRACES, "{message}");
}

/// A watcher that is never scheduled in time sees nothing; the loop's own clock does.
#[test]
fn a_turn_that_nobody_saw_counts_for_assert_no_stalls() {
    let (clock, mock) = tachograph::Clock::mock();
    let metrics = MetricsCollector::builder().clock(clock).build();
    let (detector, _) = detector(&metrics, |builder| builder.threshold(Duration::from_secs(60)));
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    for millis in [59_999, 60_000, 90_000] {
        let _turn = monitor.turn();
        mock.advance(Duration::from_millis(millis));
    }
    assert_eq!(detector.stalls(), 0);
    let stalls = metrics.with_tags(&[("loop", "main")]).get_timing("loop.stall.duration");
    let stalls = stalls.expect("it is registered");
    assert_eq!((stalls.count, stalls.buckets().sum()), (2, 150_000_000_000));
    assert!(catch_unwind(AssertUnwindSafe(|| detector.assert_no_stalls())).is_err());
}

#[test]
fn without_backtraces_no_thread_is_asked() {
    let metrics = MetricsCollector::new();
    let (detector, reports) = detector(&metrics, StallBuilder::no_backtrace);
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    let turn = monitor.turn();
    let stall = blocks_until_told(&reports);
    drop(turn);
    assert_eq!(stall.backtrace.as_ref().err(), Some(&NoBacktrace::SwitchedOff));
    assert!(stall.to_string().ends_with("; no backtrace: it is switched off"));
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn a_signal_with_a_handler_of_someone_elses_is_refused_and_one_of_our_own_shared() {
    let metrics = MetricsCollector::new();
    // Rust handles it, to tell stack overflows.
    let refused = StallDetector::builder().signal(libc::SIGSEGV).start(&metrics);
    let error = refused.expect_err("it has a handler").to_string();
    assert_eq!(
        error,
        "signal 11 has a handler already: give the stall detector another signal, or switch its \
         backtraces off"
    );
    assert!(StallDetector::builder().signal(4_711).start(&metrics).is_err(), "no signal");
    let both = [(); 2].map(|()| detector(&metrics, |builder| builder));
    for (detector, reports) in &both {
        let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(detector);
        let _turn = monitor.turn();
        assert_names_the_handler(&a_handler_that_blocks(reports));
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn a_sleep_inside_a_turn_goes_on_after_the_signal() {
    let metrics = MetricsCollector::new();
    let (detector, reports) = detector(&metrics, |builder| builder);
    let mut monitor = LoopMonitor::new(&metrics, "main").watched_by(&detector);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _turn = monitor.turn();
            while !is_over.load(Ordering::Relaxed) {
                let start = Instant::now();
                thread::sleep(THRESHOLD * 4);
                assert!(start.elapsed() >= THRESHOLD * 4, "std waits for the rest");
            }
        });
        let next = || reports.recv_timeout(Duration::from_secs(60)).ok();
        let backtrace = std::iter::from_fn(next).find_map(|stall| stall.backtrace.ok());
        is_over.store(true, Ordering::Relaxed);
        assert!(!backtrace.expect("a report within a minute").addresses().is_empty());
    });
}
