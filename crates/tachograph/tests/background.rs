//! The core's own threads: how they are scheduled, and that none outlives its collector. A process
//! of its own, with one test, since it looks at all of the process's threads.
#![allow(unsafe_code, reason = "real-time scheduling is C's")]
#![cfg(all(target_os = "linux", target_env = "gnu", feature = "record"))]

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, getpid};
use tachograph::MetricsCollector;

/// Threads of this process that have the core's names.
fn ours() -> BTreeSet<i32> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it");
    let ids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    let named = |id: &i32| {
        let name = fs::read_to_string(format!("/proc/self/task/{id}/comm")).unwrap_or_default();
        name.starts_with("tachograph")
    };
    ids.filter(named).collect()
}

/// Waits until `holds`; the kernel takes a thread off its list a moment after it has ended.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}

fn cpus(of: Pid) -> Vec<usize> {
    let set = sched_getaffinity(of).expect("it lives");
    (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu) == Ok(true)).collect()
}

/// The kernel's word for how a thread is scheduled: 0 is ordinary, 1 is `SCHED_FIFO`.
fn policy(of: i32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/self/task/{of}/stat")).expect("it lives");
    let behind_name = stat.rsplit_once(')').expect("a name").1;
    // The 41st field of the line; the name is the second.
    behind_name.split_whitespace().nth(38).expect("a field").parse().expect("a number")
}

/// Pins the calling thread and makes it real-time; says whether it may be that.
fn become_real_time() -> bool {
    let mut one = CpuSet::new();
    one.set(cpus(Pid::from_raw(0))[0]).expect("a CPU");
    sched_setaffinity(Pid::from_raw(0), &one).expect("its own CPU");
    let parameter = libc::sched_param { sched_priority: 1 };
    // SAFETY: the parameter is ours, and outlives the call.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameter) == 0 }
}

#[allow(clippy::print_stderr, reason = "where less is tested, it is said")]
#[test]
fn background_threads_are_scheduled_ordinarily_and_end_with_their_collector() {
    let begun = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&begun);
    let (ids, started) = mpsc::channel();
    let caller = thread::spawn(move || {
        let real_time = become_real_time();
        if !real_time {
            eprintln!("SCHED_FIFO is not permitted here: only the CPUs are looked at");
        }
        let before = (cpus(Pid::from_raw(0)), policy(nix::unistd::gettid().as_raw()));
        let metrics = MetricsCollector::builder()
            .on_thread_start(move || {
                // Relaxed: a count of a test.
                counting.fetch_add(1, Ordering::Relaxed);
                ids.send(nix::unistd::gettid()).expect("it is waited for");
                panic!("it is caught");
            })
            .build();
        metrics.increment("counter");
        assert_eq!(before.0.len(), 1);
        assert_eq!(before.1, u32::from(real_time));
        metrics
    });
    let metrics = caller.join().expect("no panic");
    let driver = started.recv().expect("a thread has started");
    let alive = ours();
    assert!(alive.contains(&driver.as_raw()) || begun.load(Ordering::Relaxed) > 1);
    assert!(!alive.is_empty());
    let isolated = fs::read_to_string("/sys/devices/system/cpu/isolated").unwrap_or_default();
    for id in alive {
        let (own, main) = (cpus(Pid::from_raw(id)), cpus(getpid()));
        if isolated.trim().is_empty() {
            assert_eq!(own, main, "CPUs of {id}");
        }
        assert!(!own.is_empty() && own.iter().all(|cpu| main.contains(cpu)), "{own:?}");
        assert_eq!(policy(id), 0, "{id} is real-time");
    }
    // At once: the process's first calibration is still under way.
    let report = metrics.shutdown(Duration::from_secs(10));
    assert_eq!((report.recorded, report.aggregated), (1, 1));
    wait_for("no thread outlives the shutdown", || ours().is_empty());

    // A timeout of nothing, too: only a callback may keep a thread.
    for _ in 0..20 {
        let metrics = MetricsCollector::new();
        metrics.increment("counter");
        drop(metrics);
    }
    wait_for("no thread outlives its collector", || ours().is_empty());
}
