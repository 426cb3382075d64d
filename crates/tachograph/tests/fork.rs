//! Fork without exec, under load: the child starts over and works, the parent goes on and counts
//! its own. A process of its own.
//!
//! std keeps a lock of its own for a moment while a thread starts or ends, which the load does all
//! the time, and no fork handler can take it: a child that is forked in such a moment can never
//! start a thread by std again. So the children's own threads are the C library's, as the core's
//! are.
#![allow(unsafe_code, reason = "forking is a foreign call")]
#![cfg(all(unix, feature = "record"))]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use tachograph::{Counter, Gauge, MetricsCollector, Recorder, Timing};

const FORKS: u64 = 1_000;

/// What a child says by its exit code: 0, or the first of these that is not as it should be.
const STEPS: [&str; 12] = [
    "",
    "the first record by handle",
    "a record by a recorder from before the fork",
    "a record by name",
    "a record on a new thread",
    "reading its own counter",
    "reading its own timing",
    "reading its own gauge",
    "the published snapshot",
    "the background thread",
    "conservation at the end",
    "a panic",
];

struct Load {
    metrics: MetricsCollector,
    counter: Counter,
    timing: Timing,
    gauge: Gauge,
}

impl Load {
    fn new() -> Self {
        let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(2)).build();
        let counter = metrics.register_counter("counter");
        let (timing, gauge) = (metrics.register_timing("timing"), metrics.register_gauge("gauge"));
        Self { metrics, counter, timing, gauge }
    }

    fn record(&self, n: u64) {
        self.counter.increment();
        self.timing.record_ns(n);
        self.gauge.set(n as f64);
        self.metrics.increment("by.name");
    }

    fn count(&self, name: &str) -> Option<i128> {
        self.metrics.get_counter(name).map(|stats| stats.value)
    }

    /// What the child does; gives the number of the step that failed.
    fn child(&self, recorder: &Recorder, first: u64) -> Result<(), usize> {
        let expect = |step: usize, holds: bool| if holds { Ok(()) } else { Err(step) };
        // By turns, each way is the first use of the collector in the child.
        match first % 4 {
            0 => self.counter.increment(),
            1 => recorder.increment(&self.counter),
            2 => self.metrics.increment("counter"),
            _ => {
                expect(5, self.count("counter") == Some(0))?;
                self.counter.increment();
            }
        }
        expect(1, self.count("counter") == Some(1))?;
        recorder.increment(&self.counter);
        recorder.record_ns(&self.timing, 5);
        expect(2, self.count("counter") == Some(2))?;
        self.record(7);
        self.metrics.increment("child.only");
        expect(3, self.count("by.name") == Some(1) && self.count("child.only") == Some(1))?;
        expect(4, self.record_on_a_thread() && self.count("by.name") == Some(2))?;
        expect(5, self.count("counter") == Some(4))?;
        let timing = self.metrics.get_timing("timing").map(|t| (t.count, t.buckets().sum()));
        expect(6, timing == Some((3, 21)))?;
        let gauge = self.metrics.get_gauge("gauge").map(|g| (g.count, g.current));
        expect(7, gauge == Some((2, Some(9.0))))?;
        let parents = |snapshot: &tachograph::Snapshot| {
            snapshot.series().iter().any(|series| *series.key == *"parent.only")
        };
        expect(8, !parents(&self.metrics.snapshot()))?;
        self.wait_for_driver().ok_or(9usize)?;
        let report = self.metrics.shutdown(Duration::from_secs(10));
        // Thirteen were recorded here, and nothing else ever.
        let whole = report.recorded == 13 && report.aggregated == 13 && report.dropped == 0;
        // The recorder from before the fork has a lane of its own here, too.
        expect(10, whole && report.unfinished_lanes == 1)
    }

    /// Records on a thread that std knows nothing of; says whether there was one.
    fn record_on_a_thread(&self) -> bool {
        extern "C" fn record(load: *mut c_void) -> *mut c_void {
            // SAFETY: it is a `Load`, which outlives the thread: it is waited for below.
            let load = unsafe { &*load.cast_const().cast::<Load>() };
            load.record(9);
            ptr::null_mut()
        }
        let mut thread = std::mem::MaybeUninit::uninit();
        let load = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: `thread` is ours to write; `record` takes a `Load`.
        if unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), record, load) } != 0 {
            return false;
        }
        // SAFETY: it was started above, and is waited for once.
        unsafe { libc::pthread_join(thread.assume_init(), ptr::null_mut()) == 0 }
    }

    /// Waits until the background thread has published what nobody has read.
    fn wait_for_driver(&self) -> Option<()> {
        let published = || {
            let snapshot = self.metrics.snapshot();
            let series = snapshot.find("child.only", &[])?;
            Some(series.value.as_counter()?.lifetime.value)
        };
        self.metrics.increment("child.only");
        let deadline = Instant::now() + Duration::from_secs(20);
        while published() != Some(2) {
            (Instant::now() < deadline).then(thread::yield_now)?;
        }
        Some(())
    }
}

/// The code that a child exits with, never: it is killed if it hangs.
fn exit_code(child: Pid) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)).expect("our child") {
            WaitStatus::Exited(_, code) => return Some(code),
            WaitStatus::StillAlive if Instant::now() < deadline => {
                thread::sleep(Duration::from_micros(200));
            }
            _ => {
                let _ = kill(child, Signal::SIGKILL);
                let _ = waitpid(child, None);
                return None;
            }
        }
    }
}

/// Forks, runs `child` there, and fails unless it succeeds there.
fn in_a_child(child: impl FnOnce() -> Result<(), usize>) {
    // SAFETY: the child runs on allocation, threads and locks of the C library, which glibc and
    // musl keep usable in it, and leaves by `_exit`.
    match unsafe { fork() }.expect("a process more") {
        ForkResult::Parent { child } => {
            let code = exit_code(child);
            let step = code.and_then(|code| STEPS.get(usize::try_from(code).ok()?));
            assert_eq!(code, Some(0), "failed or hung: {step:?}");
        }
        ForkResult::Child => {
            let failed = catch_unwind(AssertUnwindSafe(child)).unwrap_or(Err(11)).err();
            let code = failed.unwrap_or(0) as i32;
            // SAFETY: ends the process; nothing is run any more.
            unsafe { libc::_exit(code) }
        }
    }
}

/// Threads that record, read, register, and start threads that end, in bursts, so that the
/// children get some of the machine, until the test is over. Gives how often each has recorded.
fn busy(load: &Load, over: &AtomicBool, thread: u64) -> u64 {
    let mut rounds = 0;
    while !over.load(Ordering::Relaxed) {
        load.record(1);
        match thread {
            0 => drop(load.metrics.get_all_metrics()),
            1 => {
                let name = format!("registered.{}", rounds % 1_000);
                drop(load.metrics.register_timing(&name));
                drop(load.metrics.recorder());
            }
            _ => {
                thread::scope(|scope| scope.spawn(|| load.metrics.increment("parent.only")).join())
                    .expect("no panic");
            }
        }
        rounds += 1;
        if rounds % 16 == 0 {
            thread::sleep(Duration::from_micros(500));
        }
    }
    rounds
}

#[test]
fn a_thousand_forks_under_load_hang_nowhere_and_count_everything_once() {
    let load = Load::new();
    let over = AtomicBool::new(false);
    let recorder = load.metrics.recorder();
    load.record(1);
    let recorded: u64 = thread::scope(|scope| {
        let (load, over) = (&load, &over);
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || busy(load, over, n))).collect();
        let forks = catch_unwind(AssertUnwindSafe(|| {
            for n in 0..FORKS {
                load.record(1);
                recorder.increment(&load.counter);
                in_a_child(|| load.child(&recorder, n));
            }
        }));
        over.store(true, Ordering::Relaxed);
        let recorded = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        forks.expect("every child succeeds");
        recorded
    });
    let own = 1 + FORKS;
    assert_eq!(load.count("counter"), Some(i128::from(recorded + own + FORKS)));
    assert_eq!(load.count("by.name"), Some(i128::from(recorded + own)));
    let timing = load.metrics.get_timing("timing").map(|stats| stats.count);
    assert_eq!(timing, Some(recorded + own));
    let report = load.metrics.shutdown(Duration::from_secs(10));
    assert_eq!(report.recorded, report.aggregated + report.dropped);
    assert_eq!(report.dropped, 0);
}

#[test]
fn a_childs_child_starts_over_again_and_others_collectors_go_on_too() {
    let load = Load::new();
    let manual = MetricsCollector::builder().manual().build();
    let stopped = MetricsCollector::builder().enabled(false).build();
    manual.increment("manual");
    load.record(1);
    in_a_child(|| {
        load.record(1);
        manual.increment("manual");
        let own = manual.get_counter("manual").map(|stats| stats.value);
        if own != Some(1) {
            return Err(5);
        }
        in_a_child(|| {
            load.record(1);
            load.record(1);
            stopped.set_enabled(true);
            stopped.increment("late");
            let late = stopped.get_counter("late").map(|stats| stats.value);
            let none = manual.get_counter("manual").map(|stats| stats.value);
            let two = load.count("counter") == Some(2) && load.count("by.name") == Some(2);
            if two && late == Some(1) && none.is_none() { Ok(()) } else { Err(5) }
        });
        if load.count("counter") == Some(1) { Ok(()) } else { Err(5) }
    });
    assert_eq!(load.count("counter"), Some(1));
    assert_eq!(manual.get_counter("manual").map(|stats| stats.value), Some(1));
}

#[test]
fn a_child_mirrors_totals_from_their_beginning() {
    let metrics = MetricsCollector::builder().manual().build();
    let counter = metrics.register_counter("mirrored");
    counter.advance_to(100);
    // Of a source that begins with the child, and of one that goes on.
    for first in [30, 110] {
        in_a_child(|| {
            for total in [first, first + 5] {
                counter.advance_to(total);
                let mirrored = metrics.get_counter("mirrored").map(|stats| stats.value);
                if mirrored != Some(i128::from(total)) {
                    return Err(5);
                }
            }
            Ok(())
        });
    }
    counter.advance_to(103);
    assert_eq!(metrics.get_counter("mirrored").map(|stats| stats.value), Some(103));
}

#[test]
fn a_child_that_shuts_down_first_thing_or_does_nothing_ends_at_once() {
    let load = Load::new();
    load.record(1);
    in_a_child(|| Ok(()));
    in_a_child(|| {
        let report = load.metrics.shutdown(Duration::from_secs(10));
        if (report.recorded, report.dropped) != (0, 0) {
            return Err(10);
        }
        load.counter.increment();
        let report = load.metrics.shutdown(Duration::from_secs(10));
        if (report.recorded, report.dropped) == (1, 1) { Ok(()) } else { Err(10) }
    });
    assert_eq!(load.count("counter"), Some(1));
}

#[test]
fn a_child_in_which_no_lane_is_free_counts_drops_and_goes_on() {
    for lanes in [0, 1] {
        let metrics = MetricsCollector::builder().manual().max_lanes(lanes).build();
        let counter = metrics.register_counter("counter");
        let first = metrics.recorder();
        // This thread has none in the parent.
        counter.increment();
        first.increment(&counter);
        in_a_child(|| {
            // Of the thread, of the recorder from before, and by name: whoever comes first has the
            // one lane that there may be.
            for _ in 0..3 {
                counter.increment();
                first.increment(&counter);
                metrics.increment("counter");
                metrics.recorder().increment(&counter);
            }
            let counted = metrics.get_counter("counter").map(|stats| stats.value);
            let report = metrics.shutdown(Duration::from_secs(10));
            let expected = if lanes == 0 { 0 } else { 6 };
            let whole = (report.recorded, report.aggregated) == (12, expected);
            if counted == Some(i128::from(expected)) && whole { Ok(()) } else { Err(10) }
        });
        let expected = if lanes == 0 { 0 } else { 1 };
        assert_eq!(metrics.get_counter("counter").map(|stats| stats.value), Some(expected));
    }
}

#[test]
fn a_child_that_only_looks_sees_nothing_of_its_parents() {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.increment("counter");
    metrics.run_pass(Instant::now(), std::time::SystemTime::now());
    let shown = || metrics.snapshot().find("counter", &[]).is_some();
    assert!(shown());
    in_a_child(|| if shown() { Err(8) } else { Ok(()) });
    assert!(shown());
}
