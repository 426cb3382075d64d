//! Loops that stall inside `malloc`, the dynamic linker, panics and unwinding, and are asked for
//! their stack there: no crash, no deadlock. A share of it in CI; all of it, 10,000 stalls, with
//! `TACHOGRAPH_STALLS=10000 cargo test -p tachograph-loop --test torture`.
#![allow(unsafe_code, reason = "loading libraries is a foreign call")]
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_loop::{LoopMonitor, StallDetector};

const THRESHOLD: Duration = Duration::from_millis(1);

/// Stalls that CI has time for.
const SHARE: u64 = 600;

/// Every size class, up to what is mapped by itself.
fn allocates() {
    let blocks: Vec<_> = (0..22).map(|power| vec![1u8; 1 << power]).collect();
    std::hint::black_box(blocks);
}

fn links() {
    // SAFETY: a library of the system's, with a name that ends in 0, loaded and let go again.
    unsafe {
        let library = libc::dlopen(c"libm.so.6".as_ptr(), libc::RTLD_NOW);
        if !library.is_null() {
            std::hint::black_box(libc::dlsym(library, c"cos".as_ptr()));
            libc::dlclose(library);
        }
    }
    // SAFETY: there is no such library; nothing is loaded, but every path is searched.
    let missing = unsafe { libc::dlopen(c"libtachograph-none.so".as_ptr(), libc::RTLD_NOW) };
    assert!(missing.is_null());
}

/// What unwinding has to clean up, at each level.
struct Clean<'a>(&'a AtomicU64);

impl Drop for Clean<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[inline(never)]
fn unwinds_from(depth: u32, cleaned: &AtomicU64) {
    let _clean = Clean(cleaned);
    if depth == 0 {
        resume_unwind(Box::new(7));
    }
    unwinds_from(depth - 1, cleaned);
    std::hint::black_box(cleaned);
}

fn unwinds() {
    let cleaned = AtomicU64::new(0);
    let panics = catch_unwind(AssertUnwindSafe(|| unwinds_from(30, &cleaned)));
    assert_eq!(panics.expect_err("it panics").downcast_ref(), Some(&7));
    assert_eq!(cleaned.load(Ordering::Relaxed), 31);
}

fn panics() {
    // With the hook, which formats the message and takes std's lock.
    let panics = catch_unwind(|| panic!("{}", std::hint::black_box("torture")));
    assert_eq!(panics.expect_err("it panics").downcast_ref(), Some(&"torture".to_owned()));
}

const WAYS: [fn(); 4] = [allocates, links, unwinds, panics];

/// A loop that stalls in each way, until so many were told.
fn stalls(name: &str, metrics: &MetricsCollector, stalls: u64) -> [u64; 2] {
    let [told, answered, empty] = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
    let [counted, with, without] = [&told, &answered, &empty].map(Arc::clone);
    let told_of = |turn: u64| told.load(Ordering::Relaxed) > turn;
    let detector = StallDetector::builder()
        .threshold(THRESHOLD)
        .reports_per_minute(u32::MAX)
        .on_stall(move |stall| {
            let number = counted.load(Ordering::Relaxed);
            if let Ok(backtrace) = &stall.backtrace {
                with.fetch_add(1, Ordering::Relaxed);
                // Names are looked up while the loop allocates and loads libraries.
                let is_named = !number.is_multiple_of(200) || !backtrace.to_string().is_empty();
                let is_whole = !backtrace.addresses().is_empty() && is_named;
                without.fetch_add(u64::from(!is_whole), Ordering::Relaxed);
            }
            // The loop goes on to its next turn; a turn may be told more than once.
            counted.fetch_add(u64::from(stall.report == 1), Ordering::Relaxed);
        })
        .start(metrics)
        .expect("a thread and a free signal");
    let mut monitor = LoopMonitor::new(metrics, name).watched_by(&detector);
    for i in 0..stalls {
        let _turn = monitor.turn();
        while !told_of(i) {
            WAYS[i as usize % WAYS.len()]();
        }
    }
    drop(detector);
    assert_eq!(empty.load(Ordering::Relaxed), 0, "backtraces without a frame or a name");
    [told.load(Ordering::Relaxed), answered.load(Ordering::Relaxed)]
}

#[test]
fn thousands_of_stalls_anywhere_crash_and_hang_nothing() {
    let wanted = std::env::var("TACHOGRAPH_STALLS").ok();
    let wanted = wanted.map_or(SHARE, |number| number.parse().expect("a number of stalls"));
    // The message of each panic is written to nowhere, but written.
    std::panic::set_hook(Box::new(|info| {
        std::hint::black_box(format!("{info}"));
    }));
    let metrics = MetricsCollector::new();
    // Two loops with a detector each: they take turns in asking.
    let both = std::thread::scope(|scope| {
        let other = scope.spawn(|| stalls("other", &metrics, wanted / 2));
        [stalls("main", &metrics, wanted / 2), other.join().expect("no panic")]
    });
    let _ = std::panic::take_hook();
    for [told, answered] in both {
        assert!(told >= wanted / 2, "{told} reports of {wanted} stalls");
        // A thread that gets no CPU for 0.1 s does not answer in time.
        assert!(answered > told / 2, "{answered} of {told} reports have a backtrace");
    }
}
