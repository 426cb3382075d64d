//! Forks at moments that matter: while the process's first collector is being made, and right
//! before exec. A process of its own, with an allocator of its own, which keeps a thread at any of
//! its allocations and counts those of a child; and with one test, since it forks.
#![allow(unsafe_code, reason = "forking, with an allocator that waits and counts")]
#![cfg(all(target_os = "linux", feature = "record"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, execv, fork, getpid};
use tachograph::MetricsCollector;

/// Allocations that the building thread may still make before it is kept.
static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);
static KEPT: AtomicBool = AtomicBool::new(false);
static LET_GO: AtomicBool = AtomicBool::new(false);
/// The process whose children's allocations are counted.
static PARENT: AtomicI32 = AtomicI32::new(0);
static OF_CHILD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static BUILDS: Cell<bool> = const { Cell::new(false) };
}

/// A fork waits for the locks that the kept thread holds, so it is let go after this at the latest.
const KEPT_MAX: Duration = Duration::from_millis(50);

struct Trap;

impl Trap {
    fn keep() {
        KEPT.store(true, Ordering::Release);
        let until = Instant::now() + KEPT_MAX;
        while !LET_GO.load(Ordering::Acquire) && Instant::now() < until {
            thread::yield_now();
        }
    }
}

// SAFETY: the system's allocator does it all; waiting and counting before it change nothing.
unsafe impl GlobalAlloc for Trap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if BUILDS.get() && LEFT.fetch_sub(1, Ordering::Relaxed) == 0 {
            Self::keep();
        }
        let parent = PARENT.load(Ordering::Relaxed);
        if parent != 0 && getpid().as_raw() != parent {
            OF_CHILD.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: what the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Trap = Trap;

/// What a process of this test says by its exit code.
const GOOD: i32 = 0;
const BAD: i32 = 1;
const NO_MORE: i32 = 2;

/// Forks; `act` runs in the child and gives its exit code. `at_once` runs in the parent first.
/// Gives the code; `None` where the child hung or was killed.
fn in_a_child(at_once: impl FnOnce(), act: impl FnOnce() -> i32) -> Option<i32> {
    // SAFETY: the child runs on allocation, threads and locks of the C library, which stay usable
    // in it, and leaves by `_exit`.
    let child = match unsafe { fork() }.expect("a process more") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let code = act();
            // SAFETY: ends the process; nothing is run any more.
            unsafe { libc::_exit(code) }
        }
    };
    at_once();
    exit_code(child)
}

fn exit_code(child: Pid) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)).expect("our child") {
            WaitStatus::Exited(_, code) => return Some(code),
            WaitStatus::StillAlive if Instant::now() < deadline => thread::yield_now(),
            _ => {
                let _ = kill(child, Signal::SIGKILL);
                let _ = waitpid(child, None);
                return None;
            }
        }
    }
}

/// Makes a collector and records.
fn works() -> i32 {
    let metrics = MetricsCollector::builder().manual().build();
    metrics.increment("counter");
    let counted = metrics.get_counter("counter").map(|stats| stats.value);
    if counted == Some(1) { GOOD } else { BAD }
}

/// In a process without a collector: forks while another thread makes the first one and is at its
/// allocation of that number.
fn fork_at(allocation: usize) -> i32 {
    LEFT.store(allocation, Ordering::Relaxed);
    let builder = thread::spawn(|| {
        BUILDS.set(true);
        let metrics = MetricsCollector::new();
        BUILDS.set(false);
        metrics.increment("counter");
        metrics
    });
    while !KEPT.load(Ordering::Acquire) {
        if builder.is_finished() {
            return NO_MORE;
        }
        thread::yield_now();
    }
    let child = in_a_child(|| LET_GO.store(true, Ordering::Release), works);
    let Ok(metrics) = builder.join() else { return BAD };
    let counted = metrics.get_counter("counter").map(|stats| stats.value);
    if child == Some(GOOD) && counted == Some(1) { GOOD } else { BAD }
}

/// In a process with a collector: forks, and goes on to exec at once.
fn exec_at_once() -> i32 {
    let metrics = MetricsCollector::new();
    metrics.increment("counter");
    let (program, arguments) = (CString::from(c"/bin/true"), [CString::from(c"true")]);
    PARENT.store(getpid().as_raw(), Ordering::Relaxed);
    let code = in_a_child(
        || {},
        || {
            if OF_CHILD.load(Ordering::Relaxed) > 0 {
                return BAD;
            }
            let _ = execv(&program, &arguments);
            NO_MORE
        },
    );
    code.unwrap_or(BAD)
}

#[test]
fn a_fork_while_the_first_collector_is_made_or_right_before_exec_is_harmless() {
    let mut allocation = 0;
    loop {
        let code = in_a_child(|| {}, || fork_at(allocation));
        if code == Some(NO_MORE) {
            break;
        }
        assert_eq!(code, Some(GOOD), "forked at allocation {allocation}");
        allocation += 1;
    }
    assert!(allocation > 10, "a collector is made of more than {allocation} allocations");
    assert_eq!(in_a_child(|| {}, exec_at_once), Some(GOOD), "the child has allocated");
}
