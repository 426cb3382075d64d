//! A fork while another thread holds the lock that std takes wherever a thread of its own begins:
//! the child works all the same. A process of its own, with an allocator of its own: std allocates
//! under that lock now and then, which is where this one keeps a thread until the child is done.
#![allow(unsafe_code, reason = "forking, with an allocator that waits")]
#![cfg(all(target_os = "linux", target_env = "gnu", feature = "record"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getpid, gettid};
use tachograph::MetricsCollector;

/// More threads than a node of std's map of threads has places: one of them needs a new node.
const THREADS: usize = 32;

/// A node is larger, and nothing else that a thread allocates before it runs is.
const NODE_BYTES_MIN: usize = 256;

static SET: AtomicBool = AtomicBool::new(false);
static CAUGHT: AtomicBool = AtomicBool::new(false);
static LET_GO: AtomicBool = AtomicBool::new(false);
static BEGUN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the thread of the test harness, which allocates beside the test.
fn is_main_thread() -> bool {
    gettid() == getpid()
}

/// Keeps the first thread that needs a node before it runs.
struct Trap;

// SAFETY: the system's allocator does it all; waiting before it changes nothing.
unsafe impl GlobalAlloc for Trap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let is_node = layout.size() >= NODE_BYTES_MIN && !RUNS.get();
        if is_node && !is_main_thread() && SET.swap(false, Ordering::AcqRel) {
            CAUGHT.store(true, Ordering::Release);
            while !LET_GO.load(Ordering::Acquire) {
                thread::yield_now();
            }
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

fn wait_until(what: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !what() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::yield_now();
    }
    true
}

/// Starts threads until one is caught with the lock in its hands.
fn threads_of_which_one_is_caught() -> Vec<JoinHandle<()>> {
    let mut threads = Vec::with_capacity(THREADS);
    for begun in 1..=THREADS {
        SET.store(true, Ordering::Release);
        threads.push(thread::spawn(|| {
            RUNS.set(true);
            BEGUN.fetch_add(1, Ordering::AcqRel);
            wait_until(|| LET_GO.load(Ordering::Acquire));
        }));
        let caught = || CAUGHT.load(Ordering::Acquire);
        assert!(wait_until(|| caught() || BEGUN.load(Ordering::Acquire) == begun), "no thread");
        if caught() {
            return threads;
        }
    }
    panic!("std allocates nothing under its lock any more: does `fork.rs` need its own threads?");
}

/// What the child does; its exit code.
fn child(metrics: &MetricsCollector) -> i32 {
    let before = BEGUN.load(Ordering::Acquire);
    drop(thread::spawn(|| BEGUN.fetch_add(1, Ordering::AcqRel)));
    metrics.increment("requests");
    let published = || {
        let snapshot = metrics.snapshot();
        let requests = snapshot.find("requests", &[]).and_then(|it| it.value.as_counter());
        requests.is_some_and(|views| views.lifetime.value == 1)
    };
    match () {
        () if !wait_until(published) => 1,
        // It shows that there was something to survive.
        () if BEGUN.load(Ordering::Acquire) != before => 2,
        () if metrics.shutdown(Duration::from_secs(10)).recorded != 1 => 3,
        () => 0,
    }
}

#[test]
fn a_child_forked_while_another_thread_begins_has_its_background_thread() {
    RUNS.set(true);
    let threads = threads_of_which_one_is_caught();
    let metrics = MetricsCollector::builder().publish_every(Duration::from_millis(2)).build();
    metrics.increment_by("requests", 7);
    // SAFETY: the child runs on allocation, threads and locks of the C library, which glibc keeps
    // usable in it, and leaves by `_exit`.
    match unsafe { fork() }.expect("a process more") {
        ForkResult::Parent { child } => {
            let status = waitpid(child, None).expect("our child");
            LET_GO.store(true, Ordering::Release);
            threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
            let told =
                "1: nothing published, 2: std's lock was free, 3: it counts what it must not";
            assert_eq!(status, WaitStatus::Exited(child, 0), "{told}");
        }
        ForkResult::Child => {
            let code = child(&metrics);
            // SAFETY: ends the process; nothing is run any more.
            unsafe { libc::_exit(code) }
        }
    }
}
