//! Fault 6: resets, reads and ends in any order: concurrently, twice, from a drop, inside a
//! runtime. A deadlock ends the process.

use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use tachograph::{Counter, Gauge, MetricsCollector, ShutdownReport, Timing};

use crate::SANITIZED;

const CYCLES: u64 = if SANITIZED { 1_000 } else { 10_000 };
const SECOND: Duration = Duration::from_secs(1);

/// Ends the process where a test hangs, and says which.
struct Watchdog(Sender<()>);

impl Watchdog {
    #[allow(clippy::print_stderr, reason = "the process ends without another word")]
    fn watch(what: &'static str) -> Self {
        let (alive, ended) = mpsc::channel();
        thread::spawn(move || {
            if ended.recv_timeout(300 * SECOND) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what}: no end within 300 s, so something waits for ever");
                std::process::abort();
            }
        });
        Self(alive)
    }

    /// Counts as the end, as a drop does.
    fn end(self) {
        drop(self.0);
    }
}

/// A recording thread's handles.
#[derive(Clone)]
struct Handles(Counter, Timing, Gauge);

impl Handles {
    fn of(metrics: &MetricsCollector) -> Self {
        let counter = metrics.register_counter("c");
        Self(counter, metrics.register_timing("t"), metrics.register_gauge("g"))
    }

    /// Makes 5 samples.
    fn record(&self, metrics: &MetricsCollector) {
        self.0.increment();
        self.0.increment_by(2);
        self.1.record_ns(7);
        self.2.set(3.0);
        metrics.increment("by.name");
    }
}

const SAMPLES: u64 = 5;

/// One of everything that may come at any time.
fn disturb(metrics: &MetricsCollector, choice: u64) {
    match choice {
        0 => metrics.reset(),
        1 => metrics.reset_counters(),
        2 => drop(metrics.get_all_metrics()),
        3 => drop(metrics.get_timing("t")),
        4 => drop(metrics.snapshot()),
        5 => drop(metrics.clone()),
        6 => {
            metrics.run_pass(std::time::Instant::now(), std::time::SystemTime::now());
        }
        _ => drop(metrics.shutdown(10 * SECOND)),
    }
}

fn assert_conserved(report: ShutdownReport, recorded: u64, seed: u64) {
    let ShutdownReport { aggregated, dropped, .. } = report;
    assert_eq!(report.recorded, recorded, "seed {seed}: {report:?}");
    assert_eq!(report.recorded, aggregated + dropped, "seed {seed}: {report:?}");
}

/// One life of a collector: two threads record while others reset, read and end it.
fn cycle(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let metrics = MetricsCollector::builder().lane_blocks(2, 4).build();
    let handles = Handles::of(&metrics);
    let rounds = random.u64(1..=40);
    let choices: Vec<u64> = (0..4).map(|_| random.u64(..9)).collect();
    thread::scope(|scope| {
        let record = || (0..rounds).for_each(|_| handles.record(&metrics));
        let recording = [(); 2].map(|()| scope.spawn(record));
        let (first, second) = choices.split_at(2);
        let disturbing = scope.spawn(|| first.iter().for_each(|&choice| disturb(&metrics, choice)));
        second.iter().for_each(|&choice| disturb(&metrics, choice));
        // A scope waits for what threads do, and only a join for their thread-locals to go.
        let threads = recording.into_iter().chain([disturbing]);
        threads.for_each(|thread| thread.join().expect("no panic"));
    });
    assert_conserved(metrics.shutdown(10 * SECOND), 2 * rounds * SAMPLES, seed);
    let again = metrics.shutdown(10 * SECOND);
    assert_conserved(again, 2 * rounds * SAMPLES, seed);
    assert_eq!(again.unfinished_lanes, 0, "seed {seed}");
}

#[test]
fn fault_6_ten_thousand_lives_end_in_any_order_with_exact_accounts() {
    let watchdog = Watchdog::watch("lives of collectors");
    (0..CYCLES).for_each(cycle);
    watchdog.end();
}

#[test]
fn fault_6_the_last_clone_is_dropped_by_a_recording_thread() {
    let watchdog = Watchdog::watch("drops by recording threads");
    for _ in 0..CYCLES / 50 {
        let metrics = MetricsCollector::new();
        let handles = Handles::of(&metrics);
        let together = Arc::new(Barrier::new(3));
        let threads = [metrics.clone(), metrics.clone(), metrics].map(|metrics| {
            let (handles, together) = (handles.clone(), Arc::clone(&together));
            thread::spawn(move || {
                together.wait();
                (0..20).for_each(|_| handles.record(&metrics));
                drop(metrics);
                // Beyond the end: counted, if anybody still could read it.
                handles.0.increment();
                drop(handles.1.start());
            })
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    }
    watchdog.end();
}

#[test]
fn fault_6_many_threads_shut_down_at_once_and_all_reports_agree() {
    let watchdog = Watchdog::watch("concurrent shutdowns");
    for seed in 0..CYCLES / 50 {
        let metrics = MetricsCollector::new();
        let handles = Handles::of(&metrics);
        (0..100).for_each(|_| handles.record(&metrics));
        let together = Barrier::new(4);
        let end = || {
            together.wait();
            metrics.shutdown(10 * SECOND)
        };
        thread::scope(|scope| {
            let ends = [(); 4].map(|()| scope.spawn(end));
            for report in ends.map(|end| end.join().expect("no panic")) {
                assert_conserved(report, 100 * SAMPLES, seed);
            }
        });
    }
    watchdog.end();
}

#[test]
fn fault_6_a_collector_lives_and_ends_inside_a_current_thread_runtime() {
    let watchdog = Watchdog::watch("inside a runtime");
    for seed in 0..CYCLES / 50 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("builds");
        let report = runtime.block_on(async {
            let metrics = MetricsCollector::new();
            let handles = Handles::of(&metrics);
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    let (metrics, handles) = (metrics.clone(), handles.clone());
                    tokio::spawn(async move {
                        for _ in 0..10 {
                            let timer = handles.1.start();
                            tokio::task::yield_now().await;
                            drop(timer);
                            handles.record(&metrics);
                            metrics.reset();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no panic");
            }
            metrics.shutdown(10 * SECOND)
        });
        assert_conserved(report, 100 * (SAMPLES + 1), seed);
    }
    watchdog.end();
}

/// Shuts a collector down when its thread ends.
struct ShutsDown(MetricsCollector, Sender<ShutdownReport>);

impl Drop for ShutsDown {
    fn drop(&mut self) {
        self.0.increment("by.destructor");
        self.0.reset();
        self.0.increment("by.destructor");
        let _ = self.1.send(self.0.shutdown(10 * SECOND));
    }
}

thread_local! {
    static AT_THE_END: RefCell<Option<ShutsDown>> = const { RefCell::new(None) };
}

#[test]
fn fault_6_a_thread_locals_destructor_resets_and_shuts_down() {
    let watchdog = Watchdog::watch("the end of a thread");
    for recorder_first in [true, false] {
        let (report, reports) = mpsc::channel();
        let thread = thread::spawn(move || {
            let metrics = MetricsCollector::new();
            let place = |metrics: &MetricsCollector| {
                let at_the_end = ShutsDown(metrics.clone(), report);
                AT_THE_END.with(|place| *place.borrow_mut() = Some(at_the_end));
            };
            if recorder_first {
                metrics.increment("c");
                place(&metrics);
            } else {
                place(&metrics);
                metrics.increment("c");
            }
        });
        thread.join().expect("no panic");
        assert_conserved(reports.recv().expect("sent by the destructor"), 3, 0);
    }
    watchdog.end();
}

#[test]
fn fault_6_a_callback_shuts_down_on_the_background_thread() {
    let watchdog = Watchdog::watch("shutdown by a callback");
    let itself = Arc::new(OnceLock::<MetricsCollector>::new());
    let (report, reports) = mpsc::channel();
    let weak = Arc::downgrade(&itself);
    let metrics = MetricsCollector::builder()
        .publish_every(Duration::from_millis(1))
        .on_warning(move |_| {
            let Some(itself) = weak.upgrade() else { return };
            // Set before anything can be warned of.
            let metrics = itself.get().expect("set at the start");
            let _ = report.send(metrics.shutdown(10 * SECOND));
        })
        .build();
    assert!(itself.set(metrics.clone()).is_ok());
    metrics.increment("x");
    metrics.gauge("x", 1.0);
    assert_conserved(reports.recv().expect("the callback was called"), 2, 0);
    watchdog.end();
}

#[test]
fn fault_6_shutdown_keeps_its_deadline_while_a_callback_blocks_the_background_thread() {
    let watchdog = Watchdog::watch("a callback that blocks");
    let (blocked, is_blocked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let metrics = MetricsCollector::builder()
        .publish_every(Duration::from_millis(1))
        .on_warning(move |_| {
            let _ = blocked.send(());
            // Err: the test has ended.
            let _ = released.lock().expect("not poisoned").recv();
        })
        .build();
    metrics.increment("x");
    metrics.gauge("x", 1.0);
    is_blocked.recv().expect("the callback was called");
    // The background thread is blocked until after this has returned.
    let report = metrics.shutdown(Duration::from_millis(20));
    assert_conserved(report, 2, 0);
    drop(release);
    assert_conserved(metrics.shutdown(10 * SECOND), 2, 0);
    watchdog.end();
}
